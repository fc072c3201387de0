//! Values on the wire: how Tecton wants join keys and request context in JSON.

use crate::expression::Datum;
use beamlet_guest::FieldType;
use beamlet_guest::contract::number::{name, named};
use serde_json::Value;
use std::borrow::Cow;

/// The greatest integer, and below zero the least, that a double holds with all before it:
/// JSON parsers may round what is beyond.
const EXACT: i64 = 1 << 53;

/// Why a value cannot go out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NoKey,
    NoContext,
    /// The service takes another type.
    NotOf(String),
}

impl Refused {
    fn not_of(of: &FieldType) -> Self {
        Refused::NotOf(of.to_string())
    }

    /// What can, in words.
    pub(crate) fn why(&self) -> Cow<'static, str> {
        match self {
            Refused::NoKey => "a join key is a string, an integer or null".into(),
            Refused::NoContext => {
                "request context is null, a boolean, a number, a string, a timestamp, a list or an object; of bytes, send a text".into()
            }
            Refused::NotOf(of) => format!("the service takes {of}").into(),
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
        Datum::Boolean(value) => out.push_str(truth(*value)),
        Datum::Text(text) => push_string(out, text),
        Datum::Integer(value) => push_integer(out, *value),
        Datum::Float(value) => push_float(out, *value),
        Datum::Timestamp(micros) => push_timestamp(out, *micros).ok_or(Refused::NoContext)?,
        Datum::Json(value) => out.push_str(&constant(value.clone()).to_string()),
        Datum::Bytes(_) | Datum::Refused(_) => return Err(Refused::NoContext),
    }
    Ok(())
}

/// Appends a value of the request context as the type that the service takes for it: a float as a
/// number, an int64 as a decimal string. What says the same in another type is converted: `100`
/// and `"100"` for a float64, `100.0` for an int64.
pub(crate) fn push_typed(
    out: &mut String,
    value: &Datum<'_>,
    of: &FieldType,
) -> Result<(), Refused> {
    match (of, value) {
        (FieldType::Json, value) => return push_context(out, value),
        (_, Datum::Null) => out.push_str("null"),
        (FieldType::Float32 | FieldType::Float64, Datum::Integer(value)) => {
            out.push_str(itoa::Buffer::new().format(*value));
        }
        (FieldType::Float32 | FieldType::Float64, Datum::Float(value)) => push_float(out, *value),
        (FieldType::Float32 | FieldType::Float64, Datum::Text(text)) => {
            push_float(out, number(text).ok_or_else(|| Refused::not_of(of))?);
        }
        (FieldType::Int64, Datum::Integer(value)) => push_integer(out, *value),
        (FieldType::Int64, Datum::Float(value)) => {
            push_integer(out, whole(*value).ok_or_else(|| Refused::not_of(of))?);
        }
        (FieldType::Int64, Datum::Text(text)) => {
            push_integer(out, integer(text).ok_or_else(|| Refused::not_of(of))?);
        }
        (FieldType::Boolean, Datum::Boolean(value)) => out.push_str(truth(*value)),
        (FieldType::Boolean, Datum::Text(text)) if matches!(&**text, "true" | "false") => {
            out.push_str(text);
        }
        (FieldType::String | FieldType::Timestamp, Datum::Text(text)) => push_string(out, text),
        (FieldType::String, Datum::Integer(value)) => push_integer(out, *value),
        (FieldType::String | FieldType::Timestamp, Datum::Timestamp(micros)) => {
            push_timestamp(out, *micros).ok_or_else(|| Refused::not_of(of))?;
        }
        (FieldType::Array(_) | FieldType::Map(_) | FieldType::Struct(_), Datum::Json(value)) => {
            push_json(out, value, of)?
        }
        _ => return Err(Refused::not_of(of)),
    }
    Ok(())
}

/// Appends a JSON value as the type that the service takes for it.
pub(crate) fn push_json(out: &mut String, value: &Value, of: &FieldType) -> Result<(), Refused> {
    match (of, value) {
        (FieldType::Array(element), Value::Array(elements)) => {
            let elements = elements.iter().map(|value| (None, value, &**element));
            push_members(out, ('[', ']'), elements)
        }
        (FieldType::Struct(fields), Value::Array(values)) if fields.len() == values.len() => {
            let values = values.iter().zip(fields).map(|(value, member)| (None, value, &member.of));
            push_members(out, ('[', ']'), values)
        }
        (FieldType::Map(of), Value::Object(map)) => {
            let members = map.iter().map(|(name, value)| (Some(&**name), value, &**of));
            push_members(out, ('{', '}'), members)
        }
        (FieldType::Struct(fields), Value::Object(map)) => {
            // A member that the type does not have is the server's to refuse or to ignore.
            let unknown = FieldType::Json;
            let of = |name: &str| fields.iter().find(|member| member.name == name);
            let members = map.iter().map(|(name, value)| {
                (Some(&**name), value, of(name).map_or(&unknown, |member| &member.of))
            });
            push_members(out, ('{', '}'), members)
        }
        (FieldType::Array(_) | FieldType::Map(_) | FieldType::Struct(_), value)
            if !value.is_null() =>
        {
            Err(Refused::not_of(of))
        }
        (of, value) => push_typed(out, &Datum::of_json(value.clone()), of),
    }
}

fn push_members<'v>(
    out: &mut String,
    (open, close): (char, char),
    members: impl Iterator<Item = (Option<&'v str>, &'v Value, &'v FieldType)>,
) -> Result<(), Refused> {
    out.push(open);
    for (at, (name, value, of)) in members.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if let Some(name) = name {
            push_string(out, name);
            out.push(':');
        }
        push_json(out, value, of)?;
    }
    out.push(close);
    Ok(())
}

fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// The number that a text is, as JSON or one of the three names has it.
fn number(text: &str) -> Option<f64> {
    // Rust would take `inf` and `+1` too.
    let is_json = text.ends_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.strip_prefix('-').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit());
    match is_json {
        true => text.parse::<f64>().ok().filter(|value| value.is_finite()),
        false => named(text),
    }
}

/// The integer that a text is: digits, and zeros behind a point, as a decimal of two places has
/// them.
fn integer(text: &str) -> Option<i64> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok().filter(|_| !digits.starts_with('+'))
}

/// The integer that a float is, where it has no fraction and is within an int64.
fn whole(value: f64) -> Option<i64> {
    // The upper limit itself, 2^63, is a float and no int64.
    let within = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    (within && value.fract() == 0.0).then_some(value as i64)
}

/// A decimal string: an int64 that goes out as a number loses digits in JSON parsers.
fn push_integer(out: &mut String, value: i64) {
    out.push('"');
    out.push_str(itoa::Buffer::new().format(value));
    out.push('"');
}

/// A number, or the name of what JSON has no number for.
fn push_float(out: &mut String, value: f64) {
    match name(value) {
        Some(name) => push_string(out, name),
        None => out.push_str(&Value::from(value).to_string()),
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
