//! Metrics and traces for an OpenTelemetry collector, over OTLP/HTTP.
//!
//! A collector that cannot be reached is reported once, with its address and the cause, and not with
//! each export: whatever is exported goes through [`Reporting`].

use crate::TelemetryError;
use beamlet_config::parse_url;
use opentelemetry_otlp::{
    MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, Temporality};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use std::fmt::Display;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::warn;

/// How long a collector may take. Rows do not wait for it; [shutting
/// down](crate::Exporters::shut_down) does.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often metrics are sent.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long the connection may take that is made to find out why none can be made.
const PROBE: Duration = Duration::from_secs(2);

/// A collector, and whether a failure to reach it was reported.
#[derive(Debug)]
pub(crate) struct Collector {
    endpoint: String,
    /// The name of its setting, in messages.
    setting: &'static str,
    failed: AtomicBool,
}

impl Collector {
    /// Takes the endpoint's base URL; nothing is sent yet.
    pub(crate) fn new(endpoint: &str, setting: &'static str) -> Result<Arc<Self>, TelemetryError> {
        let (endpoint, failed) = (endpoint.to_owned(), AtomicBool::new(false));
        let collector = Collector { endpoint, setting, failed };
        let url = url::Url::parse(&collector.endpoint).map_err(|error| collector.refuse(error))?;
        match url.scheme() {
            "http" | "https" if url.has_host() => Ok(Arc::new(collector)),
            _ => Err(collector.refuse("it is no http or https URL")),
        }
    }

    /// Whether something could not be sent.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Sends traces to `ENDPOINT/v1/traces`.
    pub(crate) fn tracers(self: &Arc<Self>) -> Result<SdkTracerProvider, TelemetryError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(self.client()?)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(TIMEOUT)
            .with_endpoint(self.url_of("traces")?)
            .build()
            .map_err(|error| self.refuse(error))?;
        let exporter = Reporting { exporter, collector: self.clone() };
        let tracers = SdkTracerProvider::builder().with_batch_exporter(exporter);
        Ok(tracers.with_resource(resource()).build())
    }

    /// Sends metrics to `ENDPOINT/v1/metrics`.
    pub(crate) fn metrics(
        self: &Arc<Self>,
    ) -> Result<PeriodicReader<Reporting<MetricExporter>>, TelemetryError> {
        let exporter = MetricExporter::builder()
            .with_http()
            .with_http_client(self.client()?)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(TIMEOUT)
            .with_endpoint(self.url_of("metrics")?)
            .build()
            .map_err(|error| self.refuse(error))?;
        let exporter = Reporting { exporter, collector: self.clone() };
        Ok(PeriodicReader::builder(exporter).with_interval(INTERVAL).build())
    }

    /// A blocking client, which has to be made on a thread without a runtime.
    fn client(&self) -> Result<reqwest::blocking::Client, TelemetryError> {
        let made = std::thread::spawn(|| {
            reqwest::blocking::Client::builder()
                .tls_backend_preconfigured(beamlet_egress::tls::trusting())
                .timeout(TIMEOUT)
                .build()
                .map_err(|error| error.to_string())
        });
        let made = made.join().unwrap_or_else(|_| Err("its client could not be made".to_owned()));
        made.map_err(|why| TelemetryError::Endpoint(format!("{}: {why}", self.setting)))
    }

    fn url_of(&self, signal: &str) -> Result<String, TelemetryError> {
        parse_url(&self.endpoint, &["http", "https"]).map_err(|why| {
            TelemetryError::Endpoint(format!(
                "{}: must be a URL such as http://localhost:4318; {why}",
                self.setting
            ))
        })?;
        Ok(format!("{}/v1/{signal}", self.endpoint.trim_end_matches('/')))
    }

    fn refuse(&self, why: impl Display) -> TelemetryError {
        let Collector { endpoint, setting, .. } = self;
        TelemetryError::Endpoint(format!(
            "{setting} {endpoint}: {why}; name a collector, such as http://localhost:4318"
        ))
    }

    /// Passes the result of an export on, and reports the first failure.
    fn note(&self, result: OTelSdkResult) -> OTelSdkResult {
        if let Err(error) = &result
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            let Collector { endpoint, setting, .. } = self;
            // The exporter's error does not say why there is no connection.
            let why = self.why_unreachable().unwrap_or_else(|| error.to_string());
            warn!(
                "{setting} {endpoint}: traces and metrics cannot be sent: {why}; see \
                 whether a collector listens there; the run goes on without it"
            );
        }
        result
    }

    fn why_unreachable(&self) -> Option<String> {
        let uri: http::Uri = self.endpoint.parse().ok()?;
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let host = uri.host()?.trim_matches(['[', ']']);
        let addresses = (host, uri.port_u16().unwrap_or(default)).to_socket_addrs();
        let mut addresses = match addresses {
            Ok(addresses) => addresses,
            Err(error) => return Some(error.to_string()),
        };
        let connected = TcpStream::connect_timeout(&addresses.next()?, PROBE);
        connected.err().map(|error| error.to_string())
    }
}

/// What identifies this program in what is exported.
pub(crate) fn resource() -> Resource {
    Resource::builder()
        .with_service_name("beamlet")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

/// An exporter whose first failure is reported.
#[derive(Debug)]
pub(crate) struct Reporting<E> {
    exporter: E,
    collector: Arc<Collector>,
}

impl<E: opentelemetry_sdk::trace::SpanExporter> opentelemetry_sdk::trace::SpanExporter
    for Reporting<E>
{
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.collector.note(self.exporter.export(batch).await)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Reporting<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.collector.note(self.exporter.export(metrics).await)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(endpoint: &str) -> Option<String> {
        Collector::new(endpoint, "OTLP endpoint").err().map(|error| error.to_string())
    }

    #[test]
    fn an_endpoint_is_an_http_or_https_url() {
        assert_eq!(refusal("http://localhost:4318"), None);
        assert_eq!(refusal("https://collector.example/base"), None);
        assert_eq!(
            refusal("localhost:4318").as_deref(),
            Some(
                "OTLP endpoint localhost:4318: it is no http or https URL; name a collector, such \
                 as http://localhost:4318"
            )
        );
        assert!(refusal("grpc://collector").is_some() && refusal("").is_some());
    }

    #[test]
    fn a_signal_has_its_path_behind_the_endpoints() {
        let collector = Collector::new("http://localhost:4318/base/", "OTLP endpoint").unwrap();
        assert_eq!(collector.url_of("traces").unwrap(), "http://localhost:4318/base/v1/traces");
    }
}
