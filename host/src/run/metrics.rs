//! What a run counts, to be read while it is under way.

use super::failures::Failures;
use crate::enrich::Meter;
use beamlet_rows::InputProgress;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The counts of a run. Each row that was read is in one of `enriched`, `missing`, `null_keys`
/// and `failed`, or on its way.
#[derive(Debug, Default)]
pub struct RunMetrics {
    /// How far the input has been read.
    pub input: Arc<InputProgress>,
    /// Rows read.
    pub read: Meter,
    /// Rows written to the output.
    pub written: Meter,
    /// Rows that came back with an entity's features.
    pub enriched: Meter,
    /// Rows whose key names no entity that the store knows.
    pub missing: Meter,
    /// Rows whose key is null.
    pub null_keys: Meter,
    /// Rows that could not be enriched, whatever became of them.
    pub failed: Meter,
    /// Rows that the output cannot hold, whatever the store answered.
    pub unwritten: Meter,
    /// Why they failed, or could not be written.
    pub failures: Failures,
    /// Rows written as dead letters.
    pub dead_letters: Meter,
    /// Bundles that are done.
    pub bundles: Meter,
    /// Bundles that are read and not yet done.
    pub in_flight: Gauge,
}

/// A number that grows and shrinks.
#[derive(Debug, Default)]
pub struct Gauge(AtomicUsize);

impl Gauge {
    /// One more, until what it gives is dropped.
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

    /// How many there are.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
