//! From Arrow to the contract: what a handler is shown.

use crate::bindings::beamlet::enrichment::types::{Batch, Blobs, Column, Texts, Values};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrayRef, GenericStringArray, OffsetSizeTrait, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};
use beamlet_contract::arrow::{is_decimal, is_json};

/// A column cannot be shown to a handler.
#[derive(Debug, thiserror::Error)]
#[error("field `{field}` is of type {data_type}, which no handler can be shown; {hint}")]
pub struct ColumnError {
    /// The field.
    pub field: String,
    /// Its Arrow type.
    pub data_type: DataType,
    /// What to do.
    hint: &'static str,
}

/// The columns of a batch, as a handler is shown them.
pub fn from_arrow(rows: &RecordBatch) -> Result<Batch, ColumnError> {
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, array)| {
        Ok(Column {
            name: field.name().clone(),
            values: values(field, array)?,
            nulls: nulls(array),
        })
    });
    Ok(Batch { rows: rows.num_rows() as u32, columns: columns.collect::<Result<_, _>>()? })
}

/// The positions of nulls.
fn nulls(array: &ArrayRef) -> Vec<u32> {
    match array.logical_nulls() {
        Some(nulls) if nulls.null_count() > 0 => {
            (0..array.len()).filter(|at| nulls.is_null(*at)).map(|at| at as u32).collect()
        }
        _ => Vec::new(),
    }
}

fn values(field: &Field, array: &ArrayRef) -> Result<Values, ColumnError> {
    let refuse = |hint| {
        Err(ColumnError { field: field.name().clone(), data_type: field.data_type().clone(), hint })
    };
    Ok(match field.data_type() {
        DataType::Boolean => Values::Booleans(array.as_boolean().values().iter().collect()),
        DataType::Int8 => Values::Int8s(numbers::<Int8Type>(array)),
        DataType::Int16 => Values::Int16s(numbers::<Int16Type>(array)),
        DataType::Int32 => Values::Int32s(numbers::<Int32Type>(array)),
        DataType::Int64 => Values::Int64s(numbers::<Int64Type>(array)),
        // The contract has no unsigned types: the next wider one holds them.
        DataType::UInt8 => Values::Int16s(widened::<UInt8Type, _>(array)),
        DataType::UInt16 => Values::Int32s(widened::<UInt16Type, _>(array)),
        DataType::UInt32 => Values::Int64s(widened::<UInt32Type, _>(array)),
        DataType::Float32 => Values::Float32s(numbers::<Float32Type>(array)),
        DataType::Float64 => Values::Float64s(numbers::<Float64Type>(array)),
        DataType::Utf8 => {
            let texts = texts(array.as_string::<i32>());
            if is_json(field) {
                Values::Json(texts)
            } else if is_decimal(field) {
                Values::Decimals(texts)
            } else {
                Values::Strings(texts)
            }
        }
        DataType::LargeUtf8 => Values::Strings(texts(array.as_string::<i64>())),
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            let (first, ends) = ends(array.value_offsets());
            let bytes =
                &array.value_data()[first..first + ends.last().map_or(0, |it| *it as usize)];
            Values::Bytes(Blobs { bytes: bytes.to_vec(), ends })
        }
        DataType::Date32 => Values::Dates(numbers::<Date32Type>(array)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Values::Timestamps(numbers::<TimestampMicrosecondType>(array))
        }
        DataType::UInt64 => return refuse("cast it to a signed integer or to text"),
        _ => return refuse("cast it to text or to a number"),
    })
}

fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef) -> Vec<T::Native> {
    array.as_primitive::<T>().values().to_vec()
}

fn widened<T: ArrowPrimitiveType, W: From<T::Native>>(array: &ArrayRef) -> Vec<W> {
    array.as_primitive::<T>().values().iter().map(|value| W::from(*value)).collect()
}

/// Arrow's texts have the contract's form, but for the first offset.
fn texts<O: OffsetSizeTrait>(array: &GenericStringArray<O>) -> Texts {
    let (first, ends) = ends(array.value_offsets());
    let bytes = &array.value_data()[first..first + ends.last().map_or(0, |it| *it as usize)];
    Texts { text: String::from_utf8_lossy(bytes).into_owned(), ends }
}

/// The first offset, and how far behind it each value ends.
fn ends<O: OffsetSizeTrait>(offsets: &[O]) -> (usize, Vec<u32>) {
    let first = offsets[0].as_usize();
    (first, offsets[1..].iter().map(|end| (end.as_usize() - first) as u32).collect())
}
