//! Values on the wire: how Tecton wants join keys and request context in JSON.

use crate::expression::Datum;
use serde_json::Value;

/// The greatest integer, and below zero the least, that a double holds with all before it:
/// JSON parsers may round what is beyond.
const EXACT: i64 = 1 << 53;

/// Why a value cannot go out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NoKey,
    NoContext,
}

impl Refused {
    /// What can, in words.
    pub(crate) fn why(&self) -> &'static str {
        match self {
            Refused::NoKey => "a join key is a string, an integer or null",
            Refused::NoContext => {
                "request context is null, a boolean, a number, a string, a timestamp, a list or an object; of bytes, send a text"
            }
        }
    }
}

/// Appends a join key.
pub(crate) fn push_key(out: &mut String, value: &Datum<'_>) -> Result<(), Refused> {
    match value {
        Datum::Null => out.push_str("null"),
        Datum::Text(text) => push_string(out, text),
        Datum::Integer(key) => push_integer(out, *key),
        _ => return Err(Refused::NoKey),
    }
    Ok(())
}

/// Appends a value of the request context.
pub(crate) fn push_context(out: &mut String, value: &Datum<'_>) -> Result<(), Refused> {
    match value {
        Datum::Null => out.push_str("null"),
        Datum::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Datum::Text(text) => push_string(out, text),
        Datum::Integer(value) => push_integer(out, *value),
        Datum::Float(value) => push_float(out, *value),
        Datum::Timestamp(micros) => push_timestamp(out, *micros).ok_or(Refused::NoContext)?,
        Datum::Json(value) => out.push_str(&constant(value.clone()).to_string()),
        Datum::Bytes(_) | Datum::Refused(_) => return Err(Refused::NoContext),
    }
    Ok(())
}

/// A decimal string: an int64 that goes out as a number loses digits in JSON parsers.
fn push_integer(out: &mut String, value: i64) {
    out.push('"');
    out.push_str(itoa::Buffer::new().format(value));
    out.push('"');
}

/// A number, or the name of what JSON has no number for.
fn push_float(out: &mut String, value: f64) {
    match value {
        _ if value.is_nan() => out.push_str("\"NaN\""),
        f64::INFINITY => out.push_str("\"Infinity\""),
        f64::NEG_INFINITY => out.push_str("\"-Infinity\""),
        _ => out.push_str(&Value::from(value).to_string()),
    }
}

/// RFC 3339 in UTC, with microseconds where there are any.
fn push_timestamp(out: &mut String, micros: i64) -> Option<()> {
    let at = chrono::DateTime::from_timestamp_micros(micros)?;
    let form = if micros.rem_euclid(1_000_000) == 0 {
        chrono::SecondsFormat::Secs
    } else {
        chrono::SecondsFormat::Micros
    };
    push_string(out, &at.to_rfc3339_opts(form, true));
    Some(())
}

/// A JSON value that is sent as it is, but for integers that a parser might round: those go as
/// decimal strings.
pub(crate) fn constant(value: Value) -> Value {
    match value {
        Value::Number(number)
            if number.as_i64().is_some_and(|value| !(-EXACT..=EXACT).contains(&value)) =>
        {
            Value::String(number.to_string())
        }
        Value::Array(list) => list.into_iter().map(constant).collect(),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (key, constant(value))).collect())
        }
        other => other,
    }
}

/// Appends a text as a JSON string.
pub(crate) fn push_string(out: &mut String, text: &str) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}
