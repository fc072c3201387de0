//! The handler under test, with what all checks share: its configuration, rows to ask for, and
//! what has been found out so far.

use super::answer::Answered;
use super::breach::Breach;
use super::bundle::Ran;
use super::rows::{self, Row};
use super::session::Session;
use beamlet::plugin::{Plugin, Setup};
use beamlet::raw::beamlet::enrichment::types::{Batch, Column, Diagnostic, Values};
use beamlet::raw::exports::beamlet::enrichment::enrichment_handler as wit;
use beamlet_contract::Outcome;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use tokio::sync::OnceCell;

/// How many of the author's rows are asked for in most checks.
const SAMPLES: usize = 12;
/// How many rows are made that no store knows.
const MADE: u64 = 5;

/// The handler under test.
pub(super) struct Subject {
    pub(super) plugin: Plugin,
    pub(super) setup: Setup,
    /// The configuration as the handler is given it.
    pub(super) config: Value,
    /// The author's rows, as the columns that the handler reads; without any, columns of texts.
    pub(super) samples: Batch,
    /// Rows of the check with many.
    pub(super) many: u32,
    /// The fields that the handler reads, as it told first.
    pub(super) inputs: Vec<wit::Input>,
    found: Mutex<Vec<Breach>>,
    /// The fields that come out, as the store told first; `None` where it did not.
    outputs: OnceCell<Option<Vec<(String, String)>>>,
    /// The order of the fields in the first answer that had any.
    order: Mutex<Option<Vec<String>>>,
    ordinary: OnceCell<Result<Ordinary, Breach>>,
}

/// What the handler answers to ordinary rows.
#[derive(Clone)]
pub(super) struct Ordinary {
    pub(super) rows: Vec<Row>,
    pub(super) answers: Vec<Answered>,
    /// Fields that differed when the same rows were asked for twice: a clock, a random number.
    volatile: Vec<String>,
}

impl Subject {
    pub(super) fn new(
        plugin: Plugin,
        setup: Setup,
        config: Value,
        samples: Batch,
        many: u32,
    ) -> Self {
        Subject {
            plugin,
            setup,
            config,
            samples,
            many,
            inputs: Vec::new(),
            found: Mutex::default(),
            outputs: OnceCell::new(),
            order: Mutex::default(),
            ordinary: OnceCell::new(),
        }
    }

