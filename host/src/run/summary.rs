//! What a run did, in numbers.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The counts of a run. Each row that was read is in one of `enriched`, `missing`, `null_keys`
/// and `failed`, or was still on its way when the run failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Whether every row was written.
    pub complete: bool,
    /// Rows read.
    pub rows: u64,
    /// Rows that came back with an entity's features.
    pub enriched: u64,
    /// Rows whose key names no entity that the store knows.
    pub missing: u64,
    /// Rows whose key is null.
    pub null_keys: u64,
    /// Rows that could not be enriched.
    pub failed: u64,
    /// Requests sent to the store for rows.
    pub requests: u64,
    /// What the handler counted, over all its instances.
    pub counters: BTreeMap<String, u64>,
    /// From the first row read to the output closed.
    pub seconds: f64,
    /// Rows read, by the seconds.
    pub rows_per_second: f64,
    /// Where the rows were written.
    pub output: String,
}

/// On two lines, for a person.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { rows, enriched, missing, null_keys, failed, requests, .. } = self;
        writeln!(
            f,
            "{rows} rows in: {enriched} enriched, {missing} missing, {null_keys} with a null key, {failed} failed"
        )?;
        write!(
            f,
            "{requests} requests, {:.0} rows a second, {:.2} s",
            self.rows_per_second, self.seconds
        )
    }
}
