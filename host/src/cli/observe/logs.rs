//! Logs on standard error, as lines for a person or as JSON for a program.

use super::super::arguments::{LogFormat, Observe};
use super::super::failure::Usage;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::IsTerminal;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Sends events to standard error, and spans to the tracers.
pub(super) fn start(options: &Observe, tracers: Option<&SdkTracerProvider>) -> Result<(), Usage> {
    let filter = EnvFilter::builder()
        .parse(&options.log)
        .map_err(|error| Usage(format!("--log {}: {error}", options.log)))?;
    let stderr = std::io::stderr;
    let lines = match options.log_format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(stderr)
            .with_ansi(stderr().is_terminal())
            .boxed(),
        LogFormat::Json => {
            tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(stderr).boxed()
        }
    };
    let spans = tracers.map(|tracers| {
        tracing_opentelemetry::layer()
            .with_tracer(tracers.tracer("beamlet"))
            // The exporter's own requests are none of the run's.
            .with_filter(tracing_subscriber::filter::filter_fn(|metadata| {
                metadata.target().starts_with("beamlet") && *metadata.level() <= LevelFilter::INFO
            }))
    });
    // A second run in one process keeps the first one's: there is one standard error.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).try_init();
    Ok(())
}
