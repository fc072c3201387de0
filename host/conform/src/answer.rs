//! What a bundle answered, row by row, and the promises that its form keeps or breaks.

use super::breach::Breach;
use super::rows::count;
use super::session::Session;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use beamlet::raw::beamlet::enrichment::types::{Column, Enriched, Error, Values};
use beamlet::raw::flat;
use beamlet_contract::{Outcome, number, time};
use serde_json::{Value, json};

/// An error for a row. Two are equal when a runner would do the same with them.
#[derive(Clone, Debug)]
pub(super) struct RowError(pub(super) Error);

impl PartialEq for RowError {
    fn eq(&self, other: &Self) -> bool {
        let of = |error: &Error| (format!("{:?}", error.kind), error.retryable, error.http_status);
        of(&self.0) == of(&other.0)
    }
}

/// The answer for one row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered {
    pub(super) outcome: Outcome<RowError>,
    /// The fields that are not null, by name, as JSON.
    pub(super) fields: Vec<(String, Value)>,
}

impl Answered {
    /// What became of the row, in a word.
    pub(super) fn word(&self) -> &'static str {
        match &self.outcome {
            Outcome::NullKey => "a null key",
            outcome => outcome.name(),
        }
    }

    /// What became of the row, for a person: never a value.
    pub(super) fn told(&self) -> String {
        match &self.outcome {
            Outcome::Failed(error) => format!("failed ({})", kind(&error.0)),
            Outcome::Enriched if self.fields.len() == 1 => "enriched with 1 value".to_owned(),
            Outcome::Enriched => format!("enriched with {} values", self.fields.len()),
            _ => self.word().to_owned(),
        }
    }

    /// Whether there is an answer from the store in it, be it that it knows nothing.
    pub(super) fn is_answer(&self) -> bool {
        self.outcome.is_answer()
    }
}

/// The kind of an error, as the contract spells it.
pub(super) fn kind(error: &Error) -> String {
    beamlet::raw::error_kind(error.kind.clone()).to_string()
}

/// Reads answers, and notes each promise that their form breaks.
///
/// # Errors
/// The form is broken so that rows cannot be told apart.
pub(super) fn read(
    session: &Session<'_>,
    call: &str,
    answers: Vec<Enriched>,
) -> Result<Vec<Answered>, Breach> {
    let mut rows = Vec::new();
    for answer in answers {
        rows.extend(read_one(session, call, answer)?);
    }
    Ok(rows)
}

fn read_one(session: &Session<'_>, call: &str, answer: Enriched) -> Result<Vec<Answered>, Breach> {
    let size = answer.fields.rows as usize;
    let failed: Vec<u32> = answer.failures.iter().map(|failure| failure.row).collect();
    let lists =
        [("missing", &answer.missing), ("null-keys", &answer.null_keys), ("failures", &failed)];
    for (list, positions) in lists {
        positioned(session, call, list, positions, size);
    }
    let mut rows: Vec<Answered> =
        (0..size).map(|_| Answered { outcome: Outcome::Enriched, fields: Vec::new() }).collect();
    let mut set = |row: u32, outcome: Outcome<RowError>| {
        let Some(answered) = rows.get_mut(row as usize) else { return };
        if answered.outcome == Outcome::Enriched {
            answered.outcome = outcome;
        } else {
            let came = format!("row {row} is in two of them");
            let expected = "no row is in two of `missing`, `null-keys` and `failures`";
            session.note(call, "answers/disjoint", expected, came);
        }
    };
    answer.missing.iter().for_each(|row| set(*row, Outcome::Missing));
    answer.null_keys.iter().for_each(|row| set(*row, Outcome::NullKey));
    answer
        .failures
        .into_iter()
        .for_each(|failure| set(failure.row, Outcome::Failed(RowError(failure.error))));
    named(session, call, &answer.fields.columns, &rows);
    let columns = answer.fields.columns.len();
    for column in answer.fields.columns {
        let values = cells(session, call, &column, size)?;
        let filled = rows.iter_mut().zip(values);
        for (row, value) in filled.filter(|(_, value)| !value.is_null()) {
            row.fields.push((column.name.clone(), value));
        }
    }
    null_fields(session, call, columns, &rows);
    Ok(rows)
}

