//! The numbers of a run, as OpenTelemetry instruments.

use super::metrics::RunMetrics;
use beamlet::enrich::{Enricher, Meter};
use beamlet_telemetry::{BundleDuration, Instruments};
use std::sync::Arc;
use std::time::Duration;

/// What is recorded while a run is under way.
pub(super) struct Telemetry {
    bundle: BundleDuration,
}

impl Telemetry {
    /// Exports the numbers of a run: they are read when an exporter asks for them.
    pub(super) fn new(metrics: &Arc<RunMetrics>, enricher: &Arc<Enricher>) -> Self {
        let instruments = Instruments::global();
        rows(&instruments, metrics);
        instruments.enricher(enricher);
        Telemetry { bundle: instruments.bundle_duration() }
    }

    /// Records how long a bundle took.
    pub(super) fn bundle(&self, took: Duration) {
        self.bundle.record(took);
    }
}

fn rows(instruments: &Instruments, metrics: &Arc<RunMetrics>) {
    let count = |name, description, meter: fn(&RunMetrics) -> &Meter| {
        let metrics = metrics.clone();
        instruments.counter(name, description, move || meter(&metrics).get());
    };
    count("beamlet.rows.read", "Rows read from the input", |run| &run.read);
    count("beamlet.rows.written", "Rows written to the output", |run| &run.written);
    count("beamlet.rows.dead_letters", "Rows written as dead letters", |run| &run.dead_letters);
    count("beamlet.bundles", "Bundles that are done", |run| &run.bundles);
    let run = metrics.clone();
    let answered = "Rows by what became of them";
    instruments.counters("beamlet.rows.answered", answered, "outcome", move || {
        [
            ("enriched", run.enriched.get()),
            ("missing", run.missing.get()),
            ("null-key", run.null_keys.get()),
            ("failed", run.failed.get()),
        ]
    });
    let run = metrics.clone();
    let in_flight = "Bundles that are read and not yet done";
    instruments
        .gauge("beamlet.bundles.in_flight", in_flight, move || Some(run.in_flight.get() as u64));
}
