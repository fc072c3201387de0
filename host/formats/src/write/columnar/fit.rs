//! Columns with the types in which Parquet holds every value, and which every reader of Parquet
//! knows.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit, TimeUnit};

use crate::{Rows, RowsError};

/// A type that Parquet does not have, and where it stands.
pub(super) struct Unsupported {
    pub(super) field: String,
    pub(super) found: String,
}

/// `field` with a type that Parquet holds.
///
/// Parquet has no seconds and no days in milliseconds: written as they are, other readers take them
/// for integers. A dictionary's indices get 32 bits, because the rows of a row group may bring more
/// values than a narrower index counts, and then no reader gets them back.
pub(super) fn fitted(field: &FieldRef) -> Result<FieldRef, Unsupported> {
    let data_type = data_type(field.data_type(), field.name())?;
    if data_type == *field.data_type() {
        return Ok(field.clone());
    }
    Ok(Arc::new(Field::clone(field).with_data_type(data_type)))
}

fn data_type(data_type: &DataType, path: &str) -> Result<DataType, Unsupported> {
    let inner = |field: &FieldRef| {
        let inner = self::data_type(field.data_type(), &format!("{path}.{}", field.name()))?;
        Ok(Arc::new(Field::clone(field).with_data_type(inner)))
    };
    Ok(match data_type {
        DataType::Timestamp(TimeUnit::Second, zone) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
        }
        DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Date64 => DataType::Date32,
        DataType::Dictionary(keys, values) => {
            let narrow = keys.primitive_width().is_none_or(|bytes| bytes < 4);
            let keys = if narrow { Box::new(DataType::Int32) } else { keys.clone() };
            DataType::Dictionary(keys, Box::new(self::data_type(values, path)?))
        }
        DataType::List(item) => DataType::List(inner(item)?),
        DataType::LargeList(item) => DataType::LargeList(inner(item)?),
        DataType::ListView(item) => DataType::ListView(inner(item)?),
        DataType::LargeListView(item) => DataType::LargeListView(inner(item)?),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item)?, *size),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries)?, *sorted),
        DataType::Struct(fields) if !fields.is_empty() => {
            DataType::Struct(fields.iter().map(inner).collect::<Result<Fields, _>>()?)
        }
        DataType::RunEndEncoded(ends, values) => {
            DataType::RunEndEncoded(ends.clone(), inner(values)?)
        }
        DataType::Union(..)
        | DataType::Struct(_)
        | DataType::Interval(IntervalUnit::MonthDayNano) => {
            return Err(Unsupported { field: path.to_owned(), found: data_type.to_string() });
        }
        other => other.clone(),
    })
}

/// `array` as a column of `to`; fails with the first row whose value does not stay the same.
pub(super) fn converted(rows: &Rows, array: &ArrayRef, to: &Field) -> Result<ArrayRef, RowsError> {
    if array.data_type() == to.data_type() {
        return Ok(array.clone());
    }
    if let Some(converted) = exactly(array, to.data_type()) {
        return Ok(converted);
    }
    let row = (0..array.len()).find(|row| exactly(&array.slice(*row, 1), to.data_type()).is_none());
    let origin = if rows.is_empty() { rows.place() } else { rows.origin(row.unwrap_or(0)) };
    Err(RowsError::FieldValue {
        origin,
        field: to.name().clone(),
        problem: format!(
            "its {} is out of range as the {} that parquet has for it",
            array.data_type(),
            to.data_type()
        ),
    })
}

/// The array as `to`, if each value comes back the same.
fn exactly(array: &ArrayRef, to: &DataType) -> Option<ArrayRef> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let there = cast_with_options(array, to, &strict).ok()?;
    let back = cast_with_options(&there, array.data_type(), &strict).ok()?;
    (back.to_data() == array.to_data()).then_some(there)
}
