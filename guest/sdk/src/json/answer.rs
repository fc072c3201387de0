//! Answers as JSON, appended to the text of their rows.

use super::row::Row;
use crate::contract::{Outcome, number, time};
use crate::{Enriched, Error, Values};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Calls `each` for each row, in order: with its position, its text with the features and without
/// the closing brace, and its outcome.
///
/// The row's own fields come first, byte for byte, and the features after them. Where both have a
/// field of one name, the row's own stays. `failed` says whether a row that failed gets null
/// features, or none.
pub fn splice(
    rows: &[Row<'_>],
    answers: &[Enriched],
    failed: bool,
    mut each: impl FnMut(usize, &mut Vec<u8>, Outcome<&Error>),
) {
    let mut out = Vec::new();
    let mut first = 0;
    for answer in answers {
        let mut columns = Vec::with_capacity(answer.fields.columns.len());
        for column in &answer.fields.columns {
            let mut key = Vec::new();
            serialize(&column.name, &mut key);
            key.push(b':');
            columns.push((column, key, column.null_mask()));
        }
        let outcomes = outcomes(answer);
        for (at, outcome) in outcomes.into_iter().enumerate() {
            let Some(row) = rows.get(first + at) else { return };
            out.clear();
            row.open(&mut out);
            if failed || !matches!(outcome, Outcome::Failed(_)) {
                for (column, key, nulls) in &columns {
                    if row.has(&column.name) {
                        continue;
                    }
                    next_member(&mut out);
                    out.extend_from_slice(key);
                    match nulls[at] {
                        true => out.extend_from_slice(b"null"),
                        false => column.values.write(at, &mut out),
                    }
                }
            }
            each(first + at, &mut out, outcome);
        }
        first += answer.fields.rows as usize;
    }
}

/// Writes a comma, where the object has a member already.
fn next_member(out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
}

/// The outcome of each row of an answer.
fn outcomes(answer: &Enriched) -> Vec<Outcome<&Error>> {
    let mut outcomes = vec![Outcome::Enriched; answer.fields.rows as usize];
    let mut set = |row: u32, outcome| {
        if let Some(place) = outcomes.get_mut(row as usize) {
            *place = outcome;
        }
    };
    answer.missing.iter().for_each(|row| set(*row, Outcome::Missing));
    answer.null_keys.iter().for_each(|row| set(*row, Outcome::NullKey));
    answer.failures.iter().for_each(|failure| set(failure.row, Outcome::Failed(&failure.error)));
    outcomes
}

/// The answer of `enrichment-json.enrich`.
pub(super) fn join(rows: &[Row<'_>], answers: &[Enriched]) -> String {
    let (mut missing, mut null_keys, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    let mut text = b"{\"rows\":[".to_vec();
    splice(rows, answers, true, |at, row, outcome| {
        if at > 0 {
            text.push(b',');
        }
        text.append(row);
        text.push(b'}');
        match outcome {
            Outcome::Enriched => {}
            Outcome::Missing => missing.push(at),
            Outcome::NullKey => null_keys.push(at),
            Outcome::Failed(error) => {
                failures.push(json!({ "row": at, "error": error_json(error) }));
            }
        }
    });
    let rest = [
        ("missing", Value::from(missing)),
        ("null_keys", Value::from(null_keys)),
        ("failures", Value::from(failures)),
    ];
    text.push(b']');
    for (name, list) in rest {
        text.extend_from_slice(format!(",\"{name}\":{list}").as_bytes());
    }
    text.push(b'}');
    String::from_utf8(text).expect("rows are text, and so is JSON")
}

/// An error as a JSON object: `kind`, `message`, `retryable`, and, where they are known,
/// `retry_after_ms` and `http_status`.
pub fn error_json(error: &Error) -> Value {
    let mut object = json!({
        "kind": error.kind.name(),
        "message": error.message,
        "retryable": error.retryable,
    });
    if let Some(wait) = error.retry_after_ms {
        object["retry_after_ms"] = wait.into();
    }
    if let Some(status) = error.http_status {
        object["http_status"] = status.into();
    }
    object
}

impl Values {
    /// Appends the value at a position as JSON on one line, spelled as the host writes NDJSON.
    pub(crate) fn write(&self, at: usize, out: &mut Vec<u8>) {
        match self {
            Values::Booleans(list) => serialize(&list[at], out),
            Values::Int8s(list) => serialize(&list[at], out),
            Values::Int16s(list) => serialize(&list[at], out),
            Values::Int32s(list) => serialize(&list[at], out),
            Values::Int64s(list) => serialize(&list[at], out),
            Values::Timestamps(list) => text_or_number(time::timestamp(list[at]), list[at], out),
            Values::Dates(list) => text_or_number(time::date(list[at]), list[at], out),
            Values::Float32s(list) => float(list[at], out),
            Values::Float64s(list) => float(list[at], out),
            Values::Strings(list) | Values::Decimals(list) => serialize(list.get(at), out),
            Values::Bytes(list) => serialize(&BASE64.encode(list.get(at)), out),
            Values::BooleanLists(list) => serialize(list.get(at), out),
            Values::Int64Lists(list) => serialize(list.get(at), out),
            Values::Float32Lists(list) => floats(list.get(at), out),
            Values::Float64Lists(list) => floats(list.get(at), out),
            Values::StringLists(list) => serialize(&list.get(at), out),
            Values::Json(list) => json(list.get(at), out),
        }
    }
}

fn serialize(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("it has a JSON text, and a vector room for it");
}

/// Appends the text of a value, or the number itself where it has none.
fn text_or_number(text: Option<impl Serialize>, number: impl Serialize, out: &mut Vec<u8>) {
    match text {
        Some(text) => serialize(&text, out),
        None => serialize(&number, out),
    }
}

fn float<F: Serialize + Into<f64> + Copy>(value: F, out: &mut Vec<u8>) {
    text_or_number(number::name(value.into()), value, out);
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

/// Appends a text that is JSON; null where it is not.
fn json(text: &str, out: &mut Vec<u8>) {
    match serde_json::from_str::<&RawValue>(text) {
        // A line end in JSON stands between two tokens, never in a string.
        Ok(value) => out.extend(
            value.get().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }),
        ),
        Err(_) => out.extend_from_slice(b"null"),
    }
}
