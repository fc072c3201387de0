//! What is seen of a run from outside: logs, metrics, traces, progress.

mod logs;
mod metrics;
mod otlp;
mod progress;

use super::arguments::Observe;
use anyhow::Context;
use beamlet::run::RunMeters;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::sync::Arc;

/// What has to be flushed at the end.
pub(crate) struct Observed {
    meters: Option<SdkMeterProvider>,
    tracers: Option<SdkTracerProvider>,
    progress: Option<progress::Progress>,
}

impl Observed {
    /// Starts all that was asked for; before anything that is to be seen.
    pub(crate) async fn start(options: &Observe) -> anyhow::Result<Self> {
        let tracers = options.otlp_endpoint.as_deref().map(otlp::tracers).transpose()?;
        logs::start(options, tracers.as_ref())?;
        let mut provider = SdkMeterProvider::builder().with_resource(otlp::resource());
        if let Some(endpoint) = &options.otlp_endpoint {
            provider = provider.with_reader(otlp::meters(endpoint)?);
        }
        let registry = prometheus::Registry::new();
        if options.metrics_addr.is_some() {
            let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
            provider = provider.with_reader(exporter.build()?);
        }
        let wanted = options.otlp_endpoint.is_some() || options.metrics_addr.is_some();
        let meters = wanted.then(|| provider.build());
        if let Some(meters) = &meters {
            opentelemetry::global::set_meter_provider(meters.clone());
        }
        if let Some(address) = options.metrics_addr {
            let address = metrics::serve(address, registry)
                .await
                .with_context(|| format!("--metrics-addr {address}: cannot be listened at"))?;
            eprintln!("metrics at http://{address}/metrics");
        }
        Ok(Observed { meters, tracers, progress: None })
    }

    /// Shows how far a run has come, where somebody looks.
    pub(crate) fn watch(&mut self, meters: &Arc<RunMeters>, options: &Observe) {
        self.progress = progress::Progress::start(meters.clone(), options.progress);
    }

    /// Ends the progress, and sends what has not been sent.
    pub(crate) async fn end(self) {
        if let Some(progress) = self.progress {
            progress.end();
        }
        // The exporters block.
        let flush = tokio::task::spawn_blocking(move || {
            let meters = self.meters.map_or(Ok(()), |meters| meters.shutdown());
            let tracers = self.tracers.map_or(Ok(()), |tracers| tracers.shutdown());
            [meters, tracers]
        });
        for ended in flush.await.into_iter().flatten() {
            if let Err(error) = ended {
                tracing::warn!(%error, "not all that was observed could be sent");
            }
        }
    }
}
