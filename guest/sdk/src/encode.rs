//! Values of rows as JSON in a request, converted to the type that the store takes.
//!
//! Stores disagree about integers alone: some read a 64-bit integer as a JSON number, others want
//! a decimal string, as a JSON parser may round a number above 2^53. [`Encoder`] holds that choice.

use crate::FieldType;
use crate::contract::number::{name, named};
use crate::contract::time;
use crate::datum::Datum;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use std::fmt;

/// The largest integer, and below zero the smallest, up to which a double holds every integer: JSON
/// parsers may round integers beyond it.
const EXACT: i64 = 1 << 53;

/// How a store takes 64-bit integers in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integers {
    /// As numbers.
    Numbers,
    /// As strings of their decimal digits. In JSON of no known type, only those that a parser may
    /// round.
    Strings,
}

/// Why a value cannot be sent. Its text says what can, for the end of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotEncoded {
    /// The value is not of a type that a join key can have.
    NotAKey,
    /// The value has no form in JSON.
    NotJson,
    /// The value cannot be converted to this type, which the store takes.
    NotOf(FieldType),
}

impl NotEncoded {
    fn not_of(of: &FieldType) -> Self {
        NotEncoded::NotOf(of.clone())
    }
}

impl fmt::Display for NotEncoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotEncoded::NotAKey => f.write_str("a join key is a string, an integer or null"),
            NotEncoded::NotJson => f.write_str(
                "request context is null, a boolean, a number, a string, a timestamp, a list or \
                 an object; send bytes as a string",
            ),
            NotEncoded::NotOf(of) => write!(f, "the service takes {of}"),
        }
    }
}

/// Appends values to the text of a request.
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    /// How the store takes 64-bit integers.
    pub integers: Integers,
}

impl Encoder {
    /// Appends a join key.
    ///
    /// # Errors
    /// It is not a string, an integer or null.
    pub fn key(self, out: &mut String, value: &Datum<'_>) -> Result<(), NotEncoded> {
        match value {
            Datum::Null => out.push_str("null"),
            Datum::Text(text) => push_string(out, text),
            Datum::Integer(key) => self.integer(out, *key),
            _ => return Err(NotEncoded::NotAKey),
        }
        Ok(())
    }

    /// Appends a value whose type in the store is not known.
    ///
    /// # Errors
    /// It has no form in JSON: bytes, or a [`Datum::Refused`].
    pub fn value(self, out: &mut String, value: &Datum<'_>) -> Result<(), NotEncoded> {
        match value {
            Datum::Null => out.push_str("null"),
            Datum::Boolean(value) => out.push_str(truth(*value)),
            Datum::Text(text) => push_string(out, text),
            Datum::Integer(value) => self.integer(out, *value),
            Datum::Float(value) => push_float(out, *value),
            Datum::Timestamp(micros) => {
                push_timestamp(out, *micros).ok_or(NotEncoded::NotJson)?;
            }
            Datum::Json(value) => self.constant(out, value),
            Datum::Bytes(_) | Datum::Refused(_) => return Err(NotEncoded::NotJson),
        }
        Ok(())
    }

    /// Appends a value as the type that the store takes. A value of another type that says the
    /// same is converted: `100` and `"100"` for a float64, `100.0` for an int64.
    ///
    /// # Errors
    /// It cannot be converted.
    pub fn typed(
        self,
        out: &mut String,
        value: &Datum<'_>,
        of: &FieldType,
    ) -> Result<(), NotEncoded> {
        match (of, value) {
            (FieldType::Json, value) => return self.value(out, value),
            (_, Datum::Null) => out.push_str("null"),
            (FieldType::Float32 | FieldType::Float64, Datum::Integer(value)) => {
                out.push_str(itoa::Buffer::new().format(*value));
            }
            (FieldType::Float32 | FieldType::Float64, Datum::Float(value)) => {
                push_float(out, *value);
            }
            (FieldType::Float32 | FieldType::Float64, Datum::Text(text)) => {
                push_float(out, number(text).ok_or_else(|| NotEncoded::not_of(of))?);
            }
            (FieldType::Int8 | FieldType::Int16 | FieldType::Int32 | FieldType::Int64, value) => {
                let value = match value {
                    Datum::Integer(value) => Some(*value),
                    Datum::Float(value) => whole(*value),
                    Datum::Text(text) => integer(text),
                    _ => None,
                };
                let value = value.filter(|value| within(*value, of));
                self.integer(out, value.ok_or_else(|| NotEncoded::not_of(of))?);
            }
            (FieldType::Boolean, Datum::Boolean(value)) => out.push_str(truth(*value)),
            (FieldType::Boolean, Datum::Text(text)) if matches!(&**text, "true" | "false") => {
                out.push_str(text);
            }
            (
                FieldType::String | FieldType::Timestamp | FieldType::Date | FieldType::Decimal,
                Datum::Text(text),
            ) => push_string(out, text),
            (FieldType::String | FieldType::Decimal, Datum::Integer(value)) => {
                push_digits(out, *value);
            }
            (FieldType::String | FieldType::Timestamp, Datum::Timestamp(micros)) => {
                push_timestamp(out, *micros).ok_or_else(|| NotEncoded::not_of(of))?;
            }
            (FieldType::Bytes, Datum::Bytes(bytes)) => push_string(out, &BASE64.encode(bytes)),
            (
                FieldType::Array(_) | FieldType::Map(_) | FieldType::Struct(_),
                Datum::Json(value),
            ) => self.json(out, value, of)?,
            _ => return Err(NotEncoded::not_of(of)),
        }
        Ok(())
    }

