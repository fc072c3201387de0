//! A value on its way from a row to the wire.

use super::moment::Moment;
use beamlet_guest::contract::number;
use beamlet_guest::{Column, Values};
use serde_json::{Value, json};
use std::borrow::Cow;

/// What a field holds, or what an expression yields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Datum<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// Microseconds since the Unix epoch, UTC.
    Timestamp(i64),
    Bytes(&'a [u8]),
    /// A list or an object, or a number that is no int64.
    Json(Value),
    /// What has no form on the wire, in words.
    Refused(&'static str),
}

impl<'a> Datum<'a> {
    /// The value of a column at a position where it is not null. A date and a decimal are their
    /// text.
    pub(crate) fn of_column(column: &'a Column, row: usize) -> Datum<'a> {
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
            Values::Timestamps(list) => match Moment::new(list[row]) {
                Some(_) => Datum::Timestamp(list[row]),
                None => Datum::Refused("a timestamp outside of the years 1 to 9999"),
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
                Err(_) => Datum::Refused("no JSON, though its column says so"),
            },
        }
    }

    /// The value that a JSON value is.
    pub(crate) fn of_json(value: Value) -> Datum<'a> {
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

    /// The same, of its own; bytes are refused anyway.
    pub(crate) fn into_owned(self) -> Datum<'static> {
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

    /// What it is, in a sentence.
    pub(crate) fn kind(&self) -> &'static str {
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

/// A number, or the name of what JSON has no number for.
pub(crate) fn float(value: f64) -> Value {
    number::name(value).map_or_else(|| json!(value), Value::from)
}

/// A date, in ISO 8601.
fn date(days: i32) -> Option<String> {
    let date = chrono::NaiveDate::from_epoch_days(days)?;
    let year = chrono::Datelike::year(&date);
    (1..=9999).contains(&year).then(|| date.to_string())
}