    /// Notes a breach; of a check, the first one counts.
    pub(super) fn note(&self, breach: Breach) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.iter().all(|known| known.check != breach.check) {
            found.push(breach);
        }
    }

    /// The breaches so far.
    pub(super) fn found(&self) -> Vec<Breach> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A handler's words, without a secret.
    pub(super) fn redact(&self, text: String) -> String {
        let text = self.setup.egress.secrets().redact(text);
        match text.char_indices().nth(600) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// Problems on one line.
    pub(super) fn told_problems(&self, problems: &[Diagnostic]) -> String {
        let line = |problem: &Diagnostic| format!("{:?}: {}", problem.path, problem.message);
        let lines: Vec<String> = problems.iter().take(5).map(line).collect();
        let count = problems.len();
        let text = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
        self.redact(if lines.is_empty() { text } else { format!("{text}: {}", lines.join("; ")) })
    }

    /// The names of the fields that the handler reads.
    pub(super) fn input_names(&self) -> Vec<String> {
        self.inputs.iter().map(|input| input.name.clone()).collect()
    }

    /// Rows as the handler is shown them.
    pub(super) fn batch(&self, rows: &[Row]) -> Batch {
        rows::batch(&self.samples, rows)
    }

    /// Some of the author's rows, made ones, and one of nulls.
    pub(super) fn ordinary_rows(&self) -> Vec<Row> {
        let samples = (0..(self.samples.rows as usize).min(SAMPLES)).map(Row::Sample);
        samples.chain((0..MADE).map(Row::Made)).chain([Row::Null]).collect()
    }

    /// The same, of rows that ask the store for something.
    pub(super) fn rows_with_keys(&self) -> Vec<Row> {
        self.ordinary_rows().into_iter().filter(|row| *row != Row::Null).collect()
    }

    /// What the handler answers to them, in a bundle of one call; every check that compares
    /// answers does so with these.
    pub(super) async fn ordinary(&self) -> Result<&Ordinary, Breach> {
        let asked = self.ordinary.get_or_init(|| async {
            self.ask_outputs().await?;
            let rows = self.ordinary_rows();
            let first = self.ask_afresh(&rows).await?;
            let second = self.ask_afresh(&rows).await?;
            let volatile = volatile(&first, &second);
            Ok(Ordinary { rows, answers: first, volatile })
        });
        asked.await.as_ref().map_err(Clone::clone)
    }

    async fn ask_afresh(&self, rows: &[Row]) -> Result<Vec<Answered>, Breach> {
        let (mut session, handler) = Session::ready(self, "lifecycle/one-bundle", None).await?;
        session.doing = format!("{} in one bundle", told(rows));
        match session.bundle(handler, &[self.batch(rows)]).await? {
            Ran::Answered(rows) => Ok(rows),
            Ran::Refused(error) => {
                let came = format!(
                    "the bundle failed: {}: {}",
                    super::answer::kind(&error),
                    error.message
                );
                let expected = "an answer for each row: the store is there, and the keys are of \
                                its type";
                Err(session.breach("lifecycle/one-bundle", expected, came))
            }
        }
    }

    async fn ask_outputs(&self) -> Result<(), Breach> {
        if self.outputs.initialized() {
            return Ok(());
        }
        let (mut session, handler) = Session::ready(self, "outputs/declared", None).await?;
        let told = session.outputs(handler).await?.ok();
        let field = |wit::Field { name, type_ }: wit::Field| (name, type_);
        let told = told.map(|fields| fields.into_iter().map(field).collect());
        let _ = self.outputs.set(told);
        Ok(())
    }

    /// Whether the store tells of fields that come out.
    pub(super) fn declares_fields(&self) -> bool {
        matches!(self.outputs.get(), Some(Some(fields)) if !fields.is_empty())
    }

    /// Compares the fields of an answer with those that were declared, and their order with that
    /// of the answers before.
    pub(super) fn compare_fields(
        &self,
        session: &Session<'_>,
        call: &str,
        columns: &[Column],
        names: &[&str],
    ) {
        if let Some(Some(declared)) = self.outputs.get() {
            let unknown =
                names.iter().find(|name| declared.iter().all(|(known, _)| known != *name));
            let absent = declared.iter().find(|(known, _)| !names.contains(&known.as_str()));
            if let Some(name) = unknown {
                let came = format!("`{name}` came, which `outputs` does not tell");
                session.note(call, "outputs/fields", "the fields that `outputs` tells", came);
            } else if let Some((name, _)) = absent {
                let came = format!("`{name}` did not come, which `outputs` tells");
                session.note(call, "outputs/fields", "the fields that `outputs` tells", came);
            }
            for column in columns {
                let of = declared.iter().find(|(name, _)| *name == column.name);
                if let Some((name, of)) = of
                    && !super::outputs::fits(&column.values, of)
                {
                    let came = format!("`{name}` came as {}", case(&column.values));
                    let expected = format!("values of the type that `outputs` tells: {of}");
                    session.note(call, "outputs/types", expected, came);
                }
            }
        }
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let first = order.get_or_insert_with(|| names.iter().map(ToString::to_string).collect());
        let same = |name: &&str| first.iter().any(|known| known == name);
        if first.iter().ne(names) && first.len() == names.len() && names.iter().all(same) {
            let came = format!("{}, and before {}", names.join(", "), first.join(", "));
            drop(order);
            session.note(call, "outputs/order", "fields in one order in all answers", came);
        }
    }
}

impl Ordinary {
    /// Whether any two rows got different answers: else their order cannot be seen.
    pub(super) fn are_told_apart(&self) -> bool {
        let known = self.answers.iter().filter(|row| row.outcome == Outcome::Enriched);
        let known: Vec<Answered> = known.map(|row| self.stable(row)).collect();
        known.windows(2).any(|pair| pair[0] != pair[1])
    }

