//! The pooled client through which all requests go, and the bodies of their answers.

use crate::addresses::PrivateAddresses;
use crate::admission::{Admission, Slot};
use crate::connector::{Connector, within};
use crate::destination::{Allowed, Destination};
use crate::error::{EgressError, ProxyFault};
use crate::proxy::Proxies;
use crate::secrets::Secrets;
use crate::{Limits, tls};
use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;
use tracing::field::Empty;
use tracing::{Instrument, info, info_span};

/// How long the parts of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// To connect, with the TLS handshake.
    pub connect: Duration,
    /// From the request to the head of the answer; a connection that has to be made counts.
    pub first_byte: Duration,
    /// Between two parts of the answer's body.
    pub between_bytes: Duration,
}

/// Ten seconds each, and five to connect: several times what a slow feature store takes.
impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10),
            between_bytes: Duration::from_secs(10),
        }
    }
}

crate::setters!(Timeouts { connect: Duration, first_byte: Duration, between_bytes: Duration });

/// Sends requests with bodies of type `B` to granted destinations, over pooled connections.
pub struct Egress<B> {
    client: Client<Connector, B>,
    connector: Connector,
    admission: Arc<Admission>,
    common: Arc<Common>,
}

/// What an egress and its [forks](Egress::fork) share.
struct Common {
    allowed: Allowed,
    secrets: Secrets,
    timeouts: Timeouts,
    proxies: Arc<Proxies>,
    private: PrivateAddresses,
    duration: Histogram<f64>,
    refused: Mutex<Vec<String>>,
    requests: AtomicU64,
}

/// How many refused destinations are remembered, as a handler may try any number.
const REFUSED_KEPT: usize = 16;

impl<B> Egress<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// A client that reaches `allowed`, and nothing else.
    pub fn new(allowed: Allowed, secrets: Secrets, timeouts: Timeouts) -> Self {
        Egress::with(allowed, secrets, timeouts, Arc::default(), PrivateAddresses::default())
    }

    fn with(
        allowed: Allowed,
        secrets: Secrets,
        timeouts: Timeouts,
        proxies: Arc<Proxies>,
        private: PrivateAddresses,
    ) -> Self {
        let connector = connector(&allowed, proxies.clone(), private, timeouts.connect);
        let common = Common {
            allowed,
            secrets,
            timeouts,
            proxies,
            private,
            duration: duration(),
            refused: Mutex::default(),
            requests: AtomicU64::new(0),
        };
        Egress {
            client: client(&connector),
            connector,
            admission: Arc::new(Admission::new(&Limits::default())),
            common: Arc::new(common),
        }
    }

    /// The same client with other proxies or addresses; its counts begin at zero.
    fn another(self, proxies: Arc<Proxies>, private: PrivateAddresses) -> Self {
        let Common { allowed, secrets, timeouts, .. } = &*self.common;
        let other = Egress::with(allowed.clone(), secrets.clone(), *timeouts, proxies, private);
        Egress { admission: self.admission, ..other }
    }

    /// Sends requests to the stores of `proxies` through these; counts begin at zero.
    #[must_use]
    pub fn through(self, proxies: Proxies) -> Self {
        for (destination, proxy) in proxies.iter() {
            info!(%destination, proxy, "requests to a store go through a proxy");
        }
        let private = self.common.private;
        self.another(Arc::new(proxies), private)
    }

    /// Sets whether names of stores may resolve to addresses of private networks; counts begin at
    /// zero.
    #[must_use]
    pub fn private_addresses(self, private: PrivateAddresses) -> Self {
        let proxies = self.common.proxies.clone();
        self.another(proxies, private)
    }

    /// The same client with connections of its own, for a thread that has its own runtime. Grants,
    /// limits and counts are shared.
    #[must_use]
    pub fn fork(&self) -> Self {
        Egress {
            client: client(&self.connector),
            connector: self.connector.clone(),
            admission: self.admission.clone(),
            common: self.common.clone(),
        }
    }

    /// Admits no more requests than these limits allow.
    #[must_use]
    pub fn limited(mut self, limits: &Limits) -> Self {
        self.admission = Arc::new(Admission::new(limits));
        self
    }

    /// Until when no request is admitted, because the store is down.
    pub fn closed_until(&self) -> Option<Instant> {
        self.admission.closed_until()
    }

    /// How many requests may be made at once now; `None` for any number.
    pub fn at_once(&self) -> Option<usize> {
        self.admission.at_once()
    }

    /// The time-outs that hold where a request brings none.
    pub fn timeouts(&self) -> Timeouts {
        self.common.timeouts
    }

    /// The secrets, to redact texts with.
    pub fn secrets(&self) -> &Secrets {
        &self.common.secrets
    }

    /// Where a request to this URL goes, if it may; a refusal is remembered.
    ///
    /// # Errors
    /// [`EgressError::Denied`] or [`EgressError::NoDestination`].
    pub fn admit(&self, uri: &Uri) -> Result<Destination, EgressError> {
        let destination = Destination::of(uri).ok_or(EgressError::NoDestination)?;
        if self.common.allowed.allows(&destination) {
            return Ok(destination);
        }
        self.remember(format!("{destination} is not granted: the configuration does not name it"));
        Err(EgressError::Denied(destination))
    }

    fn remember(&self, refusal: String) {
        let mut refused = self.common.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < REFUSED_KEPT && !refused.contains(&refusal) {
            refused.push(refusal);
        }
    }

    /// Which destinations were refused, and why; the first few of them.
    pub fn refused(&self) -> Vec<String> {
        self.common.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests were sent.
    pub fn requests(&self) -> u64 {
        self.common.requests.load(Ordering::Relaxed)
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// The destination is not granted, could not be reached, gave no answer in time, or is down
    /// and the circuit breaker is open.
    pub async fn send(
        &self,
        mut request: Request<B>,
        timeouts: Timeouts,
    ) -> Result<Response<TimedBody>, EgressError> {
        let destination = self.admit(request.uri())?;
        let uri = destination.within(request.uri()).ok_or(EgressError::NoDestination)?;
        *request.uri_mut() = uri;
        let admitted = self.admission.enter().await?;
        self.common.requests.fetch_add(1, Ordering::Relaxed);
        self.common.secrets.reveal(request.headers_mut());
        // A tunnel was authorised when it was opened; a proxy that is sent the request sees this.
        let proxy = self.common.proxies.get(&destination).filter(|_| !destination.is_secure());
        if let Some(auth) = proxy.and_then(|proxy| proxy.auth.as_ref()) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, auth.clone());
        }
        let started = Instant::now();
        let span = info_span!("request", path = request.uri().path(), status = Empty);
        let answer = self.answer(request, timeouts).instrument(span.clone()).await;
        let answer = match (answer, proxy) {
            (Ok(answer), Some(proxy)) if answer.status().as_u16() == 407 => {
                Err(EgressError::Proxy(ProxyFault::unauthorized(proxy).to_string()))
            }
            (answer, _) => answer,
        };
        if let Err(EgressError::Address(denied)) = &answer {
            self.remember(denied.to_string());
        }
        let status = answer.as_ref().map_or(0, |answer| i64::from(answer.status().as_u16()));
        span.record("status", status);
        self.common.duration.record(
            started.elapsed().as_secs_f64(),
            &[KeyValue::new("http.response.status_code", status)],
        );
        let slot = admitted.ended(&answer);
        Ok(answer?.map(|body| TimedBody::new(body, timeouts.between_bytes, slot)))
    }

    /// The head of the answer.
    async fn answer(
        &self,
        mut request: Request<B>,
        timeouts: Timeouts,
    ) -> Result<Response<Incoming>, EgressError> {
        let connection = capture_connection(&mut request);
        let answer = within(timeouts.connect, self.client.request(request));
        match tokio::time::timeout(timeouts.first_byte, answer).await {
            Ok(answer) => answer.map_err(|error| EgressError::of(&error)),
            Err(_) if connection.connection_metadata().is_none() => {
                Err(EgressError::ConnectTimeout)
            }
            Err(_) => Err(EgressError::ReadTimeout),
        }
    }
}

