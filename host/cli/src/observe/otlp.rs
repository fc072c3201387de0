//! Traces and metrics for an OpenTelemetry collector, over OTLP/HTTP.

use super::super::failure::Usage;
use super::collector::{Collector, Told};
use beamlet_config::parse_url;
use opentelemetry_otlp::{
    MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::sync::Arc;
use std::time::Duration;

/// How long a collector may take: a run does not wait for it, but at its end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often metrics are sent.
const INTERVAL: Duration = Duration::from_secs(10);

/// What tells this program from others.
pub(super) fn resource() -> Resource {
    Resource::builder()
        .with_service_name("beamlet")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Traces to `ENDPOINT/v1/traces`.
pub(super) fn tracers(
    endpoint: &str,
    collector: &Arc<Collector>,
) -> Result<SdkTracerProvider, Usage> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client()?)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(PATIENCE)
        .with_endpoint(at(endpoint, "traces")?)
        .build()
        .map_err(|error| bad(endpoint, &error))?;
    let exporter = Told { exporter, collector: collector.clone() };
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build())
}

/// Metrics to `ENDPOINT/v1/metrics`.
pub(super) fn metrics(
    endpoint: &str,
    collector: &Arc<Collector>,
) -> Result<PeriodicReader<Told<MetricExporter>>, Usage> {
    let exporter = MetricExporter::builder()
        .with_http()
        .with_http_client(client()?)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(PATIENCE)
        .with_endpoint(at(endpoint, "metrics")?)
        .build()
        .map_err(|error| bad(endpoint, &error))?;
    let exporter = Told { exporter, collector: collector.clone() };
    Ok(PeriodicReader::builder(exporter).with_interval(INTERVAL).build())
}

/// An address that can be none is told before a run, and not by each export.
pub(super) fn check(endpoint: &str) -> Result<(), Usage> {
    let url = url::Url::parse(endpoint).map_err(|error| bad(endpoint, &error))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(()),
        _ => Err(bad(endpoint, &"it is no http or https URL")),
    }
}

/// A client that blocks has to be made where blocking is allowed.
fn client() -> Result<reqwest::blocking::Client, Usage> {
    let made = std::thread::spawn(|| {
        reqwest::blocking::Client::builder()
            .tls_backend_preconfigured(beamlet_egress::tls::trusting())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| error.to_string())
    });
    made.join()
        .unwrap_or_else(|_| Err("its client could not be made".to_owned()))
        .map_err(|why| Usage(format!("--otlp-endpoint: {why}")))
}

fn at(endpoint: &str, signal: &str) -> Result<String, Usage> {
    parse_url(endpoint, &["http", "https"]).map_err(|why| {
        Usage(format!("--otlp-endpoint: must be a URL such as http://localhost:4318; {why}"))
    })?;
    Ok(format!("{}/v1/{signal}", endpoint.trim_end_matches('/')))
}

fn bad(endpoint: &str, error: &dyn std::fmt::Display) -> Usage {
    Usage(format!(
        "--otlp-endpoint {endpoint}: {error}; name a collector, such as http://localhost:4318"
    ))
}
