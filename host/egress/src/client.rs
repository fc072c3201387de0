//! The pooled client behind the door.

use crate::connector::{Connector, within};
use crate::{Allowed, Destination, EgressError, Secrets, TimedBody};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long the parts of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect, with the TLS handshake.
    pub connect: Duration,
    /// From the request to the head of the answer; a connection that has to be made counts.
    pub first_byte: Duration,
    /// Between two parts of the answer's body.
    pub between_bytes: Duration,
}

/// Ten seconds each, and five to connect: several times what a feature store takes when it is
/// not well.
impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            between_bytes: Duration::from_secs(10),
        }
    }
}

/// Sends requests with bodies of type `B` to granted destinations, over pooled connections.
pub struct Egress<B> {
    client: Client<Connector, B>,
    allowed: Allowed,
    secrets: Secrets,
    timeouts: Timeouts,
    refused: Mutex<Vec<Destination>>,
    requests: AtomicU64,
}

/// How many refused destinations are remembered: a handler may try any number.
const REFUSED_KEPT: usize = 16;

impl<B> Egress<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// Opens the door to `allowed`, and to nothing else.
    pub fn new(allowed: Allowed, secrets: Secrets, timeouts: Timeouts) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(timeouts.connect));
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring offers the default protocol versions")
            .with_root_certificates(roots(&allowed))
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(Connector::new(connector, timeouts.connect));
        Egress {
            client,
            allowed,
            secrets,
            timeouts,
            refused: Mutex::default(),
            requests: AtomicU64::new(0),
        }
    }

    /// The time-outs that hold where a request brings none.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// The secrets, to redact texts with.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Whether a request may go to this URL; a refusal is remembered.
    ///
    /// # Errors
    /// [`EgressError::Denied`] or [`EgressError::NoDestination`].
    pub fn admit(&self, uri: &Uri) -> Result<(), EgressError> {
        let destination = Destination::of(uri).ok_or(EgressError::NoDestination)?;
        if self.allowed.allows(&destination) {
            return Ok(());
        }
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < REFUSED_KEPT && !refused.contains(&destination) {
            refused.push(destination.clone());
        }
        Err(EgressError::Denied(destination))
    }

    /// The destinations that were asked for and not granted; the first few of them.
    pub fn refused(&self) -> Vec<Destination> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// The destination is not granted, could not be reached, or gave no answer in time.
    pub async fn send(
        &self,
        mut request: Request<B>,
        timeouts: Timeouts,
    ) -> Result<Response<TimedBody>, EgressError> {
        self.admit(request.uri())?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.secrets.reveal(request.headers_mut());
        let connection = capture_connection(&mut request);
        let answer = within(timeouts.connect, self.client.request(request));
        let response = match tokio::time::timeout(timeouts.first_byte, answer).await {
            Ok(answer) => answer.map_err(|error| EgressError::of(&error))?,
            Err(_) if connection.connection_metadata().is_none() => {
                return Err(EgressError::ConnectTimeout);
            }
            Err(_) => return Err(EgressError::ReadTimeout),
        };
        Ok(response.map(|body| TimedBody::new(body, timeouts.between_bytes)))
    }
}

/// Whom to trust: Mozilla's list, and what this machine trusts besides (a company's own
/// authority, or what `SSL_CERT_FILE` names). Not read where nothing is asked over TLS.
fn roots(allowed: &Allowed) -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    if allowed.destinations().iter().any(Destination::is_secure) {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    roots
}
