//! All exporters of a process, from options to the last flush.

use crate::otlp::{Collector, resource};
use crate::scrape;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prometheus::Registry;
use std::net::SocketAddr;
use std::sync::Arc;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// What the targets of this project's spans begin with.
const TARGET: &str = "beamlet";

/// What is exported, and where to; by default nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExportOptions {
    /// The base URL of an OpenTelemetry collector, such as `http://localhost:4318`, and the name of its
    /// setting in messages.
    pub otlp: Option<(String, &'static str)>,
    /// Whether metrics are gathered for [`Exporters::serve_metrics`].
    pub prometheus: bool,
}

impl ExportOptions {
    /// Sends metrics and traces to a collector. `setting` names, in messages, the setting that holds the
    /// endpoint, such as `--otlp-endpoint`.
    #[must_use]
    pub fn otlp(mut self, endpoint: impl Into<String>, setting: &'static str) -> Self {
        self.otlp = Some((endpoint.into(), setting));
        self
    }

    /// Gathers metrics for [`Exporters::serve_metrics`].
    #[must_use]
    pub fn prometheus(mut self, gathered: bool) -> Self {
        self.prometheus = gathered;
        self
    }
}

/// The exporters cannot be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The collector's endpoint cannot be used as it is written: the setting, the cause, and what to
    /// write.
    #[error("{0}")]
    Endpoint(String),
    /// The exporter for Prometheus cannot be made.
    #[error("metrics cannot be gathered for Prometheus")]
    Prometheus(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The exporters of a process. They have to be [shut down](Self::shut_down), or what was recorded last
/// is not sent.
pub struct Exporters {
    metrics: Option<SdkMeterProvider>,
    tracers: Option<SdkTracerProvider>,
    collector: Option<Arc<Collector>>,
    registry: Registry,
}

impl Exporters {
    /// Makes the exporters, and installs OpenTelemetry's global meter provider where one of them takes
    /// metrics. An instrument belongs to the provider that is installed when it is made: install
    /// exporters before an enricher is set up.
    ///
    /// Traces need [`spans`](Self::spans) in the process's subscriber besides.
    ///
    /// # Errors
    /// The collector's endpoint is no http or https URL.
    pub fn install(options: &ExportOptions) -> Result<Self, TelemetryError> {
        let collector = options.otlp.as_ref();
        let collector = collector.map(|(at, setting)| Collector::new(at, setting)).transpose()?;
        let tracers = collector.as_ref().map(Collector::tracers).transpose()?;
        let mut provider = SdkMeterProvider::builder().with_resource(resource());
        if let Some(collector) = &collector {
            provider = provider.with_reader(collector.metrics()?);
        }
        let registry = Registry::new();
        if options.prometheus {
            let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
            let exporter = exporter.build();
            let exporter = exporter.map_err(|error| TelemetryError::Prometheus(Box::new(error)))?;
            provider = provider.with_reader(exporter);
        }
        let has_reader = collector.is_some() || options.prometheus;
        let metrics = has_reader.then(|| provider.build());
        if let Some(metrics) = &metrics {
            opentelemetry::global::set_meter_provider(metrics.clone());
        }
        Ok(Exporters { metrics, tracers, collector, registry })
    }

    /// The layer of a [`tracing`] subscriber that sends this project's spans to the collector; `None`
    /// where there is no collector.
    pub fn spans<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracers = self.tracers.as_ref()?;
        let layer = tracing_opentelemetry::layer().with_tracer(tracers.tracer("beamlet"));
        // Spans of dependencies would include those of the exporter's own requests.
        Some(layer.with_filter(filter_fn(|metadata| {
            metadata.target().starts_with(TARGET) && *metadata.level() <= LevelFilter::INFO
        })))
    }

    /// Serves `GET /metrics` for Prometheus until the process ends, and returns the address that it
    /// listens at; port 0 takes a free one. Needs [`ExportOptions::prometheus`] and a tokio runtime.
    ///
    /// # Errors
    /// The address cannot be listened at.
    pub async fn serve_metrics(&self, address: SocketAddr) -> std::io::Result<SocketAddr> {
        scrape::serve(address, self.registry.clone()).await
    }

    /// Sends what has not been sent, and ends the exporters. Waits for a collector for a few seconds
    /// at most; a failure is logged.
    pub async fn shut_down(self) {
        // The exporters block.
        let flush = tokio::task::spawn_blocking(move || {
            let metrics = self.metrics.map_or(Ok(()), |metrics| metrics.shutdown());
            let tracers = self.tracers.map_or(Ok(()), |tracers| tracers.shutdown());
            [metrics, tracers]
        });
        for ended in flush.await.into_iter().flatten() {
            let is_reported = self.collector.as_ref().is_some_and(|it| it.has_failed());
            if let Err(error) = ended
                && !is_reported
            {
                tracing::warn!(%error, "not all that was observed could be sent");
            }
        }
    }
}
