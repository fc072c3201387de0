//! One bundle of a run: its rows are projected, enriched, and given back with their features.

use super::error::RunError;
use super::instances::Instances;
use crate::columns;
use crate::plugin::{Enriched, Instance, PluginError};
use arrow_array::RecordBatch;
use beamlet_rows::Rows;
use std::sync::Arc;

/// How many rows cross into the component at once: enough that a call costs nothing, and few
/// enough that their copies stay small.
const ROWS_A_CALL: usize = 1000;

/// Rows and the features that belong to them, position by position.
pub(super) struct Done {
    pub(super) rows: Rows,
    pub(super) features: RecordBatch,
    pub(super) enriched: u64,
    pub(super) missing: u64,
    pub(super) null_keys: u64,
    /// The first row that failed, and how many did.
    pub(super) failed: Option<(RunError, u64)>,
}

/// Enriches the rows of one bundle.
pub(super) async fn enrich(instances: Arc<Instances>, rows: Rows) -> Result<Done, RunError> {
    let shown = rows.project(instances.fields())?;
    let failed = |error| bundle_error(&rows, error);
    if rows.is_empty() {
        let done = join(&[], rows)?;
        let names = instances.outputs().iter().map(|field| field.name.as_str());
        return Ok(Done { features: columns::without_rows(names), ..done });
    }
    let mut instance = instances.take().await.map_err(failed)?;
    let answers = answers(&mut instance, &shown).await;
    instances.give_back(instance);
    join(&answers.map_err(failed)?, rows)
}

async fn answers(
    instance: &mut Instance,
    shown: &RecordBatch,
) -> Result<Vec<Enriched>, PluginError> {
    let mut bundle = instance.start_bundle().await?;
    let mut answers = Vec::new();
    let mut from = 0;
    while from < shown.num_rows() {
        let rows = ROWS_A_CALL.min(shown.num_rows() - from);
        answers.extend(bundle.process(&shown.slice(from, rows)).await?);
        from += rows;
    }
    answers.extend(bundle.finish().await?);
    Ok(answers)
}

fn join(answers: &[Enriched], rows: Rows) -> Result<Done, RunError> {
    let mut first_failed = None;
    let mut count = 0;
    let mut before = 0;
    for answer in answers {
        for failure in &answer.failures {
            count += 1;
            first_failed
                .get_or_insert_with(|| (before + failure.row as usize, failure.error.clone()));
        }
        before += answer.rows();
    }
    let failed = first_failed.map(|(row, error)| {
        (RunError::Row { origin: rows.origin(row), error, more: count - 1 }, count)
    });
    let sum = |of: fn(&Enriched) -> usize| answers.iter().map(|answer| of(answer) as u64).sum();
    let features: Vec<&RecordBatch> = answers.iter().map(|answer| &answer.features).collect();
    Ok(Done {
        features: columns::concat(&features).map_err(RunError::Features)?,
        enriched: sum(Enriched::enriched),
        missing: sum(|answer| answer.missing.len()),
        null_keys: sum(|answer| answer.null_keys.len()),
        failed,
        rows,
    })
}

fn bundle_error(rows: &Rows, error: PluginError) -> RunError {
    RunError::Bundle { first: rows.origin(0), last: rows.origin(rows.len() - 1), error }
}
