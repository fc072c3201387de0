//! Makes connections: directly, through a proxy, or through a tunnel that a proxy opens; each within
//! the time that its request allows.

use crate::addresses::{PrivateAddresses, Resolver};
use crate::destination::Destination;
use crate::error::ProxyFault;
use crate::proxy::{Proxies, Proxy};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::futures::TaskLocalFuture;
use tower_service::Service;

tokio::task_local! {
    /// How long a connection may take that the request at hand needs.
    static ALLOWED: Duration;
}

/// Limits how long a connection may take to make, where the request needs a new one.
pub(crate) fn within<F: Future>(allowed: Duration, request: F) -> TaskLocalFuture<Duration, F> {
    ALLOWED.scope(allowed, request)
}

/// A connection to a server, over TLS or not.
type Transport = MaybeHttpsStream<TokioIo<TcpStream>>;

type BoxError = Box<dyn Error + Send + Sync>;

/// Connects, TLS handshake included, or fails with a time-out.
#[derive(Clone)]
pub(crate) struct Connector {
    direct: HttpsConnector<HttpConnector<Resolver>>,
    /// To proxies: the user named them, wherever they are.
    to_proxies: HttpsConnector<HttpConnector>,
    tls: Arc<ClientConfig>,
    proxies: Arc<Proxies>,
    /// How long a connection may take that no request waits for.
    most: Duration,
}

impl Connector {
    pub(crate) fn new(
        tls: ClientConfig,
        proxies: Arc<Proxies>,
        private: PrivateAddresses,
        most: Duration,
    ) -> Self {
        Connector {
            direct: over_tls(tls.clone(), tcp(Resolver::new(private), most)),
            to_proxies: over_tls(tls.clone(), tcp(GaiResolver::new(), most)),
            tls: Arc::new(tls),
            proxies,
            most,
        }
    }

    /// Connects by way of a proxy: with a request for a tunnel where the destination is reached over
    /// TLS, and else to the proxy itself, which is sent the request.
    fn through(
        &mut self,
        proxy: Proxy,
        destination: &Destination,
        uri: Uri,
    ) -> Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>> {
        let name = proxy.to_string();
        let fault = move |error: BoxError| ProxyFault::of(name, error);
        if destination.is_secure() {
            let mut tunnel = Tunnel::new(proxy.uri.clone(), self.to_proxies.clone());
            if let Some(auth) = &proxy.auth {
                tunnel = tunnel.with_auth(auth.clone());
            }
            let connecting = over_tls((*self.tls).clone(), tunnel).call(uri);
            Box::pin(async move {
                let io = connecting.await.map_err(fault)?;
                Ok(Stream { io, to_a_proxy: false })
            })
        } else {
            let connecting = self.to_proxies.call(proxy.uri.clone());
            Box::pin(async move {
                let io = MaybeHttpsStream::Http(connecting.await.map_err(fault)?);
                Ok(Stream { io, to_a_proxy: true })
            })
        }
    }
}

fn tcp<R>(resolver: R, most: Duration) -> HttpConnector<R> {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(most));
    tcp
}

fn over_tls<C>(tls: ClientConfig, connector: C) -> HttpsConnector<C> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    builder.wrap_connector(connector)
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        std::task::ready!(self.direct.poll_ready(cx))?;
        self.to_proxies.poll_ready(cx)
    }

    /// The client calls this in the course of the request that needs the connection: a request's
    /// own time can be read here, and one client serves them all.
    fn call(&mut self, uri: Uri) -> Self::Future {
        let allowed = ALLOWED.try_with(|allowed| *allowed).unwrap_or(self.most);
        let destination = Destination::of(&uri);
        let proxy = destination.as_ref().and_then(|destination| self.proxies.get(destination));
        let connecting: Self::Future = match (proxy.cloned(), destination) {
            (Some(proxy), Some(destination)) => self.through(proxy, &destination, uri),
            _ => {
                // An address that stands in the URL itself is not resolved.
                if let Err(denied) = PrivateAddresses::check(uri.host().unwrap_or_default()) {
                    return Box::pin(std::future::ready(Err(denied.into())));
                }
                let connecting = self.direct.call(uri);
                Box::pin(async move {
                    let io = MaybeHttpsStream::Http(connecting.await?);
                    Ok(Stream { io, to_a_proxy: false })
                })
            }
        };
        Box::pin(async move {
            match tokio::time::timeout(allowed, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

/// A connection to a store, or to a proxy that is sent its requests.
pub(crate) struct Stream {
    io: MaybeHttpsStream<Transport>,
    to_a_proxy: bool,
}

impl Connection for Stream {
    /// A proxy is sent the whole URL.
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.to_a_proxy)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, pieces)
    }
}
