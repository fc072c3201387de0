//! From the contract to Arrow: what a handler answered, checked column by column.

use crate::bindings::beamlet::enrichment::types::{Batch, Column, Texts, Values};
use arrow_array::builder::{
    BooleanBuilder, Float32Builder, Float64Builder, Int64Builder, ListBuilder, StringBuilder,
};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, RecordBatch, RecordBatchOptions,
    StringArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::{Field, Schema};
use beamlet_contract::arrow::{decimal, json};
use std::collections::HashSet;
use std::sync::Arc;

/// The fields of an answer; the error says which promise it breaks.
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

/// What a text stands for, where it is more than text.
enum Kind {
    Plain,
    Json,
    Decimal,
}

/// Which rows are null. The count of values is checked later: positions are what counts here.
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
        Values::Bytes(list) => sized(list.len(), nulls, |nulls| {
            let (offsets, bytes, _) = BinaryArray::from_iter_values(list).into_parts();
            Arc::new(BinaryArray::new(offsets, bytes, nulls))
        }),
        Values::BooleanLists(lists) => {
            listed(lists, nulls, ListBuilder::new(BooleanBuilder::new()), |to, value| {
                to.append_value(value)
            })
        }
        Values::Int64Lists(lists) => {
            listed(lists, nulls, ListBuilder::new(Int64Builder::new()), |to, value| {
                to.append_value(value)
            })
        }
        Values::Float32Lists(lists) => {
            listed(lists, nulls, ListBuilder::new(Float32Builder::new()), |to, value| {
                to.append_value(value)
            })
        }
        Values::Float64Lists(lists) => {
            listed(lists, nulls, ListBuilder::new(Float64Builder::new()), |to, value| {
                to.append_value(value)
            })
        }
        Values::StringLists(lists) => {
            listed(lists, nulls, ListBuilder::new(StringBuilder::new()), |to, value: String| {
                to.append_value(value);
            })
        }
    };
    Ok((array, Kind::Plain))
}

/// Arrow's constructors panic where the nulls are of another length: then they are left out,
/// and the count of values is told as what is wrong.
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

/// The text and its offsets become Arrow's as they are, once they are known to be what the
/// contract promises.
fn strings(texts: Texts, nulls: Option<NullBuffer>) -> Result<ArrayRef, String> {
    let Texts { text, ends } = texts;
    let wrong = || "the ends of its texts do not ascend to the length of the text".to_owned();
    let ascend = ends.windows(2).all(|pair| pair[0] <= pair[1]);
    let fits = text.len() <= i32::MAX as usize;
    if !ascend || !fits || ends.last().map_or(0, |last| *last as usize) != text.len() {
        return Err(wrong());
    }
    let len = ends.len();
    let offsets = std::iter::once(0).chain(ends.into_iter().map(|end| end as i32));
    let offsets = OffsetBuffer::new(offsets.collect::<Vec<i32>>().into());
    let nulls = nulls.filter(|nulls| nulls.len() == len);
    let array = StringArray::try_new(offsets, Buffer::from_vec(text.into_bytes()), nulls);
    Ok(Arc::new(array.map_err(|_| wrong())?))
}

fn listed<T, B: arrow_array::builder::ArrayBuilder>(
    lists: Vec<Vec<T>>,
    nulls: Option<NullBuffer>,
    mut builder: ListBuilder<B>,
    append: impl Fn(&mut B, T),
) -> ArrayRef {
    for (at, list) in lists.into_iter().enumerate() {
        let valid = nulls.as_ref().is_none_or(|nulls| at >= nulls.len() || nulls.is_valid(at));
        if valid {
            list.into_iter().for_each(|value| append(builder.values(), value));
        }
        builder.append(valid);
    }
    Arc::new(builder.finish())
}
