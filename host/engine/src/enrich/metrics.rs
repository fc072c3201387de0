//! What is counted while rows are enriched.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Meter(AtomicU64);

impl Meter {
    /// Adds to it, and returns the sum.
    pub fn add(&self, more: u64) -> u64 {
        self.0.fetch_add(more, Ordering::Relaxed) + more
    }

    /// The sum so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What an [`Enricher`](super::Enricher) counts. Rows are counted as they are asked for: two
/// equal rows that are asked for once count once in `asked`, and once in `coalesced`.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// Rows that were given to the handler, each attempt counted.
    pub asked: Meter,
    /// Rows of them that had been asked for before.
    pub retried: Meter,
    /// Rows that took the answer of an equal row, of their bundle or in flight.
    pub coalesced: Meter,
    /// Rows that were answered from the cache.
    pub cache_hits: Meter,
    /// Rows that were not in the cache.
    pub cache_misses: Meter,
    /// Rows that got an old answer from the cache because the store failed.
    pub cache_stale: Meter,
    /// Calls to a shared cache that failed; a run goes on without it.
    pub cache_errors: Meter,
    /// Instances that trapped, took too long, or violated the contract.
    pub instances_lost: Meter,
    /// Instances that were set up.
    pub instances: Meter,
}