    /// Appends a JSON value as the type that the store takes, with every value inside it.
    ///
    /// # Errors
    /// It, or a value inside it, cannot be converted.
    pub fn json(self, out: &mut String, value: &Value, of: &FieldType) -> Result<(), NotEncoded> {
        match (of, value) {
            (FieldType::Array(element), Value::Array(elements)) => {
                let elements = elements.iter().map(|value| (None, value, &**element));
                self.members(out, ('[', ']'), elements)
            }
            (FieldType::Struct(fields), Value::Array(values)) if fields.len() == values.len() => {
                let values =
                    values.iter().zip(fields).map(|(value, member)| (None, value, &member.of));
                self.members(out, ('[', ']'), values)
            }
            (FieldType::Map(of), Value::Object(map)) => {
                let members = map.iter().map(|(name, value)| (Some(&**name), value, &**of));
                self.members(out, ('{', '}'), members)
            }
            (FieldType::Struct(fields), Value::Object(map)) => {
                // The server decides whether to refuse or to ignore an unknown member.
                let unknown = FieldType::Json;
                let of = |name: &str| fields.iter().find(|member| member.name == name);
                let members = map.iter().map(|(name, value)| {
                    (Some(&**name), value, of(name).map_or(&unknown, |member| &member.of))
                });
                self.members(out, ('{', '}'), members)
            }
            (FieldType::Array(_) | FieldType::Map(_) | FieldType::Struct(_), value)
                if !value.is_null() =>
            {
                Err(NotEncoded::not_of(of))
            }
            (of, value) => self.typed(out, &Datum::of_json(value.clone()), of),
        }
    }

    fn members<'v>(
        self,
        out: &mut String,
        (open, close): (char, char),
        members: impl Iterator<Item = (Option<&'v str>, &'v Value, &'v FieldType)>,
    ) -> Result<(), NotEncoded> {
        out.push(open);
        for (at, (name, value, of)) in members.enumerate() {
            if at > 0 {
                out.push(',');
            }
            if let Some(name) = name {
                push_string(out, name);
                out.push(':');
            }
            self.json(out, value, of)?;
        }
        out.push(close);
        Ok(())
    }

    /// Appends JSON of no known type as it is, except that integers that a parser may round go as
    /// strings where the store takes strings.
    pub fn constant(self, out: &mut String, value: &Value) {
        match self.integers {
            Integers::Numbers => out.push_str(&value.to_string()),
            Integers::Strings => out.push_str(&exact(value.clone()).to_string()),
        }
    }

    fn integer(self, out: &mut String, value: i64) {
        match self.integers {
            Integers::Numbers => out.push_str(itoa::Buffer::new().format(value)),
            Integers::Strings => push_digits(out, value),
        }
    }
}

/// The same value, with integers that a parser may round as strings of their digits.
fn exact(value: Value) -> Value {
    match value {
        Value::Number(number)
            if number.as_i64().is_some_and(|value| !(-EXACT..=EXACT).contains(&value)) =>
        {
            Value::String(number.to_string())
        }
        Value::Array(list) => list.into_iter().map(exact).collect(),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (key, exact(value))).collect())
        }
        other => other,
    }
}

