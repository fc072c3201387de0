//! One bundle of a run: its rows are projected, enriched, and given back with their features;
//! what failed goes where the policy says.

use super::dead_letter::{Why, letter};
use super::error::{FailedBundle, RunError};
use super::failures::answered;
use super::meters::RunMeters;
use super::options::{FailurePolicy, RunOptions};
use super::telemetry::Telemetry;
use crate::columns;
use crate::enrich::{Answers, EnrichError, Enricher, Fate, GivenUp};
use crate::plugin::Input;
use arrow_array::{RecordBatch, UInt32Array};
use beamlet_rows::{Field, Origin, Rows, RowsError};
use std::sync::Arc;
use std::time::Instant;
use tracing::debug;

/// What all bundles of a run share.
pub(super) struct Bundles {
    pub(super) enricher: Arc<Enricher>,
    pub(super) meters: Arc<RunMeters>,
    telemetry: Telemetry,
    fields: Vec<Field>,
    on_failure: FailurePolicy,
}

/// What is to be written of a bundle.
pub(super) struct Done {
    pub(super) rows: Rows,
    /// A row of features for each of the rows.
    pub(super) features: RecordBatch,
    /// Dead letters for the others, a line each.
    pub(super) letters: Vec<u8>,
}

impl Bundles {
    pub(super) fn new(
        enricher: Arc<Enricher>,
        meters: Arc<RunMeters>,
        telemetry: Telemetry,
        on_failure: FailurePolicy,
    ) -> Self {
        let field =
            |Input { name, required }: &Input| Field { name: name.clone(), required: *required };
        let fields = enricher.inputs().iter().map(field).collect();
        Bundles { enricher, meters, telemetry, fields, on_failure }
    }

    /// Enriches the rows of one bundle.
    pub(super) async fn enrich(&self, rows: Rows) -> Result<Done, RunError> {
        let _in_flight = self.meters.in_flight.one_more();
        self.meters.read.add(rows.len() as u64);
        if rows.is_empty() {
            rows.project(&self.fields)?;
            let names = self.enricher.outputs().iter().map(|field| field.name.as_str());
            let features = columns::without_rows(names);
            return Ok(Done { rows, features, letters: Vec::new() });
        }
        let started = Instant::now();
        let shown = self.project(&rows)?;
        let answers = self.enricher.enrich(&shown.columns).await;
        let answers = answers.map_err(|error| bundle_error(&rows, error))?;
        self.tally(&rows, &shown, &answers);
        let done = self.sort(rows, &shown, &answers)?;
        self.meters.bundles.add(1);
        self.telemetry.bundle(started.elapsed());
        debug!(
            rows = answers.len(),
            failed = answers.fates().filter(|fate| matches!(fate, Fate::Failed(_))).count(),
            took_ms = started.elapsed().as_millis() as u64,
            "a bundle is done"
        );
        Ok(done)
    }

    /// The end of the run, if more rows have failed than may.
    pub(super) fn too_many_failures(&self, options: &RunOptions, ended: bool) -> Option<RunError> {
        let most = options.max_failures()?;
        most.is_exceeded(&self.meters, ended).then(|| RunError::TooManyFailures {
            failed: self.meters.failed.get(),
            rows: answered(&self.meters),
            most,
            first: self.meters.failures.all().into_iter().next(),
        })
    }

    /// The columns that the handler reads, of all rows that have them.
    fn project(&self, rows: &Rows) -> Result<Shown, RunError> {
        let error = match rows.project(&self.fields) {
            Ok(columns) => return Ok(Shown { columns, good: None, bad: Vec::new() }),
            Err(error) => error,
        };
        if self.on_failure == FailurePolicy::Fail || !error.is_of_a_row() {
            return Err(error.into());
        }
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for row in 0..rows.len() {
            match rows.select(&[row]).project(&self.fields) {
                Ok(_) => good.push(row),
                Err(error) => bad.push((row, error)),
            }
        }
        let columns = rows.select(&good).project(&self.fields)?;
        Ok(Shown { columns, good: Some(good), bad })
    }

