//! One bundle of a run: projects its rows, enriches them, and returns them with their features.
//! Rows that fail are handled as the policy says.

use super::dead_letter::{Letters, Why};
use super::error::{FailedBundle, RunError};
use super::metrics::RunMetrics;
use super::telemetry::Telemetry;
use arrow_array::{RecordBatch, UInt32Array};
use beamlet::columns;
use beamlet::config::FailurePolicy;
use beamlet::enrich::{Answers, EnrichError, Enricher, Outcome, RowFailure};
use beamlet::plugin::Input;
use beamlet_formats::{Field, Rows, RowsError};
use std::sync::Arc;
use std::time::Instant;
use tracing::debug;

/// State that all bundles of a run share.
pub(super) struct Bundles {
    pub(super) enricher: Arc<Enricher>,
    pub(super) metrics: Arc<RunMetrics>,
    telemetry: Telemetry,
    fields: Vec<Field>,
    on_failure: FailurePolicy,
}

/// The part of a bundle that is to be written.
pub(super) struct Done {
    pub(super) rows: Rows,
    /// One row of features for each row.
    pub(super) features: RecordBatch,
    /// Dead letters for the others.
    pub(super) letters: Letters,
}

impl Bundles {
    pub(super) fn new(
        enricher: Arc<Enricher>,
        metrics: Arc<RunMetrics>,
        telemetry: Telemetry,
        on_failure: FailurePolicy,
    ) -> Self {
        let field = |Input { name, required, .. }: &Input| Field {
            name: name.clone(),
            required: *required,
        };
        let fields = enricher.inputs().iter().map(field).collect();
        Bundles { enricher, metrics, telemetry, fields, on_failure }
    }

    /// Enriches the rows of one bundle.
    pub(super) async fn enrich(&self, rows: Rows) -> Result<Done, RunError> {
        let _in_flight = self.metrics.in_flight.one_more();
        let set_aside = rows.set_aside().len() as u64;
        self.metrics.read.add(rows.len() as u64 + set_aside);
        self.metrics.failed.add(set_aside);
        let mut letters = Letters::default();
        for row in rows.set_aside() {
            letters.push_bad(row);
            self.metrics.failures.add_row(&row.error, &row.origin);
        }
        if rows.is_empty() {
            rows.project(&self.fields)?;
            let names = self.enricher.outputs().iter().map(|field| field.name.as_str());
            let features = columns::without_rows(names);
            self.metrics.dead_letters.add(set_aside);
            return Ok(Done { rows, features, letters });
        }
        let started = Instant::now();
        let projected = self.project(&rows)?;
        let answers = self.enricher.enrich(&projected.columns).await;
        let answers = answers.map_err(|error| bundle_error(&rows, error))?;
        self.tally(&rows, &projected, &answers);
        let done = self.sort(rows, &projected, &answers, letters)?;
        self.metrics.bundles.add(1);
        self.telemetry.bundle(started.elapsed());
        debug!(
            rows = answers.len(),
            failed =
                answers.outcomes().filter(|outcome| matches!(outcome, Outcome::Failed(_))).count(),
            took_ms = started.elapsed().as_millis() as u64,
            "a bundle is done"
        );
        Ok(done)
    }