    /// How many rows the store knows.
    pub(super) fn known(&self) -> usize {
        self.answers.iter().filter(|row| row.outcome == Outcome::Enriched).count()
    }

    /// A row without what changes by itself.
    fn stable(&self, row: &Answered) -> Answered {
        let fields = row.fields.iter().filter(|(name, _)| !self.volatile.contains(name));
        let mut fields: Vec<_> = fields.cloned().collect();
        // Their order is a promise of its own.
        fields.sort_by(|(first, _), (second, _)| first.cmp(second));
        Answered { outcome: row.outcome.clone(), fields }
    }

    /// Whether a field changes by itself.
    pub(super) fn is_volatile(&self, field: &str) -> bool {
        self.volatile.iter().any(|name| name == field)
    }

    /// Compares answers with those that were expected, as the promise of `check`; right answers
    /// in another order break that of `answers/order`, where no late store has brought them so.
    pub(super) fn compare(
        &self,
        session: &Session<'_>,
        check: &'static str,
        expected: &[Answered],
        came: &[Answered],
    ) -> Result<(), Breach> {
        let of = |rows: &[Answered]| rows.iter().map(|row| self.stable(row)).collect::<Vec<_>>();
        let (expected, came) = (of(expected), of(came));
        if expected == came {
            return Ok(());
        }
        let sorted = |rows: &[Answered]| {
            let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
            rows.sort_unstable();
            rows
        };
        let differs = |(first, second): &(&Answered, &Answered)| first != second;
        let at = expected.iter().zip(&came).position(|pair| differs(&pair)).unwrap_or_default();
        let (wanted, got) = (expected[at].told(), came[at].told());
        if check != "answers/late" && sorted(&expected) == sorted(&came) {
            let came = format!("all answers are right, and row {at} has that of another row");
            return Err(session.breach("answers/order", "answers in the order of the rows", came));
        }
        let expected = format!("row {at} {wanted}, as when these rows were first asked for");
        let came = if wanted == got {
            format!("row {at} {got}, and the values are others")
        } else {
            format!("row {at} {got}")
        };
        Err(session.breach(check, expected, came))
    }
}

/// The fields that differ between two answers for the same rows.
fn volatile(first: &[Answered], second: &[Answered]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (first, second) in first.iter().zip(second) {
        for (name, value) in &first.fields {
            let other = second.fields.iter().find(|(other, _)| other == name);
            if other.is_none_or(|(_, other)| other != value) && !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

/// Rows in a sentence.
pub(super) fn told(rows: &[Row]) -> String {
    let count = |is: fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
    let parts = [
        (count(|row| matches!(row, Row::Sample(_))), "of yours"),
        (count(|row| matches!(row, Row::Made(_))), "that no store knows"),
        (count(|row| *row == Row::Null), "of nulls"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let noun = if rows.len() == 1 { "row" } else { "rows" };
    format!("{} {noun} ({})", rows.len(), parts.join(", "))
}

/// The case of a variant of `values`, as the contract spells it.
pub(super) fn case(values: &Values) -> &'static str {
    match values {
        Values::Booleans(_) => "booleans",
        Values::Int8s(_) => "int8s",
        Values::Int16s(_) => "int16s",
        Values::Int32s(_) => "int32s",
        Values::Int64s(_) => "int64s",
        Values::Float32s(_) => "float32s",
        Values::Float64s(_) => "float64s",
        Values::Strings(_) => "strings",
        Values::Bytes(_) => "bytes",
        Values::Timestamps(_) => "timestamps",
        Values::Dates(_) => "dates",
        Values::Decimals(_) => "decimals",
        Values::BooleanLists(_) => "boolean-lists",
        Values::Int64Lists(_) => "int64-lists",
        Values::Float32Lists(_) => "float32-lists",
        Values::Float64Lists(_) => "float64-lists",
        Values::StringLists(_) => "string-lists",
        Values::Json(_) => "json",
    }
}