/// Whether an integer is within the range of its type.
fn within(value: i64, of: &FieldType) -> bool {
    match of {
        FieldType::Int8 => i8::try_from(value).is_ok(),
        FieldType::Int16 => i16::try_from(value).is_ok(),
        FieldType::Int32 => i32::try_from(value).is_ok(),
        _ => true,
    }
}

/// Appends the decimal digits of an integer as a string.
fn push_digits(out: &mut String, value: i64) {
    out.push('"');
    out.push_str(itoa::Buffer::new().format(value));
    out.push('"');
}

/// Appends RFC 3339 in UTC, with a fraction of a second only where there is one.
fn push_timestamp(out: &mut String, micros: i64) -> Option<()> {
    push_string(out, &time::timestamp(micros)?);
    Some(())
}

fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// The number in a text: a JSON number, or one of the names of floats.
fn number(text: &str) -> Option<f64> {
    // Rust would take `inf` and `+1` too.
    let is_json = text.ends_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.strip_prefix('-').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit());
    match is_json {
        true => text.parse::<f64>().ok().filter(|value| value.is_finite()),
        false => named(text),
    }
}

/// The integer in a text: digits, and zeros behind a point, such as a decimal of two places has
/// them.
fn integer(text: &str) -> Option<i64> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok().filter(|_| !digits.starts_with('+'))
}

/// The integer that a float equals: it has no fraction and is within an int64.
fn whole(value: f64) -> Option<i64> {
    // The upper limit itself, 2^63, is a float and no int64.
    let within = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    (within && value.fract() == 0.0).then_some(value as i64)
}

/// Appends a number, or the name of a float that JSON has no number for.
fn push_float(out: &mut String, value: f64) {
    match name(value) {
        Some(name) => push_string(out, name),
        None => out.push_str(&Value::from(value).to_string()),
    }
}

/// Appends a text as a JSON string.
pub fn push_string(out: &mut String, text: &str) {
    let verbatim = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if verbatim {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn typed(integers: Integers, value: &Datum<'_>, of: &str) -> Result<String, String> {
        let mut out = String::new();
        let of = of.parse().unwrap();
        let encoded = Encoder { integers }.typed(&mut out, value, &of);
        encoded.map(|()| out).map_err(|why| why.to_string())
    }

    #[test]
    fn a_value_of_another_type_that_says_the_same_is_converted() {
        let text = |text: &'static str| Datum::Text(text.into());
        for (value, of, numbers, strings) in [
            (Datum::Integer(7), "float64", "7", "7"),
            (text("2.5"), "float64", "2.5", "2.5"),
            (text("7.00"), "int64", "7", "\"7\""),
            (Datum::Float(7.0), "int32", "7", "\"7\""),
            (Datum::Integer(7), "string", "\"7\"", "\"7\""),
            (Datum::Timestamp(1_500), "timestamp", "\"1970-01-01T00:00:00.001500Z\"", ""),
            (text("2024-02-29"), "date", "\"2024-02-29\"", ""),
            (text("-12.50"), "decimal", "\"-12.50\"", ""),
            (text("true"), "boolean", "true", ""),
            (Datum::Bytes(b"ab"), "bytes", "\"YWI=\"", ""),
            (Datum::Json(json!([1, null])), "array<int64>", "[1,null]", "[\"1\",null]"),
            (
                Datum::Json(json!({ "a": "1", "b": 9_007_199_254_740_993_i64 })),
                "struct<a: int64>",
                "{\"a\":1,\"b\":9007199254740993}",
                "{\"a\":\"1\",\"b\":\"9007199254740993\"}",
            ),
            (Datum::Null, "int64", "null", ""),
        ] {
            let strings = if strings.is_empty() { numbers } else { strings };
            assert_eq!(typed(Integers::Numbers, &value, of).as_deref(), Ok(numbers), "{of}");
            assert_eq!(typed(Integers::Strings, &value, of).as_deref(), Ok(strings), "{of}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_converted_names_the_type_that_the_store_takes() {
        for (value, of) in [
            (Datum::Integer(128), "int8"),
            (Datum::Float(1.5), "int64"),
            (Datum::Text("x".into()), "float64"),
            (Datum::Bytes(b"ab"), "string"),
            (Datum::Json(json!({})), "array<int64>"),
            (Datum::Json(json!([[1.5]])), "array<array<int64>>"),
        ] {
            let error = typed(Integers::Numbers, &value, of).unwrap_err();
            assert!(error.starts_with("the service takes "), "{of}: {error}");
        }
    }
}
