//! The handler under test, with what all checks share: its configuration, rows to ask for, and what
//! has been found out so far.

use super::answer::Ordinary;
use super::breach::Breach;
use super::rows::{self, Row};
use beamlet::plugin::{Plugin, Setup};
use beamlet::raw::beamlet::enrichment::types::{Batch, Diagnostic};
use beamlet::raw::exports::beamlet::enrichment::enrichment_handler as wit;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use tokio::sync::OnceCell;

/// The number of the author's rows that most checks ask for.
const SAMPLES: usize = 12;
/// The number of generated rows, which no store knows.
const GENERATED: u64 = 5;

/// The handler under test.
pub(super) struct Subject {
    pub(super) plugin: Plugin,
    pub(super) setup: Setup,
    /// The configuration that the handler gets.
    pub(super) config: Value,
    /// The author's rows, as the columns that the handler reads. If there are none, empty columns
    /// of strings.
    pub(super) samples: Batch,
    /// The number of rows for `answers/many`.
    pub(super) many: u32,
    /// The fields that the handler reads, from its first answer.
    pub(super) inputs: Vec<wit::Input>,
    found: Mutex<Vec<Breach>>,
    /// The declared outputs, from the first answer; `None` if that was an error.
    pub(super) outputs: OnceCell<Option<Vec<(String, String)>>>,
    /// The order of the fields in the first answer that had any.
    pub(super) order: Mutex<Option<Vec<String>>>,
    pub(super) ordinary: OnceCell<Result<Ordinary, Breach>>,
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

    /// Notes a breach. For each check, only the first one counts.
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

    /// A message of the handler, with secrets redacted, and shortened.
    pub(super) fn redact(&self, text: String) -> String {
        let text = self.setup.egress.secrets().redact(text);
        match text.char_indices().nth(600) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// Describes problems on one line.
    pub(super) fn describe_problems(&self, problems: &[Diagnostic]) -> String {
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

    /// Rows as the columns that the handler gets.
    pub(super) fn batch(&self, rows: &[Row]) -> Batch {
        rows::batch(&self.samples, rows)
    }

    /// The ordinary rows: some of the author's, some generated, and one with only nulls.
    pub(super) fn ordinary_rows(&self) -> Vec<Row> {
        let samples = (0..(self.samples.rows as usize).min(SAMPLES)).map(Row::Sample);
        samples.chain((0..GENERATED).map(Row::Generated)).chain([Row::Null]).collect()
    }

    /// The ordinary rows that have a key.
    pub(super) fn rows_with_keys(&self) -> Vec<Row> {
        self.ordinary_rows().into_iter().filter(|row| *row != Row::Null).collect()
    }

    /// Whether the outputs are declared and not empty.
    pub(super) fn declares_fields(&self) -> bool {
        matches!(self.outputs.get(), Some(Some(fields)) if !fields.is_empty())
    }
}
