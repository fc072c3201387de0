//! A column as the contract between host and handler can carry it: exactly, or not at all.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date64Type, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field, TimeUnit};
use beamlet_contract::arrow::{decimal, is_json, json};

use crate::values::{Values, is_uuid};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A value that cannot be normalised.
pub(super) struct Fault {
    pub(super) row: usize,
    pub(super) problem: &'static str,
}

/// The column, with a type of the contract's, and its field, which is nullable.
pub(super) fn normalised(field: &Field, array: &ArrayRef) -> Result<(Field, ArrayRef), Fault> {
    let is_json = is_json(field);
    let plain = |array: ArrayRef| {
        let field = Field::new(field.name(), array.data_type().clone(), true);
        Ok((if is_json { json(field) } else { field }, array))
    };
    let to = |data_type| plain(cast(array, &data_type, "its type cannot be converted")?);
    match array.data_type() {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Binary
        | DataType::Date32
        | DataType::Timestamp(TimeUnit::Microsecond, _) => plain(array.clone()),
        DataType::UInt64 => plain(cast(array, &DataType::Int64, "its integer is beyond int64")?),
        DataType::Float16 => to(DataType::Float32),
        DataType::Null
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_) => to(DataType::Utf8),
        DataType::FixedSizeBinary(16) if is_uuid(field) => plain(texts(field, array, false)?),
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            to(DataType::Binary)
        }
        DataType::Date64 => {
            let days = array.as_primitive::<Date64Type>();
            whole(days.iter(), DAY, "it has a time of day")?;
            to(DataType::Date32)
        }
        DataType::Timestamp(unit, zone) => {
            if *unit == TimeUnit::Nanosecond {
                let nanos = array.as_primitive::<TimestampNanosecondType>();
                whole(nanos.iter(), 1_000, "it has digits below a microsecond")?;
            }
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            plain(cast(array, &micros, "it is too far from 1970 for microseconds")?)
        }
        DataType::Dictionary(_, values) => {
            normalised(field, &cast(array, values, "its type cannot be converted")?)
        }
        DataType::RunEndEncoded(_, values) => {
            normalised(field, &cast(array, values.data_type(), "its type cannot be converted")?)
        }
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => {
            let texts = texts(field, array, false)?;
            Ok((decimal(Field::new(field.name(), DataType::Utf8, true)), texts))
        }
        _ => {
            let texts = texts(field, array, true)?;
            Ok((json(Field::new(field.name(), DataType::Utf8, true)), texts))
        }
    }
}

/// Fails at the first value that is lost.
fn cast(array: &ArrayRef, data_type: &DataType, problem: &'static str) -> Result<ArrayRef, Fault> {
    let cast = arrow_cast::cast(array, data_type).map_err(|_| Fault { row: 0, problem })?;
    let (before, after) = (array.logical_nulls(), cast.logical_nulls());
    let is_null = |nulls: &Option<arrow_buffer::NullBuffer>, row| {
        nulls.as_ref().is_some_and(|it| it.is_null(row))
    };
    match (0..array.len()).find(|row| is_null(&after, *row) && !is_null(&before, *row)) {
        Some(row) => Err(Fault { row, problem }),
        None => Ok(cast),
    }
}

fn whole(
    values: impl Iterator<Item = Option<i64>>,
    unit: i64,
    problem: &'static str,
) -> Result<(), Fault> {
    match values.enumerate().find(|(_, value)| value.is_some_and(|it| it % unit != 0)) {
        Some((row, _)) => Err(Fault { row, problem }),
        None => Ok(()),
    }
}

fn texts(field: &Field, array: &ArrayRef, as_json: bool) -> Result<ArrayRef, Fault> {
    let values = Values::new(field, array)
        .map_err(|_| Fault { row: 0, problem: "its type cannot be converted" })?;
    let mut texts = StringBuilder::with_capacity(array.len(), 16 * array.len());
    let mut text = Vec::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        let written = if as_json {
            values.json(row, &mut text)
        } else {
            values.text(row, &mut text).map(drop)
        };
        written.map_err(|_| Fault { row, problem: "it holds a value that JSON cannot spell" })?;
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Ok(Arc::new(texts.finish()))
}
