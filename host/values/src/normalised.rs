//! Converts a column to a type of the contract between host and handler, exactly or not at all.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date64Type, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_schema::{DataType, Field, TimeUnit};
use beamlet_contract::arrow::{decimal, is_json, json};

use crate::values::{Values, is_uuid};

/// Milliseconds in a day.
const DAY: i64 = 86_400_000;

/// A value that cannot be converted exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The row.
    pub row: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// A column with a type of the contract.
#[derive(Clone, Debug)]
pub struct Normalised {
    /// The field, which is nullable.
    pub field: Field,
    /// The values; null where there is a fault.
    pub array: ArrayRef,
    /// The faults, in the order of rows.
    pub faults: Vec<Fault>,
}

const NO_TYPE: &str = "its type cannot be converted";

/// Converts the column to a type of the contract.
///
/// # Errors
/// The reason, if no value of its type can be converted.
pub fn normalised(field: &Field, array: &ArrayRef) -> Result<Normalised, &'static str> {
    let is_json = is_json(field);
    let column = |array: ArrayRef, faults| {
        let field = Field::new(field.name(), array.data_type().clone(), true);
        Ok(Normalised { field: if is_json { json(field) } else { field }, array, faults })
    };
    let to = |data_type| {
        let (array, faults) = cast(array, &data_type, NO_TYPE)?;
        column(array, faults)
    };
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
        | DataType::Timestamp(TimeUnit::Microsecond, _) => column(array.clone(), Vec::new()),
        DataType::UInt64 => {
            let (array, faults) = cast(array, &DataType::Int64, "its integer is beyond int64")?;
            column(array, faults)
        }
        DataType::Float16 => to(DataType::Float32),
        DataType::Null
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_) => to(DataType::Utf8),
        DataType::FixedSizeBinary(16) if is_uuid(field) => {
            let (array, faults) = texts(field, array, false)?;
            column(array, faults)
        }
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            to(DataType::Binary)
        }
        DataType::Date64 => {
            let days = array.as_primitive::<Date64Type>();
            let faults = whole(days.iter(), DAY, "it has a time of day");
            let (array, more) = cast(&without(array, &faults)?, &DataType::Date32, NO_TYPE)?;
            column(array, together(faults, more))
        }
        DataType::Timestamp(unit, zone) => {
            let faults = match unit {
                TimeUnit::Nanosecond => {
                    let nanos = array.as_primitive::<TimestampNanosecondType>();
                    whole(nanos.iter(), 1_000, "it has digits below a microsecond")
                }
                _ => Vec::new(),
            };
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            let too_far = "it is too far from 1970 for microseconds";
            let (array, more) = cast(&without(array, &faults)?, &micros, too_far)?;
            column(array, together(faults, more))
        }
        DataType::Dictionary(_, values) => of_values(field, array, values),
        DataType::RunEndEncoded(_, values) => of_values(field, array, values.data_type()),
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => {
            let (array, faults) = texts(field, array, false)?;
            let field = decimal(Field::new(field.name(), DataType::Utf8, true));
            Ok(Normalised { field, array, faults })
        }
        _ => {
            let (array, faults) = texts(field, array, true)?;
            let field = json(Field::new(field.name(), DataType::Utf8, true));
            Ok(Normalised { field, array, faults })
        }
    }
}

/// Decodes dictionaries and runs, and converts their values.
fn of_values(
    field: &Field,
    array: &ArrayRef,
    values: &DataType,
) -> Result<Normalised, &'static str> {
    let (array, faults) = cast(array, values, NO_TYPE)?;
    let mut normalised = normalised(field, &array)?;
    normalised.faults = together(faults, normalised.faults);
    Ok(normalised)
}

/// Casts a column; values that are lost are faults.
fn cast(
    array: &ArrayRef,
    data_type: &DataType,
    problem: &'static str,
) -> Result<(ArrayRef, Vec<Fault>), &'static str> {
    let cast = arrow_cast::cast(array, data_type).map_err(|_| problem)?;
    let (before, after) = (array.logical_nulls(), cast.logical_nulls());
    let is_null = |nulls: &Option<arrow_buffer::NullBuffer>, row| {
        nulls.as_ref().is_some_and(|it| it.is_null(row))
    };
    let faults = match &after {
        None => Vec::new(),
        Some(_) => (0..array.len())
            .filter(|row| is_null(&after, *row) && !is_null(&before, *row))
            .map(|row| Fault { row, problem })
            .collect(),
    };
    Ok((cast, faults))
}

/// The values that are not a whole number of units.
fn whole(
    values: impl Iterator<Item = Option<i64>>,
    unit: i64,
    problem: &'static str,
) -> Vec<Fault> {
    let broken = |value: Option<i64>| value.is_some_and(|it| it % unit != 0);
    let faults = values.enumerate().filter(|(_, value)| broken(*value));
    faults.map(|(row, _)| Fault { row, problem }).collect()
}

/// The column with nulls in place of its faults.
fn without(array: &ArrayRef, faults: &[Fault]) -> Result<ArrayRef, &'static str> {
    if faults.is_empty() {
        return Ok(array.clone());
    }
    let mut at_fault = vec![false; array.len()];
    faults.iter().for_each(|fault| at_fault[fault.row] = true);
    arrow_select::nullif::nullif(array, &BooleanArray::from(at_fault)).map_err(|_| NO_TYPE)
}

fn together(mut some: Vec<Fault>, more: Vec<Fault>) -> Vec<Fault> {
    some.extend(more);
    some.sort_by_key(|fault| fault.row);
    some
}

fn texts(
    field: &Field,
    array: &ArrayRef,
    as_json: bool,
) -> Result<(ArrayRef, Vec<Fault>), &'static str> {
    let values = Values::new(field, array).map_err(|_| NO_TYPE)?;
    let mut texts = StringBuilder::with_capacity(array.len(), 16 * array.len());
    let (mut text, mut faults) = (Vec::new(), Vec::new());
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
        match written {
            Ok(()) => texts.append_value(String::from_utf8_lossy(&text)),
            Err(_) => {
                faults
                    .push(Fault { row, problem: "it contains a value that JSON cannot represent" });
                texts.append_null();
            }
        }
    }
    Ok((Arc::new(texts.finish()), faults))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{TimestampNanosecondArray, UInt64Array};

    fn of(array: impl Array + 'static) -> Normalised {
        let array: ArrayRef = Arc::new(array);
        normalised(&Field::new("f", array.data_type().clone(), true), &array).unwrap()
    }

    #[test]
    fn every_value_that_would_be_lost_is_a_fault_and_null() {
        let Normalised { array, faults, .. } = of(UInt64Array::from(vec![1, u64::MAX, 2, 1 << 63]));
        assert_eq!(faults.iter().map(|fault| fault.row).collect::<Vec<_>>(), [1, 3]);
        assert_eq!((array.null_count(), array.data_type()), (2, &DataType::Int64));
        let Normalised { array, faults, .. } =
            of(TimestampNanosecondArray::from(vec![Some(1_000), Some(1_001), None]));
        assert_eq!(faults.len(), 1);
        assert!(array.is_valid(0) && array.is_null(1) && array.is_null(2));
    }
}