    /// Projects the columns that the handler reads, of all rows that have them.
    fn project(&self, rows: &Rows) -> Result<Projected, RunError> {
        let error = match rows.project(&self.fields) {
            Ok(columns) => return Ok(Projected { columns, good: None, bad: Vec::new() }),
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
        Ok(Projected { columns, good: Some(good), bad })
    }

    /// Separates rows to write from rows that failed.
    fn sort(
        &self,
        rows: Rows,
        projected: &Projected,
        answers: &Answers,
        mut letters: Letters,
    ) -> Result<Done, RunError> {
        self.count(answers, projected.bad.len());
        let features = answers.features().map_err(|error| RunError::Features(error.to_string()))?;
        let failed: Vec<(usize, &RowFailure)> = answers
            .outcomes()
            .enumerate()
            .filter_map(|(at, outcome)| match outcome {
                Outcome::Failed(failure) => Some((projected.row(at), &**failure)),
                _ => None,
            })
            .collect();
        if failed.is_empty() && projected.bad.is_empty() {
            self.metrics.dead_letters.add(letters.len() as u64);
            return Ok(Done { rows, features, letters });
        }
        match self.on_failure {
            FailurePolicy::Fail => {
                // A failed projection has already ended the run.
                let Some((row, failure)) = failed.first() else {
                    return Ok(Done { rows, features, letters });
                };
                Err(RunError::Row {
                    origin: rows.origin(*row),
                    error: (*failure).clone(),
                    more: failed.len() as u64 - 1,
                })
            }
            FailurePolicy::Keep => {
                let features = projected.with_unreadable(&features, rows.len())?;
                Ok(Done { rows, features, letters })
            }
            FailurePolicy::DeadLetter => {
                for (row, why) in failed {
                    letters.push(&rows, row, &Why::Failed(why));
                }
                for (row, error) in &projected.bad {
                    letters.push(&rows, *row, &Why::Unreadable(error));
                }
                letters.sort();
                self.metrics.dead_letters.add(letters.len() as u64);
                let kept = (0..answers.len())
                    .filter(|at| !matches!(answers.outcome(*at), Outcome::Failed(_)));
                let (positions, kept): (Vec<u32>, Vec<usize>) =
                    kept.map(|at| (at as u32, projected.row(at))).unzip();
                let features = take(&features, positions)?;
                Ok(Done { rows: rows.select(&kept), features, letters })
            }
        }
    }

    /// Counts why rows failed.
    fn tally(&self, rows: &Rows, projected: &Projected, answers: &Answers) {
        let failures = &self.metrics.failures;
        for outcome in answers.outcomes() {
            if let Outcome::Failed(failure) = outcome {
                failures.add(failure.error.kind.to_string(), &failure.error.message);
            }
        }
        for (row, error) in &projected.bad {
            failures.add_row(error, &rows.origin(*row));
        }
    }

    fn count(&self, answers: &Answers, bad: usize) {
        let (mut enriched, mut missing, mut null_keys, mut failed) = (0, 0, 0, bad as u64);
        for outcome in answers.outcomes() {
            *match outcome {
                Outcome::Enriched => &mut enriched,
                Outcome::Missing => &mut missing,
                Outcome::NullKey => &mut null_keys,
                Outcome::Failed(_) => &mut failed,
            } += 1;
        }
        self.metrics.enriched.add(enriched);
        self.metrics.missing.add(missing);
        self.metrics.null_keys.add(null_keys);
        self.metrics.failed.add(failed);
    }
}

/// The columns of a bundle that the handler gets.
struct Projected {
    columns: RecordBatch,
    /// The rows that it is projected; `None` for all.
    good: Option<Vec<usize>>,
    /// The rows that cannot be projected.
    bad: Vec<(usize, RowsError)>,
}

impl Projected {
    /// The row to which an answer belongs.
    fn row(&self, answer: usize) -> usize {
        self.good.as_ref().map_or(answer, |good| good[answer])
    }

    /// The features with a row of nulls for each row that was not projected.
    fn with_unreadable(
        &self,
        features: &RecordBatch,
        rows: usize,
    ) -> Result<RecordBatch, RunError> {
        let Some(good) = &self.good else { return Ok(features.clone()) };
        let mut places = vec![None; rows];
        for (answer, row) in good.iter().enumerate() {
            places[*row] = Some((0, answer as u32));
        }
        columns::assemble(std::slice::from_ref(features), &places).map_err(RunError::Features)
    }
}

fn take(features: &RecordBatch, positions: Vec<u32>) -> Result<RecordBatch, RunError> {
    arrow_select::take::take_record_batch(features, &UInt32Array::from(positions))
        .map_err(|error| RunError::Features(error.to_string()))
}

fn bundle_error(rows: &Rows, error: EnrichError) -> RunError {
    let (first, last) = (rows.origin(0), rows.origin(rows.len() - 1));
    RunError::Bundle(Box::new(FailedBundle { first, last, error }))
}
