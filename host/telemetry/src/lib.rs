//! Exports the metrics and traces of an engine: metrics for Prometheus, metrics and traces for an
//! OpenTelemetry collector over OTLP/HTTP.
//!
//! The engine records into OpenTelemetry's global meter provider and into [`tracing`] spans, and knows
//! no exporter. This crate installs the exporters, and registers the numbers that an
//! [`Enricher`](beamlet::enrich::Enricher) keeps.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use beamlet_telemetry::{ExportOptions, Exporters};
//!
//! // Before the first enricher is set up: an instrument belongs to the provider that is there when
//! // it is made.
//! let exporters = Exporters::install(&ExportOptions::default().prometheus(true))?;
//! let address = exporters.serve_metrics("127.0.0.1:0".parse()?).await?;
//! println!("metrics at http://{address}/metrics");
//!
//! // let enricher = Arc::new(Enricher::from_config(config).await?);
//! // Instruments::global().enricher(&enricher);
//!
//! exporters.shut_down().await;
//! # Ok(())
//! # }
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod exporters;
mod instruments;
mod otlp;
mod scrape;

pub use exporters::{ExportOptions, Exporters, TelemetryError};
pub use instruments::{BundleDuration, Instruments};
