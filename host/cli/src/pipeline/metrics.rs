//! What a run counts, to be read while it is under way.

use super::failures::Failures;
use beamlet::enrich::Meter;
use beamlet_formats::InputProgress;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The counts of a run. Each row that was read is in one of `enriched`, `missing`, `null_keys`
/// and `failed`, or on its way.
#[derive(Debug, Default)]
pub(crate) struct RunMetrics {
    /// How far the input has been read.
    pub(crate) input: Arc<InputProgress>,
    /// Rows read.
    pub(crate) read: Meter,
    /// Rows written to the output.
    pub(crate) written: Meter,
    /// Rows that came back with an entity's features.
    pub(crate) enriched: Meter,
    /// Rows whose key names no entity that the store knows.
    pub(crate) missing: Meter,
    /// Rows whose key is null.
    pub(crate) null_keys: Meter,
    /// Rows that could not be enriched, whatever became of them.
    pub(crate) failed: Meter,
    /// Rows that the output cannot hold, whatever the store answered.
    pub(crate) unwritten: Meter,
    /// Why they failed, or could not be written.
    pub(crate) failures: Failures,
    /// Rows written as dead letters.
    pub(crate) dead_letters: Meter,
    /// Bundles that are done.
    pub(crate) bundles: Meter,
    /// Bundles that are read and not yet done.
    pub(crate) in_flight: Gauge,
}

/// A number that grows and shrinks.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicUsize);

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
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
