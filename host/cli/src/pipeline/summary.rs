//! The summary of a run.

use super::metrics::{FailureReason, RunMetrics};
use beamlet::enrich::Metrics;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The counts of a run. Each row that was read is counted in one of `enriched`, `missing`,
/// `null_keys` and `failed`, or was in flight when the run failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// Whether every row was written.
    pub(crate) complete: bool,
    /// Whether the run was stopped before its input ended.
    pub(crate) stopped: bool,
    /// Rows read.
    pub(crate) rows: u64,
    /// Rows written to the output: those read, without the dead letters.
    pub(crate) written: u64,
    /// Rows that were enriched with an entity's features.
    pub(crate) enriched: u64,
    /// Rows whose entity the store does not know.
    pub(crate) missing: u64,
    /// Rows whose key is null.
    pub(crate) null_keys: u64,
    /// Rows that could not be enriched.
    pub(crate) failed: u64,
    /// Rows that the output cannot represent, such as texts that are not Unicode. Their outcomes
    /// are in the other counts.
    pub(crate) unwritten: u64,
    /// Why rows failed or could not be written, the most frequent reason first.
    pub(crate) failures: Vec<FailureReason>,
    /// Rows that failed or could not be written, and are dead letters.
    pub(crate) dead_letters: u64,
    /// Requests sent to the store for rows.
    pub(crate) requests: u64,
    /// Rows that were asked for again.
    pub(crate) retried: u64,
    /// Rows that took the answer of an equal row.
    pub(crate) coalesced: u64,
    /// Rows that were answered from the cache.
    pub(crate) cache_hits: u64,
    /// Rows that got an old answer from the cache because the store failed.
    pub(crate) cache_stale: u64,
    /// Calls to a shared cache that failed.
    pub(crate) cache_errors: u64,
    /// Instances that trapped, timed out, or violated the contract.
    pub(crate) instances_lost: u64,
    /// What the handler counted, over all its instances.
    pub(crate) counters: BTreeMap<String, u64>,
    /// Seconds from the first row read to the output closed.
    pub(crate) seconds: f64,
    /// Rows read per second.
    pub(crate) rows_per_second: f64,
    /// Where the rows were written.
    pub(crate) output: String,
}

impl Summary {
    pub(super) fn of(run: &RunMetrics, enrich: &Metrics) -> Self {
        Summary {
            rows: run.read.get(),
            written: run.written.get(),
            enriched: run.enriched.get(),
            missing: run.missing.get(),
            null_keys: run.null_keys.get(),
            failed: run.failed.get(),
            unwritten: run.unwritten.get(),
            failures: run.failures.all(),
            dead_letters: run.dead_letters.get(),
            retried: enrich.retried.get(),
            coalesced: enrich.coalesced.get(),
            cache_hits: enrich.cache_hits.get(),
            cache_stale: enrich.cache_stale.get(),
            cache_errors: enrich.cache_errors.get(),
            instances_lost: enrich.instances_lost.get(),
            ..Summary::default()
        }
    }

    pub(super) fn took(&mut self, time: Duration) {
        self.seconds = time.as_secs_f64();
        self.rows_per_second = self.rows as f64 / self.seconds.max(f64::MIN_POSITIVE);
    }
}

/// The number of reasons in the text; the JSON has all of them.
const MOST_REASONS: usize = 5;

/// A few lines of text; zero counts are left out.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { enriched, missing, null_keys, failed, .. } = self;
        writeln!(
            f,
            "{} in: {enriched} enriched, {missing} missing, {null_keys} with a null key, {failed} failed",
            count(self.rows, "row")
        )?;
        if self.unwritten > 0 {
            writeln!(f, "{} could not be written", count(self.unwritten, "row"))?;
        }
        // The error of the run already names the only reason.
        let reported = !self.complete && self.dead_letters == 0 && self.failures.len() == 1;
        for failure in self.failures.iter().take(if reported { 0 } else { MOST_REASONS }) {
            writeln!(f, "{} failed with {failure}", count(failure.rows, "row"))?;
        }
        if let Some(more) = self.failures.get(MOST_REASONS..).filter(|more| !more.is_empty()) {
            let rows: u64 = more.iter().map(|failure| failure.rows).sum();
            writeln!(
                f,
                "{} failed with {}",
                count(rows, "row"),
                count(more.len() as u64, "other reason")
            )?;
        }
        if self.complete || self.dead_letters > 0 {
            let (out, letters) = (self.written + self.dead_letters, self.dead_letters);
            let (out, letters) = (count(out, "row"), count(letters, "dead letter"));
            writeln!(f, "{out} out: {} written, {letters}", self.written)?;
        }
        let more = [
            (self.coalesced, "equal to others"),
            (self.cache_hits, "from the cache"),
            (self.cache_stale, "from the cache, old, as the store failed"),
            (self.retried, "asked for again"),
        ];
        let more: Vec<String> = more
            .iter()
            .filter(|(rows, _)| *rows > 0)
            .map(|(rows, what)| format!("{} {what}", count(*rows, "row")))
            .collect();
        if !more.is_empty() {
            writeln!(f, "{}", more.join(", "))?;
        }
        if self.cache_errors > 0 {
            writeln!(f, "{} to the shared cache failed", count(self.cache_errors, "call"))?;
        }
        if self.instances_lost > 0 {
            writeln!(f, "{} of the handler lost", count(self.instances_lost, "instance"))?;
        }
        let requests = count(self.requests, "request");
        write!(f, "{requests}, {:.0} rows a second, {:.2} s", self.rows_per_second, self.seconds)
    }
}

/// A number and a noun, in the singular or plural.
fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