    /// Parts rows that come out from those that do not.
    fn sort(&self, rows: Rows, shown: &Shown, answers: &Answers) -> Result<Done, RunError> {
        self.count(answers, shown.bad.len());
        let features = answers.features().map_err(RunError::Features)?;
        let failed: Vec<(usize, &GivenUp)> = answers
            .fates()
            .enumerate()
            .filter_map(|(at, fate)| match fate {
                Fate::Failed(given_up) => Some((shown.row(at), &**given_up)),
                _ => None,
            })
            .collect();
        if failed.is_empty() && shown.bad.is_empty() {
            return Ok(Done { rows, features, letters: Vec::new() });
        }
        match self.on_failure {
            FailurePolicy::Fail => {
                // A projection that failed has ended the run already.
                let Some((row, given_up)) = failed.first() else {
                    return Ok(Done { rows, features, letters: Vec::new() });
                };
                Err(RunError::Row {
                    origin: rows.origin(*row),
                    error: (*given_up).clone(),
                    more: failed.len() as u64 - 1,
                })
            }
            FailurePolicy::Keep => {
                let features = shown.with_the_bad(&features, rows.len())?;
                Ok(Done { rows, features, letters: Vec::new() })
            }
            FailurePolicy::DeadLetter => {
                let mut letters: Vec<(usize, Why<'_>)> =
                    failed.into_iter().map(|(row, why)| (row, Why::GivenUp(why))).collect();
                let bad = shown.bad.iter();
                letters.extend(bad.map(|(row, error)| (*row, Why::Unreadable(error))));
                letters.sort_by_key(|(row, _)| *row);
                let mut lines = Vec::new();
                for (row, why) in &letters {
                    letter(&rows, *row, why, &mut lines);
                }
                self.meters.dead_letters.add(letters.len() as u64);
                let kept =
                    (0..answers.len()).filter(|at| !matches!(answers.fate(*at), Fate::Failed(_)));
                let (positions, kept): (Vec<u32>, Vec<usize>) =
                    kept.map(|at| (at as u32, shown.row(at))).unzip();
                let features = take(&features, positions)?;
                Ok(Done { rows: rows.select(&kept), features, letters: lines })
            }
        }
    }

    /// Counts why rows failed.
    fn tally(&self, rows: &Rows, shown: &Shown, answers: &Answers) {
        let failures = &self.meters.failures;
        for fate in answers.fates() {
            if let Fate::Failed(given_up) = fate {
                failures.add(given_up.error.kind.to_string(), &given_up.error.message);
            }
        }
        for (row, error) in &shown.bad {
            failures.add("invalid-input".to_owned(), &placeless(error, &rows.origin(*row)));
        }
    }

    fn count(&self, answers: &Answers, bad: usize) {
        let (mut enriched, mut missing, mut null_keys, mut failed) = (0, 0, 0, bad as u64);
        for fate in answers.fates() {
            *match fate {
                Fate::Enriched => &mut enriched,
                Fate::Missing => &mut missing,
                Fate::NullKey => &mut null_keys,
                Fate::Failed(_) => &mut failed,
            } += 1;
        }
        self.meters.enriched.add(enriched);
        self.meters.missing.add(missing);
        self.meters.null_keys.add(null_keys);
        self.meters.failed.add(failed);
    }
}

/// What the handler is shown of a bundle.
struct Shown {
    columns: RecordBatch,
    /// The rows that it is shown; `None` for all.
    good: Option<Vec<usize>>,
    /// The rows that cannot be shown to it.
    bad: Vec<(usize, RowsError)>,
}

impl Shown {
    /// The row that an answer is for.
    fn row(&self, answer: usize) -> usize {
        self.good.as_ref().map_or(answer, |good| good[answer])
    }

    /// The features with a row of nulls for each row that was not shown.
    fn with_the_bad(&self, features: &RecordBatch, rows: usize) -> Result<RecordBatch, RunError> {
        let Some(good) = &self.good else { return Ok(features.clone()) };
        let mut places = vec![None; rows];
        for (answer, row) in good.iter().enumerate() {
            places[*row] = Some((0, answer as u32));
        }
        columns::assemble(std::slice::from_ref(features), &places).map_err(RunError::Features)
    }
}

/// What an error says, without the place of its row: so that equal ones can be counted.
fn placeless(error: &RowsError, origin: &Origin) -> String {
    let message = error.to_string();
    let Some(rest) = message.strip_prefix(&origin.to_string()) else { return message };
    // A column may follow.
    rest.trim_start_matches(|it: char| it == ':' || it.is_ascii_digit()).trim_start().to_owned()
}

fn take(features: &RecordBatch, positions: Vec<u32>) -> Result<RecordBatch, RunError> {
    arrow_select::take::take_record_batch(features, &UInt32Array::from(positions))
        .map_err(|error| RunError::Features(error.to_string()))
}

fn bundle_error(rows: &Rows, error: EnrichError) -> RunError {
    let (first, last) = (rows.origin(0), rows.origin(rows.len() - 1));
    RunError::Bundle(Box::new(FailedBundle { first, last, error }))
}
