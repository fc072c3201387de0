//! Runs a bundle, and reads its answers row by row. Each promise that their form breaks is noted.

use super::answer::{Answered, RowError, kind};
use super::breach::Breach;
use super::session::Session;
use super::values::{case, count, fits};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use beamlet::raw::beamlet::enrichment::types::{Batch, Column, Enriched, Error, Values};
use beamlet::raw::flat;
use beamlet_contract::{Outcome, number, time};
use serde_json::{Value, json};
use std::sync::PoisonError;
use wasmtime::component::ResourceAny;

/// The end of a bundle.
pub(super) enum Ran {
    /// With an answer for each row.
    Answered(Vec<Answered>),
    /// With an error for all of them.
    Refused(Error),
}

/// A bundle that is not finished.
pub(super) struct Running {
    bundle: ResourceAny,
    given: usize,
    answers: Vec<Answered>,
}

impl Session<'_> {
    /// Starts a bundle.
    pub(super) async fn begin(&mut self, handler: ResourceAny) -> Result<Running, Breach> {
        Ok(Running { bundle: self.start(handler).await?, given: 0, answers: Vec::new() })
    }

    /// Passes rows to a bundle. The inner error is the bundle's.
    pub(super) async fn give(
        &mut self,
        running: &mut Running,
        rows: &Batch,
    ) -> Result<Result<(), Error>, Breach> {
        running.given += rows.rows as usize;
        let answers = match self.process(running.bundle, rows).await? {
            Ok(answers) => answers,
            Err(error) => return Ok(Err(error)),
        };
        running.answers.extend(read(self, "bundle.process", answers)?);
        let (answered, given) = (running.answers.len(), running.given);
        if answered > given {
            let came = format!("{answered} rows were answered, but {given} were given");
            let expected = "never more answers than given rows";
            return Err(self.broken("bundle.process", "answers/not-ahead", expected, came));
        }
        Ok(Ok(()))
    }

    /// Finishes a bundle.
    pub(super) async fn end(&mut self, mut running: Running) -> Result<Ran, Breach> {
        let answers = match self.finish(running.bundle).await? {
            Ok(answers) => answers,
            Err(error) => return Ok(Ran::Refused(error)),
        };
        running.answers.extend(read(self, "bundle.finish", answers)?);
        let (answered, given) = (running.answers.len(), running.given);
        if answered != given {
            let came = format!("{answered} of {given} rows were answered");
            let expected = "each given row is answered exactly once";
            return Err(self.broken("bundle.finish", self.counted, expected, came));
        }
        Ok(Ran::Answered(running.answers))
    }

    /// Runs a bundle with a `process` call for each batch.
    pub(super) async fn bundle(
        &mut self,
        handler: ResourceAny,
        calls: &[Batch],
    ) -> Result<Ran, Breach> {
        let mut running = self.begin(handler).await?;
        for rows in calls {
            if let Err(error) = self.give(&mut running, rows).await? {
                self.drop(running.bundle).await?;
                return Ok(Ran::Refused(error));
            }
        }
        self.end(running).await
    }

    /// Runs a bundle. An error for the whole bundle is a breach of `check`.
    pub(super) async fn answers(
        &mut self,
        check: &'static str,
        handler: ResourceAny,
        calls: &[Batch],
    ) -> Result<Vec<Answered>, Breach> {
        let ran = self.bundle(handler, calls).await?;
        self.answered(check, ran)
    }

    /// The answers of a bundle. An error for the whole bundle is a breach of `check`.
    pub(super) fn answered(&self, check: &'static str, ran: Ran) -> Result<Vec<Answered>, Breach> {
        match ran {
            Ran::Answered(rows) => Ok(rows),
            Ran::Refused(error) => {
                let described = format!("{}: {}", kind(&error), error.message);
                let expected = "answers, as these rows got before";
                Err(self.breach(check, expected, format!("the bundle failed: {described}")))
            }
        }
    }

    /// Drops a bundle that has not been finished.
    pub(super) async fn abandon(&mut self, running: Running) -> Result<(), Breach> {
        self.drop(running.bundle).await
    }
}

/// Reads answers, and notes each promise that their form breaks.
///
/// # Errors
/// The form is so broken that rows cannot be separated.
fn read(
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

/// Checks that the features of a row that is not enriched are null. A missing entity can have other
/// fields, such as a status from the store.
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

/// Checks that the positions of a list ascend and are in range.
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

/// Checks the names and types of the fields: unique, declared, and in the same order as in other
/// answers.
fn named(session: &Session<'_>, call: &str, columns: &[Column], rows: &[Answered]) {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    if let Some(twice) = (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
        let came = format!("`{}` appears twice", names[twice]);
        session.note(call, "columns/unique", "a name for each field of an answer", came);
        return;
    }
    if names.is_empty() {
        if rows.iter().any(|row| row.outcome == Outcome::Enriched)
            && session.subject.declares_fields()
        {
            let came = "an answer with an enriched row and no field";
            session.note(call, "outputs/fields", "the fields that `outputs` declares", came);
        }
        return;
    }
    compare_fields(session, call, columns, &names);
}

/// The values of a column as JSON.
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
                let came = format!("a value of field `{name}` is not a decimal number");
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
                let came = format!("a value of field `{name}` is not JSON");
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

/// Whether a text is an optional sign, digits, and optionally a point with digits after it.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    match text.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(text),
    }
}

/// A float, or its name if JSON has no number for it.
fn float(value: f64) -> Value {
    number::name(value).map_or_else(|| json!(value), Value::from)
}

/// Compares the fields of an answer with the declared ones, and their order with that of earlier
/// answers.
fn compare_fields(session: &Session<'_>, call: &str, columns: &[Column], names: &[&str]) {
    if let Some(Some(declared)) = session.subject.outputs.get() {
        let unknown = names.iter().find(|name| declared.iter().all(|(known, _)| known != *name));
        let absent = declared.iter().find(|(known, _)| !names.contains(&known.as_str()));
        if let Some(name) = unknown {
            let came = format!("`{name}`, which `outputs` does not declare");
            session.note(call, "outputs/fields", "the fields that `outputs` declares", came);
        } else if let Some((name, _)) = absent {
            let came = format!("`{name}` is absent, although `outputs` declares it");
            session.note(call, "outputs/fields", "the fields that `outputs` declares", came);
        }
        for column in columns {
            let of = declared.iter().find(|(name, _)| *name == column.name);
            if let Some((name, of)) = of
                && !fits(&column.values, of)
            {
                let came = format!("`{name}` came as {}", case(&column.values));
                let expected = format!("values of the type that `outputs` declares: {of}");
                session.note(call, "outputs/types", expected, came);
            }
        }
    }
    let mut order = session.subject.order.lock().unwrap_or_else(PoisonError::into_inner);
    let first = order.get_or_insert_with(|| names.iter().map(ToString::to_string).collect());
    let same = |name: &&str| first.iter().any(|known| known == name);
    if first.iter().ne(names) && first.len() == names.len() && names.iter().all(same) {
        let came = format!("{}, and before {}", names.join(", "), first.join(", "));
        drop(order);
        session.note(call, "outputs/order", "fields in one order in all answers", came);
    }
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
