//! Writes values as JSON text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use beamlet_contract::number;
use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::de::IgnoredAny;

use crate::json_text;

/// An integer.
#[inline]
pub fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest text that reads back as the value.
#[inline]
pub fn float64(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() { scalar(&value, out) } else { not_finite(value, out) }
}

/// The shortest text of a float32. Values that are not finite are spelled as in the contract.
#[inline]
pub fn float32(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() { scalar(&value, out) } else { not_finite(value.into(), out) }
}

/// Spelled as in protobuf's JSON mapping.
fn not_finite(value: f64, out: &mut Vec<u8>) {
    quoted(number::name(value).unwrap_or(number::NAN), out);
}

/// A string, in quotes.
#[inline]
pub fn string(value: &str, out: &mut Vec<u8>) {
    scalar(value, out);
}

/// Bytes, as base64 in quotes.
#[inline]
pub fn bytes(value: &[u8], out: &mut Vec<u8>) {
    quoted(&BASE64.encode(value), out);
}

/// `123e4567-e89b-12d3-a456-426614174000`.
pub fn uuid(value: &[u8], out: &mut Vec<u8>) {
    let hex = |byte: u8| char::from_digit(byte.into(), 16).map_or(b'0', |it| it as u8);
    out.push(b'"');
    for (position, byte) in value.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([hex(byte >> 4), hex(byte & 15)]);
    }
    out.push(b'"');
}

/// `2013-01-01`. Fails if the date is outside of the calendar's range.
pub fn date(value: Option<NaiveDateTime>, out: &mut Vec<u8>) -> Result<(), String> {
    quoted(&value.ok_or("its date is out of range")?.date().to_string(), out);
    Ok(())
}

/// RFC 3339 in UTC, with as many groups of three fraction digits as the value has.
pub fn instant(value: Option<DateTime<Utc>>, out: &mut Vec<u8>) -> Result<(), String> {
    let value = value.ok_or("its timestamp is out of range")?;
    quoted(&value.to_rfc3339_opts(SecondsFormat::AutoSi, true), out);
    Ok(())
}

/// RFC 3339 without a zone, for a timestamp that has none.
pub fn local(value: Option<DateTime<Utc>>, out: &mut Vec<u8>) -> Result<(), String> {
    let value = value.ok_or("its timestamp is out of range")?;
    quoted(&format!("{:?}", value.naive_utc()), out);
    Ok(())
}

/// A text that a handler declares as JSON. It is checked, because one bad value would break the
/// file, and kept on one line.
pub fn embedded(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
        format!("it is marked as JSON but is not valid: {}", json_text::problem(&error))
    })?;
    // In JSON, a line end can only be between tokens, never in a string.
    out.extend(
        text.trim().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }),
    );
    Ok(())
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn scalar(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    serde_json::to_writer(out, value)
        .expect("a number or a string has a JSON text, and a vector room for it");
}
