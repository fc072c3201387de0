//! The instruments of an enricher, and helpers for a runner's own.
//!
//! They belong to the global meter provider: without one, they cost nothing. A number is read where it
//! is kept when an exporter asks for it, and is not pushed; only durations are recorded as they occur.

use beamlet::enrich::{Enricher, Meter, Metrics};
use beamlet::sandbox::Egress;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use std::sync::Arc;
use std::time::Duration;

/// The name of the instrumentation scope.
const SCOPE: &str = "beamlet";

/// The bounds of durations in seconds: from a millisecond to two minutes.
const SECONDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

/// Makes instruments under the scope `beamlet`. Names follow one rule: `beamlet.`, then what is
/// counted; an exporter appends units and `_total` as its format wants them.
pub struct Instruments(opentelemetry::metrics::Meter);

impl Instruments {
    /// Instruments of the global meter provider, as it is now.
    pub fn global() -> Self {
        Instruments(opentelemetry::global::meter(SCOPE))
    }

    /// Exports a number that only grows.
    pub fn counter(
        &self,
        name: &'static str,
        description: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.0
            .u64_observable_counter(name)
            .with_description(description)
            .with_callback(move |observer| observer.observe(read(), &[]))
            .build();
    }

    /// Exports numbers that only grow, one for each value of an attribute.
    pub fn counters<const N: usize>(
        &self,
        name: &'static str,
        description: &'static str,
        attribute: &'static str,
        read: impl Fn() -> [(&'static str, u64); N] + Send + Sync + 'static,
    ) {
        self.0
            .u64_observable_counter(name)
            .with_description(description)
            .with_callback(move |observer| {
                for (value, count) in read() {
                    observer.observe(count, &[KeyValue::new(attribute, value)]);
                }
            })
            .build();
    }

    /// Exports a number that grows and shrinks; `None` is not exported.
    pub fn gauge(
        &self,
        name: &'static str,
        description: &'static str,
        read: impl Fn() -> Option<u64> + Send + Sync + 'static,
    ) {
        self.0
            .u64_observable_gauge(name)
            .with_description(description)
            .with_callback(move |observer| {
                if let Some(value) = read() {
                    observer.observe(value, &[]);
                }
            })
            .build();
    }

    /// The histogram `beamlet.bundle.duration`.
    pub fn bundle_duration(&self) -> BundleDuration {
        BundleDuration(
            self.0
                .f64_histogram("beamlet.bundle.duration")
                .with_unit("s")
                .with_description("From a bundle read to its rows answered, retries included")
                .with_boundaries(SECONDS.to_vec())
                .build(),
        )
    }

    /// Exports what an enricher counts, what its handler counts, and the requests to the store. For one
    /// enricher of a process: the numbers of a second one would have the same names.
    pub fn enricher(&self, enricher: &Arc<Enricher>) {
        self.rows(enricher.metrics());
        self.handler(enricher);
        self.store(enricher.egress());
    }

    fn rows(&self, metrics: &Arc<Metrics>) {
        let of = |meter: fn(&Metrics) -> &Meter| {
            let metrics = metrics.clone();
            move || meter(&metrics).get()
        };
        let count = |name, description, meter| self.counter(name, description, of(meter));
        count("beamlet.rows.asked", "Rows given to the handler, each attempt", |it| &it.asked);
        count("beamlet.rows.retried", "Rows of them that had been asked for before", |it| {
            &it.retried
        });
        count("beamlet.rows.coalesced", "Rows that took the answer of an equal one", |it| {
            &it.coalesced
        });
        count("beamlet.cache.hits", "Rows answered from the cache", |it| &it.cache_hits);
        count("beamlet.cache.misses", "Rows that the cache did not know", |it| &it.cache_misses);
        count("beamlet.cache.stale", "Rows that got an old answer, as the store failed", |it| {
            &it.cache_stale
        });
        count("beamlet.cache.errors", "Calls to the shared cache that failed", |it| {
            &it.cache_errors
        });
        count("beamlet.instances", "Instances of the handler that were set up", |it| &it.instances);
        count("beamlet.instances.lost", "Instances that trapped or took too long", |it| {
            &it.instances_lost
        });
    }

    /// What the handler counts, under its own names.
    fn handler(&self, enricher: &Arc<Enricher>) {
        for name in enricher.counters().into_keys() {
            let enricher = Arc::downgrade(enricher);
            self.0
                .u64_observable_counter(format!("beamlet.handler.{name}"))
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

    fn store(&self, egress: &Arc<Egress>) {
        let all = egress.clone();
        self.counter("beamlet.requests", "Requests sent to the store", move || all.requests());
        let limit = egress.clone();
        self.gauge(
            "beamlet.requests.limit",
            "Requests that the throttle allows at once",
            move || limit.at_once().map(|limit| limit as u64),
        );
        let breaker = egress.clone();
        self.gauge("beamlet.breaker.open", "1 while the store is left alone", move || {
            Some(u64::from(breaker.closed_until().is_some()))
        });
    }
}

/// How long bundles took.
pub struct BundleDuration(Histogram<f64>);

impl BundleDuration {
    /// Records one bundle, from its rows read to its rows answered.
    pub fn record(&self, took: Duration) {
        self.0.record(took.as_secs_f64(), &[]);
    }
}
