//! What a run shows to OpenTelemetry while it is under way.
//!
//! The instruments are those of the global meter provider: without one, they cost nothing. A
//! number is read where it is kept when somebody asks, and not pushed; only durations are
//! recorded as they come.

use super::metrics::RunMetrics;
use beamlet::enrich::{Enricher, Meter, Metrics};
use beamlet::sandbox::Egress;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter as Otel};
use std::sync::Arc;
use std::time::Duration;

/// The name under which all instruments are.
const SCOPE: &str = "beamlet";

/// What is recorded as it comes.
pub(super) struct Telemetry {
    bundle: Histogram<f64>,
}

impl Telemetry {
    /// Has the numbers of a run read when somebody asks for them.
    pub(super) fn new(
        metrics: &Arc<RunMetrics>,
        enricher: &Arc<Enricher>,
        egress: &Arc<Egress>,
    ) -> Self {
        let otel = opentelemetry::global::meter(SCOPE);
        rows(&otel, metrics);
        enrichment(&otel, enricher.metrics());
        handler(&otel, enricher);
        store(&otel, egress);
        let bundle = otel
            .f64_histogram("beamlet.bundle.duration")
            .with_unit("s")
            .with_description("From a bundle read to its rows answered, retries included")
            .with_boundaries(SECONDS.to_vec())
            .build();
        Telemetry { bundle }
    }

    pub(super) fn bundle(&self, took: Duration) {
        self.bundle.record(took.as_secs_f64(), &[]);
    }
}

/// From a millisecond to two minutes.
const SECONDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

fn counter(
    otel: &Otel,
    name: &'static str,
    description: &'static str,
    read: impl Fn() -> u64 + Send + Sync + 'static,
) {
    otel.u64_observable_counter(name)
        .with_description(description)
        .with_callback(move |observer| observer.observe(read(), &[]))
        .build();
}

fn gauge(
    otel: &Otel,
    name: &'static str,
    description: &'static str,
    read: impl Fn() -> Option<u64> + Send + Sync + 'static,
) {
    otel.u64_observable_gauge(name)
        .with_description(description)
        .with_callback(move |observer| {
            if let Some(value) = read() {
                observer.observe(value, &[]);
            }
        })
        .build();
}

fn rows(otel: &Otel, metrics: &Arc<RunMetrics>) {
    let of = |meter: fn(&RunMetrics) -> &Meter| {
        let metrics = metrics.clone();
        move || meter(&metrics).get()
    };
    counter(otel, "beamlet.rows.read", "Rows read from the input", of(|run| &run.read));
    counter(otel, "beamlet.rows.written", "Rows written to the output", of(|run| &run.written));
    counter(
        otel,
        "beamlet.rows.dead_letters",
        "Rows written as dead letters",
        of(|run| &run.dead_letters),
    );
    counter(otel, "beamlet.bundles", "Bundles that are done", of(|run| &run.bundles));
    let outcomes = metrics.clone();
    otel.u64_observable_counter("beamlet.rows.answered")
        .with_description("Rows by what became of them")
        .with_callback(move |observer| {
            let all = [
                ("enriched", &outcomes.enriched),
                ("missing", &outcomes.missing),
                ("null-key", &outcomes.null_keys),
                ("failed", &outcomes.failed),
            ];
            for (outcome, meter) in all {
                observer.observe(meter.get(), &[KeyValue::new("outcome", outcome)]);
            }
        })
        .build();
    let in_flight = metrics.clone();
    gauge(otel, "beamlet.bundles.in_flight", "Bundles that are read and not yet done", move || {
        Some(in_flight.in_flight.get() as u64)
    });
}

fn enrichment(otel: &Otel, metrics: &Arc<Metrics>) {
    let of = |meter: fn(&Metrics) -> &Meter| {
        let metrics = metrics.clone();
        move || meter(&metrics).get()
    };
    let count = |name, description, meter| counter(otel, name, description, of(meter));
    count("beamlet.rows.asked", "Rows given to the handler, each attempt", |it| &it.asked);
    count("beamlet.rows.retried", "Rows of them that had been asked for before", |it| &it.retried);
    count("beamlet.rows.coalesced", "Rows that took the answer of an equal one", |it| {
        &it.coalesced
    });
    count("beamlet.cache.hits", "Rows answered from the cache", |it| &it.cache_hits);
    count("beamlet.cache.misses", "Rows that the cache did not know", |it| &it.cache_misses);
    count("beamlet.cache.stale", "Rows that got an old answer, as the store failed", |it| {
        &it.cache_stale
    });
    count("beamlet.cache.errors", "Calls to the shared cache that failed", |it| &it.cache_errors);
    count("beamlet.instances", "Instances of the handler that were set up", |it| &it.instances);
    count("beamlet.instances.lost", "Instances that trapped or took too long", |it| {
        &it.instances_lost
    });
}

/// What the handler counts, under its own names.
fn handler(otel: &Otel, enricher: &Arc<Enricher>) {
    for name in enricher.counters().into_keys() {
        let enricher = Arc::downgrade(enricher);
        otel.u64_observable_counter(format!("beamlet.handler.{name}"))
            .with_description("What the handler counts, over all its instances")
            .with_callback(move |observer| {
                let Some(enricher) = enricher.upgrade() else { return };
                if let Some(value) = enricher.counters().get(&name) {
                    observer.observe(*value, &[]);
                }
            })
            .build();
    }
}

fn store(otel: &Otel, egress: &Arc<Egress>) {
    let all = egress.clone();
    counter(otel, "beamlet.requests", "Requests sent to the store", move || all.requests());
    let limit = egress.clone();
    gauge(otel, "beamlet.requests.limit", "Requests that the throttle allows at once", move || {
        limit.at_once().map(|limit| limit as u64)
    });
    let breaker = egress.clone();
    gauge(otel, "beamlet.breaker.open", "1 while the store is left alone", move || {
        Some(u64::from(breaker.closed_until().is_some()))
    });
}
