//! The values of a column as JSON text.

use crate::Values;
use serde::Serialize;
use serde_json::value::RawValue;

impl Values {
    /// Appends the value at a position, as JSON on one line.
    pub(super) fn write(&self, at: usize, out: &mut Vec<u8>) {
        match self {
            Values::Booleans(list) => plain(&list[at], out),
            Values::Int8s(list) => plain(&list[at], out),
            Values::Int16s(list) => plain(&list[at], out),
            Values::Int32s(list) | Values::Dates(list) => plain(&list[at], out),
            Values::Int64s(list) | Values::Timestamps(list) => plain(&list[at], out),
            Values::Float32s(list) => float(list[at], out),
            Values::Float64s(list) => float(list[at], out),
            Values::Strings(list) | Values::Decimals(list) => plain(list.get(at), out),
            Values::Bytes(list) => plain(&list[at], out),
            Values::BooleanLists(list) => plain(&list[at], out),
            Values::Int64Lists(list) => plain(&list[at], out),
            Values::Float32Lists(list) => floats(&list[at], out),
            Values::Float64Lists(list) => floats(&list[at], out),
            Values::StringLists(list) => plain(&list[at], out),
            Values::Json(list) => json(list.get(at), out),
        }
    }
}

pub(super) fn plain(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("it has a JSON text, and a vector room for it");
}

/// A float as protobuf's JSON writes it.
fn float<F: Serialize + Into<f64> + Copy>(value: F, out: &mut Vec<u8>) {
    let wide: f64 = value.into();
    match wide {
        _ if wide.is_finite() => plain(&value, out),
        f64::INFINITY => plain("Infinity", out),
        f64::NEG_INFINITY => plain("-Infinity", out),
        _ => plain("NaN", out),
    }
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