/// What enriches a row that is not enriched is null. Beside it there may be what the store
/// reports of a missing entity, such as a status.
fn null_fields(session: &Session<'_>, call: &str, columns: usize, rows: &[Answered]) {
    for (at, row) in rows.iter().enumerate() {
        let wrong = match row.outcome {
            Outcome::Enriched => false,
            Outcome::Failed(_) => !row.fields.is_empty(),
            Outcome::Missing | Outcome::NullKey => columns > 0 && row.fields.len() == columns,
        };
        if let Some((name, _)) = row.fields.first().filter(|_| wrong) {
            let expected = "a row that failed has null fields; one that is missing or has a null \
                            key has a null field";
            let came = format!("row {at} is {}, and its field `{name}` is not null", row.word());
            session.note(call, "answers/null-fields", expected, came);
        }
    }
}

/// The positions of a list: ascending, and of rows that there are.
fn positioned(session: &Session<'_>, call: &str, list: &str, positions: &[u32], rows: usize) {
    if let Some(pair) = positions.windows(2).find(|pair| pair[0] >= pair[1]) {
        let came = format!("in `{list}` {} stands before {}", pair[0], pair[1]);
        session.note(call, "answers/ascending", "positions that ascend", came);
    }
    if let Some(out) = positions.iter().find(|at| **at as usize >= rows) {
        let came = format!("`{list}` names row {out} of {rows}");
        session.note(call, "answers/in-range", "positions of rows of this answer", came);
    }
}

/// Names and types of the fields, against each other, those of before, and the declared ones.
fn named(session: &Session<'_>, call: &str, columns: &[Column], rows: &[Answered]) {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    if let Some(twice) = (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
        let came = format!("`{}` comes twice", names[twice]);
        session.note(call, "columns/unique", "a name for each field of an answer", came);
        return;
    }
    if names.is_empty() {
        if rows.iter().any(|row| row.outcome == Outcome::Enriched)
            && session.subject.declares_fields()
        {
            let came = "an answer with an enriched row and no field";
            session.note(call, "outputs/fields", "the fields that `outputs` tells", came);
        }
        return;
    }
    session.subject.compare_fields(session, call, columns, &names);
}

