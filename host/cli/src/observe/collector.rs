//! A collector that cannot be reached is told once, with its address and why: not with each export.

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::warn;

/// How long a connection may take that is made to learn why none can be.
const PROBE: Duration = Duration::from_secs(2);

/// A collector.
#[derive(Debug)]
pub(super) struct Collector {
    endpoint: String,
    told: AtomicBool,
}

impl Collector {
    pub(super) fn new(endpoint: &str) -> Arc<Self> {
        Arc::new(Collector { endpoint: endpoint.to_owned(), told: AtomicBool::new(false) })
    }

    /// Whether something could not be sent.
    pub(super) fn has_failed(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    fn heard(&self, result: OTelSdkResult) -> OTelSdkResult {
        if let Err(error) = &result
            && !self.told.swap(true, Ordering::Relaxed)
        {
            let endpoint = &self.endpoint;
            // The exporter keeps to itself why there is no connection.
            let why = self.why_unreachable().unwrap_or_else(|| error.to_string());
            warn!(
                "--otlp-endpoint {endpoint}: traces and metrics cannot be sent: {why}; see \
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

/// An exporter whose failures are told.
#[derive(Debug)]
pub(super) struct Told<E> {
    pub(super) exporter: E,
    pub(super) collector: Arc<Collector>,
}

impl<E: SpanExporter> SpanExporter for Told<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.collector.heard(self.exporter.export(batch).await)
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

impl<E: PushMetricExporter> PushMetricExporter for Told<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.collector.heard(self.exporter.export(metrics).await)
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
