//! Answers, joined on to their rows.

use super::error::error_json;
use super::row::Row;
use super::value::plain;
use crate::contract::Outcome;
use crate::{Enriched, Error};
use serde_json::{Value, json};

/// Calls `each` with each row's position and text, features and all but the closing brace, in
/// the order of the rows, and with what became of it.
///
/// The row's own fields come first, byte for byte, and the features after them; where both have
/// a name, the row's own value stays. A row that failed has no features where `failed` is false,
/// else null ones.
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
            plain(&column.name, &mut key);
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

/// A comma, where the object that is being written has a member.
pub(super) fn next_member(out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
}

/// What became of each row of an answer.
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