/// Certificates are read only where a destination or a proxy is reached over TLS.
fn connector(
    allowed: &Allowed,
    proxies: Arc<Proxies>,
    private: PrivateAddresses,
    most: Duration,
) -> Connector {
    let secure = allowed.destinations().iter().any(Destination::is_secure) || proxies.any_secure();
    let tls = if secure { tls::trusting() } else { tls::trusting_nobody() };
    Connector::new(tls, proxies, private, most)
}

/// A pool of connections. They are served by the runtime in which they are made.
fn client<B>(connector: &Connector) -> Client<Connector, B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(30))
        .build(connector.clone())
}

/// From the request to the head of the answer; the status is 0 where none came.
fn duration() -> Histogram<f64> {
    opentelemetry::global::meter("beamlet")
        .f64_histogram("beamlet.request.duration")
        .with_unit("s")
        .with_description("From a request to the head of its answer; status 0 where none came")
        .with_boundaries(vec![
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
        ])
        .build()
}

/// A body that fails with [`EgressError::ReadTimeout`] when its next part takes too long.
pub struct TimedBody {
    incoming: Incoming,
    allowed: Duration,
    /// Made when a part has to be waited for: most are there already.
    timer: Option<Pin<Box<Sleep>>>,
    /// The request's place among those that are made at once.
    _slot: Option<Slot>,
}

impl TimedBody {
    pub(crate) fn new(incoming: Incoming, allowed: Duration, slot: Option<Slot>) -> Self {
        TimedBody { incoming, allowed, timer: None, _slot: slot }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(cx) {
            this.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| EgressError::of(&error))));
        }
        let allowed = this.allowed;
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(allowed)));
        timer.as_mut().poll(cx).map(|()| Some(Err(EgressError::ReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
