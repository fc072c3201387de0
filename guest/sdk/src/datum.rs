//! One value of a row: what a field holds, or what an expression yields.

use crate::contract::{number, time};
use crate::{Column, Values};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// The timestamps of the years 1 to 9999, in microseconds since the Unix epoch.
pub(crate) const MICROS: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum<'a> {
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer of any width.
    Integer(i64),
    /// A float of any width. A float32 is the double that is written like it: 0.1 stays 0.1.
    Float(f64),
    /// A string, and the text of a date or a decimal.
    Text(Cow<'a, str>),
    /// Microseconds since the Unix epoch, UTC, in the years 1 to 9999.
    Timestamp(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A list or an object.
    Json(Value),
    /// A value that cannot be sent: what it is, in words for a message.
    Refused(&'static str),
}

impl<'a> Datum<'a> {
    /// The value of a column at a position that is not null.
    pub fn of_column(column: &'a Column, row: usize) -> Datum<'a> {
        match &column.values {
            Values::Booleans(list) => Datum::Boolean(list[row]),
            Values::Int8s(list) => Datum::Integer(list[row].into()),
            Values::Int16s(list) => Datum::Integer(list[row].into()),
            Values::Int32s(list) => Datum::Integer(list[row].into()),
            Values::Int64s(list) => Datum::Integer(list[row]),
            Values::Float32s(list) => Datum::Float(widened(list[row])),
            Values::Float64s(list) => Datum::Float(list[row]),
            Values::Strings(texts) | Values::Decimals(texts) => {
                Datum::Text(Cow::Borrowed(texts.get(row)))
            }
            Values::Bytes(list) => Datum::Bytes(list.get(row)),
            Values::Timestamps(list) => match MICROS.contains(&list[row]) {
                true => Datum::Timestamp(list[row]),
                false => Datum::Refused("a timestamp outside of the years 1 to 9999"),
            },
            Values::Dates(list) => match date(list[row]) {
                Some(text) => Datum::Text(text.into()),
                None => Datum::Refused("a date outside of the years 1 to 9999"),
            },
            Values::BooleanLists(list) => Datum::Json(json!(list.get(row))),
            Values::Int64Lists(list) => Datum::Json(json!(list.get(row))),
            Values::Float32Lists(list) => {
                Datum::Json(list.get(row).iter().map(|value| float(widened(*value))).collect())
            }
            Values::Float64Lists(list) => {
                Datum::Json(list.get(row).iter().map(|value| float(*value)).collect())
            }
            Values::StringLists(list) => Datum::Json(json!(list.get(row))),
            Values::Json(list) => match serde_json::from_str(list.get(row)) {
                Ok(value) => Datum::of_json(value),
                Err(_) => Datum::Refused("not JSON, though its column says so"),
            },
        }
    }

    /// The value of a JSON value.
    pub fn of_json(value: Value) -> Datum<'a> {
        match value {
            Value::Null => Datum::Null,
            Value::Bool(value) => Datum::Boolean(value),
            Value::String(text) => Datum::Text(text.into()),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => Datum::Integer(value),
                (None, Some(value)) if number.is_f64() => Datum::Float(value),
                _ => Datum::Refused("an integer above the greatest int64"),
            },
            other => Datum::Json(other),
        }
    }

    /// The same value without a borrow. Bytes become [`Datum::Refused`].
    pub fn into_owned(self) -> Datum<'static> {
        match self {
            Datum::Null => Datum::Null,
            Datum::Boolean(value) => Datum::Boolean(value),
            Datum::Integer(value) => Datum::Integer(value),
            Datum::Float(value) => Datum::Float(value),
            Datum::Text(text) => Datum::Text(Cow::Owned(text.into_owned())),
            Datum::Timestamp(value) => Datum::Timestamp(value),
            Datum::Bytes(_) => Datum::Refused("bytes"),
            Datum::Json(value) => Datum::Json(value),
            Datum::Refused(kind) => Datum::Refused(kind),
        }
    }

    /// What it is, for a sentence: `a string`.
    pub fn kind(&self) -> &'static str {
        match self {
            Datum::Null => "null",
            Datum::Boolean(_) => "a boolean",
            Datum::Integer(_) => "an integer",
            Datum::Float(_) => "a fractional number",
            Datum::Text(_) => "a string",
            Datum::Timestamp(_) => "a timestamp",
            Datum::Bytes(_) => "bytes",
            Datum::Json(Value::Array(_)) => "a list",
            Datum::Json(_) => "an object",
            Datum::Refused(kind) => kind,
        }
    }
}

/// The double that is written like the float: 0.1 stays 0.1.
fn widened(value: f32) -> f64 {
    if value.is_finite() { value.to_string().parse().unwrap_or(value.into()) } else { value.into() }
}

/// A number, or the name of a float that JSON has no number for.
#[cfg_attr(not(feature = "cel"), allow(dead_code))]
pub(crate) fn float(value: f64) -> Value {
    number::name(value).map_or_else(|| json!(value), Value::from)
}

/// A date in the years 1 to 9999, in ISO 8601.
fn date(days: i32) -> Option<String> {
    const FIRST: i32 = -719_162;
    time::date(days).filter(|_| days >= FIRST)
}
