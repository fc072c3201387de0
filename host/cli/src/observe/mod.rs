//! What is seen of a run from outside: logs, metrics, traces, progress.

mod collector;
mod logs;
mod metrics;
mod otlp;
mod progress;

use self::collector::Collector;
use super::arguments::Observe;
use super::say;
use super::trust::warn_of_no_authorities;
use crate::pipeline::RunMetrics;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::sync::Arc;

/// What has to be flushed at the end.
pub(crate) struct Observed {
    metrics: Option<SdkMeterProvider>,
    tracers: Option<SdkTracerProvider>,
    progress: Option<progress::Progress>,
    collector: Option<Arc<Collector>>,
}

impl Observed {
    /// Starts all that was asked for; before anything that is to be seen.
    pub(crate) async fn start(options: &Observe) -> anyhow::Result<Self> {
        // An empty variable is as good as none.
        let endpoint = options.otlp_endpoint.as_deref().filter(|it| !it.trim().is_empty());
        if let Some(endpoint) = endpoint {
            otlp::check(endpoint)?;
            if endpoint.starts_with("https") {
                warn_of_no_authorities();
            }
        }
        let collector = endpoint.map(Collector::new);
        let traced = endpoint.zip(collector.as_ref());
        let tracers = traced.map(|(at, collector)| otlp::tracers(at, collector)).transpose()?;
        logs::start(options, tracers.as_ref())?;
        let mut provider = SdkMeterProvider::builder().with_resource(otlp::resource());
        if let Some((endpoint, collector)) = traced {
            provider = provider.with_reader(otlp::metrics(endpoint, collector)?);
        }
        let registry = prometheus::Registry::new();
        if options.metrics_addr.is_some() {
            let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
            provider = provider.with_reader(exporter.build()?);
        }
        let wanted = endpoint.is_some() || options.metrics_addr.is_some();
        let metrics = wanted.then(|| provider.build());
        if let Some(metrics) = &metrics {
            opentelemetry::global::set_meter_provider(metrics.clone());
        }
        if let Some(address) = options.metrics_addr {
            let address = metrics::serve(address, registry).await.map_err(|error| {
                anyhow::anyhow!(
                    "--metrics-addr {address}: cannot be listened at: {error}; choose another \
                     address, or port 0 for one that is free"
                )
            })?;
            say(format_args!("metrics at http://{address}/metrics"));
        }
        Ok(Observed { metrics, tracers, progress: None, collector })
    }

    /// Shows how far a run has come, where somebody looks.
    pub(crate) fn watch(&mut self, metrics: &Arc<RunMetrics>, options: &Observe) {
        self.progress = progress::Progress::start(metrics.clone(), options.progress);
    }

    /// Ends the progress, and sends what has not been sent.
    pub(crate) async fn end(self) {
        if let Some(progress) = self.progress {
            progress.end();
        }
        // The exporters block.
        let flush = tokio::task::spawn_blocking(move || {
            let metrics = self.metrics.map_or(Ok(()), |metrics| metrics.shutdown());
            let tracers = self.tracers.map_or(Ok(()), |tracers| tracers.shutdown());
            [metrics, tracers]
        });
        for ended in flush.await.into_iter().flatten() {
            let is_told = self.collector.as_ref().is_some_and(|it| it.has_failed());
            if let Err(error) = ended
                && !is_told
            {
                tracing::warn!(%error, "not all that was observed could be sent");
            }
        }
    }
}
