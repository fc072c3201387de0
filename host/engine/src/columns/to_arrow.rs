//! From the contract to Arrow: what a handler answered, checked column by column.

use super::flat::offsets;
use crate::bindings::beamlet::enrichment::types::{
    Batch, Blobs, BooleanLists, Column, Float32Lists, Float64Lists, Int64Lists, StringLists, Texts,
    Values,
};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int64Array, ListArray,
    PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{Field, Schema};
use beamlet_contract::arrow::{decimal, json};
use std::collections::HashSet;
use std::sync::Arc;

/// The fields of an answer; the error says what the contract does not allow in it.
pub(crate) fn to_arrow(batch: Batch) -> Result<RecordBatch, String> {
    let rows = batch.rows as usize;
    let mut names = HashSet::with_capacity(batch.columns.len());
    if let Some(twice) = batch.columns.iter().find(|column| !names.insert(column.name.clone())) {
        return Err(format!("field `{}` comes twice", twice.name));
    }
    let mut fields = Vec::with_capacity(batch.columns.len());
    let mut arrays = Vec::with_capacity(batch.columns.len());
    for column in batch.columns {
        let nulls = nulls(&column, rows)?;
        let (name, given) = (column.name, column.values);
        let (array, kind) = array(given, nulls).map_err(|why| format!("field `{name}`: {why}"))?;
        if array.len() != rows {
            return Err(format!("field `{name}` holds {} values for {rows} rows", array.len()));
        }
        let field = Field::new(name, array.data_type().clone(), true);
        fields.push(match kind {
            Kind::Plain => field,
            Kind::Json => json(field),
            Kind::Decimal => decimal(field),
        });
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|error| error.to_string())
}

/// What the text of a column stands for.
enum Kind {
    Plain,
    Json,
    Decimal,
}

/// Which rows are null. Only positions are checked here, and the count of values later.
fn nulls(column: &Column, rows: usize) -> Result<Option<NullBuffer>, String> {
    let nulls = &column.nulls;
    if nulls.is_empty() {
        return Ok(None);
    }
    let ascending = nulls.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascending || nulls.last().is_some_and(|last| *last as usize >= rows) {
        return Err(format!(
            "the nulls of field `{}` do not ascend within {rows} rows",
            column.name
        ));
    }
    let mut valid = vec![true; rows];
    nulls.iter().for_each(|at| valid[*at as usize] = false);
    Ok(Some(NullBuffer::new(BooleanBuffer::from(valid))))
}

fn array(values: Values, nulls: Option<NullBuffer>) -> Result<(ArrayRef, Kind), String> {
    let array: ArrayRef = match values {
        Values::Json(texts) => return Ok((strings(texts, nulls)?, Kind::Json)),
        Values::Decimals(texts) => return Ok((strings(texts, nulls)?, Kind::Decimal)),
        Values::Strings(texts) => strings(texts, nulls)?,
        Values::Booleans(list) => sized(list.len(), nulls, |nulls| {
            Arc::new(BooleanArray::new(BooleanBuffer::from(list), nulls))
        }),
        Values::Int8s(list) => numbers::<Int8Type>(list, nulls),
        Values::Int16s(list) => numbers::<Int16Type>(list, nulls),
        Values::Int32s(list) => numbers::<Int32Type>(list, nulls),
        Values::Int64s(list) => numbers::<Int64Type>(list, nulls),
        Values::Float32s(list) => numbers::<Float32Type>(list, nulls),
        Values::Float64s(list) => numbers::<Float64Type>(list, nulls),
        Values::Dates(list) => numbers::<Date32Type>(list, nulls),
        Values::Timestamps(list) => sized(list.len(), nulls, |nulls| {
            let array = PrimitiveArray::<TimestampMicrosecondType>::new(list.into(), nulls);
            Arc::new(array.with_timezone("UTC"))
        }),
        Values::Bytes(Blobs { bytes, ends }) => {
            let len = ends.len();
            let offsets = offsets(ends, bytes.len(), "values")?;
            sized(len, nulls, |nulls| Arc::new(BinaryArray::new(offsets, bytes.into(), nulls)))
        }
        Values::BooleanLists(BooleanLists { elements, ends }) => {
            lists(ends, Arc::new(BooleanArray::from(elements)), nulls)?
        }
        Values::Int64Lists(Int64Lists { elements, ends }) => {
            lists(ends, Arc::new(Int64Array::from(elements)), nulls)?
        }
        Values::Float32Lists(Float32Lists { elements, ends }) => {
            lists(ends, Arc::new(Float32Array::from(elements)), nulls)?
        }
        Values::Float64Lists(Float64Lists { elements, ends }) => {
            lists(ends, Arc::new(Float64Array::from(elements)), nulls)?
        }
        Values::StringLists(StringLists { elements, ends }) => {
            lists(ends, strings(elements, None)?, nulls)?
        }
    };
    Ok((array, Kind::Plain))
}

/// The nulls, unless their length is not that of the values: Arrow's constructors would panic, and the
/// count of values is reported as the problem later.
fn sized(
    len: usize,
    nulls: Option<NullBuffer>,
    make: impl FnOnce(Option<NullBuffer>) -> ArrayRef,
) -> ArrayRef {
    make(nulls.filter(|nulls| nulls.len() == len))
}

fn numbers<T: ArrowPrimitiveType>(list: Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    sized(list.len(), nulls, |nulls| Arc::new(PrimitiveArray::<T>::new(list.into(), nulls)))
}

/// The text and its offsets become Arrow's without a copy, once they are checked.
fn strings(texts: Texts, nulls: Option<NullBuffer>) -> Result<ArrayRef, String> {
    let Texts { text, ends } = texts;
    let len = ends.len();
    let offsets = offsets(ends, text.len(), "texts")?;
    let nulls = nulls.filter(|nulls| nulls.len() == len);
    let array = StringArray::try_new(offsets, Buffer::from_vec(text.into_bytes()), nulls);
    let wrong = "the ends of its texts are not at characters' boundaries";
    Ok(Arc::new(array.map_err(|_| wrong.to_owned())?))
}

/// Elements and ends become Arrow's without a copy.
fn lists(
    ends: Vec<u32>,
    elements: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, String> {
    let len = ends.len();
    let offsets = offsets(ends, elements.len(), "lists")?;
    let item = Arc::new(Field::new("item", elements.data_type().clone(), true));
    Ok(sized(len, nulls, |nulls| Arc::new(ListArray::new(item, offsets, elements, nulls))))
}
