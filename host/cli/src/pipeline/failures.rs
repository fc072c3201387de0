//! Why rows failed, counted; and how many may, before the run is worth no more.

use super::dead_letter::INVALID;
use super::error::RunError;
use super::metrics::RunMetrics;
use beamlet::config::MaxFailures;
use beamlet_formats::{Origin, RowsError};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Different messages that are kept apart: a store may put into one what no other has.
const MOST_MESSAGES: usize = 100;

/// What stands for the messages beyond them.
const OTHERS: &str = "other messages";

/// Failed rows, by kind and message.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<(String, String), u64>>);

/// Rows that failed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    /// The kind of error, as the contract names it.
    pub(crate) kind: String,
    /// What the handler or the reader says, without the row's place.
    pub(crate) message: String,
    /// How many rows.
    pub(crate) rows: u64,
}

impl Failures {
    pub(super) fn add(&self, kind: String, message: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reason = (kind, message.to_owned());
        if all.len() >= MOST_MESSAGES && !all.contains_key(&reason) {
            reason.1 = OTHERS.to_owned();
        }
        *all.entry(reason).or_default() += 1;
    }

    /// A row that is itself at fault.
    pub(super) fn add_row(&self, error: &RowsError, origin: &Origin) {
        self.add(INVALID.to_owned(), &placeless(error, origin));
    }

    /// All of them, the most frequent first.
    pub(crate) fn all(&self) -> Vec<Failure> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = |((kind, message), rows): (&(String, String), &u64)| Failure {
            kind: kind.clone(),
            message: message.clone(),
            rows: *rows,
        };
        let mut all: Vec<Failure> = all.iter().map(failure).collect();
        all.sort_by(|one, other| {
            let reason = |it: &Failure| (it.kind.clone(), it.message.clone());
            other.rows.cmp(&one.rows).then_with(|| reason(one).cmp(&reason(other)))
        });
        all
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// What an error says, without the place of its row: so that equal ones can be counted.
fn placeless(error: &RowsError, origin: &Origin) -> String {
    let message = error.to_string();
    let Some(rest) = message.strip_prefix(&origin.to_string()) else { return message };
    // A column may follow.
    rest.trim_start_matches(|it: char| it == ':' || it.is_ascii_digit()).trim_start().to_owned()
}

/// The end of the run, if more rows have failed than may. `ended` says that no more come.
pub(super) fn too_many(
    metrics: &RunMetrics,
    most: Option<MaxFailures>,
    ended: bool,
) -> Result<(), RunError> {
    match most {
        Some(most) if most.is_exceeded(failed(metrics), answered(metrics), ended) => {
            Err(RunError::TooManyFailures {
                failed: failed(metrics),
                rows: answered(metrics),
                most,
                first: metrics.failures.all().into_iter().next(),
            })
        }
        _ => Ok(()),
    }
}

/// Rows that failed, or that the output cannot hold.
pub(super) fn failed(metrics: &RunMetrics) -> u64 {
    metrics.failed.get() + metrics.unwritten.get()
}

/// Rows of which it is known what became of them.
pub(super) fn answered(metrics: &RunMetrics) -> u64 {
    [&metrics.enriched, &metrics.missing, &metrics.null_keys, &metrics.failed]
        .iter()
        .map(|meter| meter.get())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_beyond_many_are_counted_as_others() {
        let failures = Failures::default();
        (0..150).for_each(|n| failures.add("unavailable".to_owned(), &n.to_string()));
        let all = failures.all();
        assert_eq!(
            (all.len(), all[0].to_string(), all[0].rows),
            (101, "unavailable: other messages".to_owned(), 50)
        );
    }
}
