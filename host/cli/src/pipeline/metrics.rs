//! What a run counts while it is under way, and why rows failed.

use super::dead_letter::INVALID;
use beamlet::enrich::Meter;
use beamlet_formats::{InputProgress, Origin, RowsError};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The counts of a run. Each row that was read is counted in one of `enriched`, `missing`,
/// `null_keys` and `failed`, or is in flight.
#[derive(Debug, Default)]
pub(crate) struct RunMetrics {
    /// How far the input has been read.
    pub(crate) input: Arc<InputProgress>,
    /// Rows read.
    pub(crate) read: Meter,
    /// Rows written to the output.
    pub(crate) written: Meter,
    /// Rows that were enriched with an entity's features.
    pub(crate) enriched: Meter,
    /// Rows whose entity the store does not know.
    pub(crate) missing: Meter,
    /// Rows whose key is null.
    pub(crate) null_keys: Meter,
    /// Rows that could not be enriched, whether they were written or not.
    pub(crate) failed: Meter,
    /// Rows that the output cannot represent, whatever the store answered.
    pub(crate) unwritten: Meter,
    /// Why rows failed or could not be written.
    pub(crate) failures: Failures,
    /// Rows written as dead letters.
    pub(crate) dead_letters: Meter,
    /// Bundles that are done.
    pub(crate) bundles: Meter,
    /// Bundles that are read and not done yet.
    pub(crate) in_flight: Gauge,
}

impl RunMetrics {
    /// Rows that failed, or that the output cannot hold.
    pub(super) fn failed_rows(&self) -> u64 {
        self.failed.get() + self.unwritten.get()
    }

    /// Rows whose outcome is known.
    pub(super) fn answered_rows(&self) -> u64 {
        let outcomes = [&self.enriched, &self.missing, &self.null_keys, &self.failed];
        outcomes.iter().map(|rows| rows.get()).sum()
    }
}

/// A number that grows and shrinks.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicUsize);

impl Gauge {
    /// Adds one until the returned guard is dropped.
    pub(super) fn one_more(&self) -> impl Drop + '_ {
        struct Less<'a>(&'a Gauge);
        impl Drop for Less<'_> {
            fn drop(&mut self) {
                self.0.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Less(self)
    }

    /// The current number.
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The largest number of distinct messages: each message of a store may be different.
const MOST_MESSAGES: usize = 100;

/// The message under which further messages are counted.
const OTHERS: &str = "other messages";

/// Failed rows, by kind and message.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<HashMap<(String, String), u64>>);

/// Rows that failed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FailureReason {
    /// The kind of error, as the contract names it.
    pub(crate) kind: String,
    /// The message of the handler or the reader, without the row's place.
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

    /// Counts a faulty row.
    pub(super) fn add_row(&self, error: &RowsError, origin: &Origin) {
        self.add(INVALID.to_owned(), &placeless(error, origin));
    }

    /// All reasons, the most frequent first.
    pub(crate) fn all(&self) -> Vec<FailureReason> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = |((kind, message), rows): (&(String, String), &u64)| FailureReason {
            kind: kind.clone(),
            message: message.clone(),
            rows: *rows,
        };
        let mut all: Vec<FailureReason> = all.iter().map(failure).collect();
        all.sort_by(|one, other| {
            let reason = |it: &FailureReason| (it.kind.clone(), it.message.clone());
            other.rows.cmp(&one.rows).then_with(|| reason(one).cmp(&reason(other)))
        });
        all
    }
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// An error's message without the place of its row, so that equal ones can be counted.
fn placeless(error: &RowsError, origin: &Origin) -> String {
    let message = error.to_string();
    let Some(rest) = message.strip_prefix(&origin.to_string()) else { return message };
    // A column may follow.
    rest.trim_start_matches(|it: char| it == ':' || it.is_ascii_digit()).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_beyond_the_limit_are_counted_as_others() {
        let failures = Failures::default();
        (0..150).for_each(|n| failures.add("unavailable".to_owned(), &n.to_string()));
        let all = failures.all();
        assert_eq!(
            (all.len(), all[0].to_string(), all[0].rows),
            (101, "unavailable: other messages".to_owned(), 50)
        );
    }
}
