//! The fields of rows and their types: what a handler asks for, what a CSV cell can be, and which
//! text stands for which value.

use std::fmt;
use std::str::FromStr;

use arrow_array::types::Date32Type;
use beamlet_contract::{FieldType, arrow};
use chrono::{DateTime, NaiveDate};

/// A field to read with [`Rows::project`](crate::Rows::project).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name, spelled as in the row.
    pub name: String,
    /// Whether a row without the field is an error; otherwise it is null.
    pub required: bool,
}

impl Field {
    /// A field that every row must have; its value may be null.
    pub fn required(name: impl Into<String>) -> Self {
        Self { name: name.into(), required: true }
    }

    /// A field that is null where a row does not have it.
    pub fn optional(name: impl Into<String>) -> Self {
        Self { name: name.into(), required: false }
    }
}

/// The type of a field, inferred from its text or stated by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Text, unchanged.
    String,
    /// A signed integer of 64 bits.
    Int64,
    /// A 64-bit floating-point number.
    Float64,
    /// `true` or `false`.
    Boolean,
    /// An instant in microseconds: RFC 3339 with a zone or `Z`. Never inferred.
    Timestamp,
    /// A day, `2013-01-31`. Never inferred.
    Date,
    /// Any JSON, kept as text. Never inferred from CSV.
    Json,
}

/// A name that does not stand for a type.
#[derive(Debug, thiserror::Error)]
#[error("unknown type {name:?}; use string, int64, float64, boolean, timestamp, date or json")]
#[non_exhaustive]
pub struct UnknownType {
    /// The name as it was given.
    pub name: String,
}

impl From<ValueType> for FieldType {
    fn from(of: ValueType) -> Self {
        match of {
            ValueType::String => FieldType::String,
            ValueType::Int64 => FieldType::Int64,
            ValueType::Float64 => FieldType::Float64,
            ValueType::Boolean => FieldType::Boolean,
            ValueType::Timestamp => FieldType::Timestamp,
            ValueType::Date => FieldType::Date,
            ValueType::Json => FieldType::Json,
        }
    }
}

impl ValueType {
    /// The narrowest type for which `cell` is the canonical spelling.
    ///
    /// A number with a leading zero or plus is a string, because it is likely a code or an id. An
    /// integer that neither `i64` nor a double holds exactly is a string, too.
    pub(crate) fn of(cell: &str) -> Self {
        match cell.as_bytes().first() {
            Some(b'-' | b'0'..=b'9') if int64(cell).is_some() => Self::Int64,
            Some(b'-' | b'0'..=b'9') if float64(cell).is_some() => Self::Float64,
            _ if boolean(cell).is_some() => Self::Boolean,
            _ => Self::String,
        }
    }

    /// The narrowest type that holds values of both.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Int64, Self::Float64) | (Self::Float64, Self::Int64) => Self::Float64,
            _ => Self::String,
        }
    }

    /// The column that holds values of the type.
    pub(crate) fn field(self, name: &str) -> arrow_schema::Field {
        arrow::field(name, &self.into())
    }

    /// The type with its article, for a message.
    pub(crate) fn article(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Int64 => "an int64",
            Self::Float64 => "a float64",
            Self::Boolean => "a boolean",
            Self::Timestamp => "a timestamp",
            Self::Date => "a date",
            Self::Json => "JSON",
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Json => "json",
        })
    }
}

impl FromStr for ValueType {
    type Err = UnknownType;

    fn from_str(name: &str) -> Result<Self, UnknownType> {
        match name {
            "string" => Ok(Self::String),
            "int64" => Ok(Self::Int64),
            "float64" => Ok(Self::Float64),
            "boolean" => Ok(Self::Boolean),
            "timestamp" => Ok(Self::Timestamp),
            "date" => Ok(Self::Date),
            "json" => Ok(Self::Json),
            _ => Err(UnknownType { name: name.to_owned() }),
        }
    }
}

/// The value of a canonical integer: no plus, no leading zero, no `-0`.
pub(crate) fn int64(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    match digits {
        [b'0'] if digits.len() == text.len() => Some(0),
        [b'1'..=b'9', ..] => text.parse().ok(),
        _ => None,
    }
}

/// The value of a number in JSON's grammar; `None` if it is an integer that a double does not hold
/// exactly.
pub(crate) fn float64(text: &str) -> Option<f64> {
    if !is_json_number(text.as_bytes()) {
        return None;
    }
    let value: f64 = text.parse().ok().filter(|it: &f64| it.is_finite())?;
    let integer = !text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    (!integer || holds_exactly(value, text)).then_some(value)
}

/// The value of `true` and `false`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The microseconds since 1970 of an RFC 3339 text; `None` if it has no zone, or finer digits.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    // chrono represents a leap second as more than a billion nanoseconds.
    let nanos = instant.timestamp_subsec_nanos();
    (nanos % 1_000 == 0 && nanos < 1_000_000_000).then(|| instant.timestamp_micros())
}

/// The days since 1970 of a text as `2013-01-31`.
pub(crate) fn date(text: &str) -> Option<i32> {
    let canonical = text.len() == 10 && text.is_ascii();
    let date = canonical.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()?;
    Some(Date32Type::from_naive_date(date))
}

/// Whether `value` is the integer that `text` spells, to the last digit.
fn holds_exactly(value: f64, text: &str) -> bool {
    // Below 2^53 a double holds every integer.
    value.abs() < 9_007_199_254_740_992.0 || format!("{value:.0}") == text
}

fn is_json_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent =
            exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_the_narrowest_type_that_keeps_all_of_it() {
        use ValueType::{Boolean, Float64, Int64, String};
        for (cell, expected) in [
            ("0", Int64),
            ("-7", Int64),
            ("9223372036854775807", Int64),
            ("9223372036854775808", Float64), // 2^63 is a double
            ("9223372036854775809", String),
            ("-0", Float64),
            ("1.50", Float64),
            ("1e3", Float64),
            ("1e999", String),
            ("007", String),
            ("+5", String),
            (".5", String),
            ("5.", String),
            ("NaN", String),
            ("true", Boolean),
            ("True", String),
            ("", String),
            (" 5", String),
        ] {
            assert_eq!(ValueType::of(cell), expected, "{cell}");
        }
    }

    #[test]
    fn the_error_for_an_unknown_type_lists_the_types() {
        insta::assert_snapshot!("text".parse::<ValueType>().unwrap_err(), @r#"unknown type "text"; use string, int64, float64, boolean, timestamp, date or json"#);
    }
}
