//! What is seen of a run from outside: logs, metrics, traces, progress. The exporters are those of
//! [`beamlet_telemetry`].

mod logs;
mod progress;

use super::arguments::Observe;
use super::failure::Usage;
use super::say;
use super::trust::warn_of_no_authorities;
use crate::pipeline::RunMetrics;
use beamlet_telemetry::{ExportOptions, Exporters, TelemetryError};
use std::sync::Arc;

/// What has to be flushed at the end.
pub(crate) struct Observed {
    exporters: Exporters,
    progress: Option<progress::Progress>,
}

impl Observed {
    /// Starts everything that was asked for, before anything happens that is to be seen.
    pub(crate) async fn start(options: &Observe) -> anyhow::Result<Self> {
        let mut exports = ExportOptions::default().prometheus(options.metrics_addr.is_some());
        // An empty variable is as good as none.
        let endpoint = options.otlp_endpoint.as_deref().filter(|it| !it.trim().is_empty());
        if let Some(endpoint) = endpoint {
            if endpoint.starts_with("https") {
                warn_of_no_authorities();
            }
            exports = exports.otlp(endpoint, "--otlp-endpoint");
        }
        let exporters = Exporters::install(&exports).map_err(|error| match error {
            TelemetryError::Endpoint(message) => Usage(message).into(),
            other => anyhow::Error::new(other),
        })?;
        logs::start(options, &exporters)?;
        if let Some(address) = options.metrics_addr {
            let address = exporters.serve_metrics(address).await.map_err(|error| {
                anyhow::anyhow!(
                    "--metrics-addr {address}: cannot be listened at: {error}; choose another \
                     address, or port 0 for one that is free"
                )
            })?;
            say(format_args!("metrics at http://{address}/metrics"));
        }
        Ok(Observed { exporters, progress: None })
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
        self.exporters.shut_down().await;
    }
}