/// The values of a column as JSON, null where they are null.
fn cells(
    session: &Session<'_>,
    call: &str,
    column: &Column,
    rows: usize,
) -> Result<Vec<Value>, Breach> {
    let (name, has) = (&column.name, count(&column.values));
    if has != rows {
        let came = format!("field `{name}` holds {has} values in an answer for {rows} rows");
        return Err(session.broken(call, "columns/length", "as many values as rows", came));
    }
    let nulls = &column.nulls;
    let ascend = nulls.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascend || nulls.last().is_some_and(|last| *last as usize >= rows) {
        let came = format!("the nulls of field `{name}` do not ascend within {rows} rows");
        session.note(call, "columns/nulls", "ascending positions of rows", came);
    }
    let mut null = vec![false; rows];
    nulls.iter().for_each(|at| {
        if let Some(null) = null.get_mut(*at as usize) {
            *null = true;
        }
    });
    let broken_ends = || {
        let came =
            format!("the ends of the values of field `{name}` do not ascend to their length");
        let expected = "ends that do not descend, of texts at characters' boundaries, the last of \
                        them the length of all";
        session.broken(call, "columns/texts", expected, came)
    };
    let cells: Vec<Value> = match &column.values {
        Values::Booleans(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Int8s(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Int16s(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Int32s(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Int64s(list) => list.iter().map(|value| json!(value)).collect(),
        Values::Timestamps(list) => {
            let text =
                |micros: &i64| time::timestamp(*micros).map_or_else(|| json!(micros), Value::from);
            list.iter().map(text).collect()
        }
        Values::Dates(list) => {
            let text = |days: &i32| time::date(*days).map_or_else(|| json!(days), Value::from);
            list.iter().map(text).collect()
        }
        Values::Float32s(list) => list.iter().map(|value| float(f64::from(*value))).collect(),
        Values::Float64s(list) => list.iter().map(|value| float(*value)).collect(),
        Values::Strings(list) => {
            flat::texts(list).ok_or_else(broken_ends)?.into_iter().map(Value::from).collect()
        }
        Values::Decimals(list) => {
            let list = flat::texts(list).ok_or_else(broken_ends)?;
            let shown = list.iter().zip(&null).filter(|(_, null)| !**null);
            if shown.map(|(text, _)| text).any(|text| !is_decimal(text)) {
                let came = format!("a value of field `{name}` is no decimal number");
                session.note(call, "columns/decimals", "decimal notation, as in `-12.50`", came);
            }
            list.into_iter().map(Value::from).collect()
        }
        Values::Json(list) => {
            let parsed = flat::texts(list).ok_or_else(broken_ends)?.into_iter().zip(&null).map(
                |(text, null)| match null {
                    true => Ok(Value::Null),
                    false => serde_json::from_str(text),
                },
            );
            let parsed: Vec<Result<Value, serde_json::Error>> = parsed.collect();
            if parsed.iter().any(Result::is_err) {
                let came = format!("a value of field `{name}` is no JSON");
                session.note(call, "columns/json", "one JSON text per row", came);
            }
            parsed.into_iter().map(Result::unwrap_or_default).collect()
        }
        Values::Bytes(list) => {
            let values = flat::pieces(&list.bytes, &list.ends).ok_or_else(broken_ends)?;
            values.into_iter().map(|value| json!(BASE64.encode(value))).collect()
        }
        Values::BooleanLists(list) => {
            let lists = flat::pieces(&list.elements, &list.ends).ok_or_else(broken_ends)?;
            lists.into_iter().map(|list| json!(list)).collect()
        }
        Values::Int64Lists(list) => {
            let lists = flat::pieces(&list.elements, &list.ends).ok_or_else(broken_ends)?;
            lists.into_iter().map(|list| json!(list)).collect()
        }
        Values::Float32Lists(list) => {
            let lists = flat::pieces(&list.elements, &list.ends).ok_or_else(broken_ends)?;
            let list = |list: &[f32]| list.iter().map(|it| float(f64::from(*it))).collect();
            lists.into_iter().map(list).collect()
        }
        Values::Float64Lists(list) => {
            let lists = flat::pieces(&list.elements, &list.ends).ok_or_else(broken_ends)?;
            lists.into_iter().map(|list| list.iter().map(|it| float(*it)).collect()).collect()
        }
        Values::StringLists(list) => {
            let texts = flat::texts(&list.elements).ok_or_else(broken_ends)?;
            let lists = flat::pieces(&texts, &list.ends).ok_or_else(broken_ends)?;
            lists.into_iter().map(|list| json!(list)).collect()
        }
    };
    let hidden = cells.into_iter().zip(null);
    Ok(hidden.map(|(value, null)| if null { Value::Null } else { value }).collect())
}

/// An optional sign, digits, and perhaps a point with digits behind it.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    match text.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(text),
    }
}

/// A float, or the name of what JSON has no number for.
fn float(value: f64) -> Value {
    number::name(value).map_or_else(|| json!(value), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_digits_with_a_sign_and_a_point() {
        for text in ["0", "-12.50", "+7", "00.1"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", "-", "1.", ".5", "1e3", "NaN", "1.2.3", " 1"] {
            assert!(!is_decimal(text), "{text}");
        }
    }
}
