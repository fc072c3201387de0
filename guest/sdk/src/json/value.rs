//! The values of a column as JSON text, spelled as the host writes them to NDJSON.

use crate::Values;
use crate::contract::{number, time};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::value::RawValue;

impl Values {
    /// Appends the value at a position, as JSON on one line.
    pub(crate) fn write(&self, at: usize, out: &mut Vec<u8>) {
        match self {
            Values::Booleans(list) => plain(&list[at], out),
            Values::Int8s(list) => plain(&list[at], out),
            Values::Int16s(list) => plain(&list[at], out),
            Values::Int32s(list) => plain(&list[at], out),
            Values::Int64s(list) => plain(&list[at], out),
            Values::Timestamps(list) => named(time::timestamp(list[at]), list[at], out),
            Values::Dates(list) => named(time::date(list[at]), list[at], out),
            Values::Float32s(list) => float(list[at], out),
            Values::Float64s(list) => float(list[at], out),
            Values::Strings(list) | Values::Decimals(list) => plain(list.get(at), out),
            Values::Bytes(list) => plain(&BASE64.encode(list.get(at)), out),
            Values::BooleanLists(list) => plain(list.get(at), out),
            Values::Int64Lists(list) => plain(list.get(at), out),
            Values::Float32Lists(list) => floats(list.get(at), out),
            Values::Float64Lists(list) => floats(list.get(at), out),
            Values::StringLists(list) => plain(&list.get(at), out),
            Values::Json(list) => json(list.get(at), out),
        }
    }
}

pub(super) fn plain(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("it has a JSON text, and a vector room for it");
}

/// The text for a value; the number itself, where it has none.
fn named(text: Option<impl Serialize>, number: impl Serialize, out: &mut Vec<u8>) {
    match text {
        Some(text) => plain(&text, out),
        None => plain(&number, out),
    }
}

fn float<F: Serialize + Into<f64> + Copy>(value: F, out: &mut Vec<u8>) {
    named(number::name(value.into()), value, out);
}

fn floats<F: Serialize + Into<f64> + Copy>(values: &[F], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        float(*value, out);
    }
    out.push(b']');
}

/// A text that is JSON already; null, should it not be.
fn json(text: &str, out: &mut Vec<u8>) {
    match serde_json::from_str::<&RawValue>(text) {
        // A line end in JSON stands between two tokens, never in a string.
        Ok(value) => out.extend(
            value.get().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }),
        ),
        Err(_) => out.extend_from_slice(b"null"),
    }
}
