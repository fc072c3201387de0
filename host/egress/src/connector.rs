//! How connections come about: each within the time that its request allows.

use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::futures::TaskLocalFuture;
use tower_service::Service;

tokio::task_local! {
    /// How long a connection may take that the request at hand needs.
    static ALLOWED: Duration;
}

/// Lets a connection take so long, where the request needs a new one.
pub(crate) fn within<F: Future>(allowed: Duration, request: F) -> TaskLocalFuture<Duration, F> {
    ALLOWED.scope(allowed, request)
}

/// Connects, TLS handshake included, or fails with a time-out.
#[derive(Clone)]
pub(crate) struct Connector {
    connector: HttpsConnector<HttpConnector>,
    /// How long a connection may take that no request waits for.
    most: Duration,
}

impl Connector {
    pub(crate) fn new(connector: HttpsConnector<HttpConnector>, most: Duration) -> Self {
        Connector { connector, most }
    }
}

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(cx)
    }

    /// The client calls this in the course of the request that needs the connection: a request's
    /// own time can be read here, and one client serves them all.
    fn call(&mut self, uri: Uri) -> Self::Future {
        let allowed = ALLOWED.try_with(|allowed| *allowed).unwrap_or(self.most);
        let connecting = self.connector.call(uri);
        Box::pin(async move {
            match tokio::time::timeout(allowed, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
            }
        })
    }
}
