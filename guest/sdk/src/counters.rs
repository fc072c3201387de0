//! What a handler counts, under the names that its users know from Beam.

use crate::Counter;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counted since set-up, over all bundles of an instance.
#[derive(Debug, Default)]
pub struct Counters {
    retrieved: AtomicU64,
    requests: AtomicU64,
    errors: AtomicU64,
}

impl Counters {
    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn retrieved(&self, rows: u64) {
        self.retrieved.fetch_add(rows, Ordering::Relaxed);
    }

    /// The counts, by name: rows enriched, requests sent, and requests that failed.
    pub fn snapshot(&self) -> Vec<Counter> {
        [
            ("features_retrieved", &self.retrieved),
            ("feature_retrieval_requests", &self.requests),
            ("feature_retrieval_errors", &self.errors),
        ]
        .map(|(name, value)| Counter {
            name: name.to_owned(),
            value: value.load(Ordering::Relaxed),
        })
        .into()
    }
}
