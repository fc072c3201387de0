//! Why a request got no answer, as precisely as the cause can be known.

use crate::addresses::AddressDenied;
use crate::destination::Destination;
use crate::proxy::Proxy;
use std::error::Error;
use std::io::ErrorKind;
use std::sync::Arc;

/// Why a request got no answer, or a body no end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The destination was not granted.
    #[error("the destination {0} is not granted")]
    Denied(Destination),
    /// The host stands for an address that may not be connected to.
    #[error(transparent)]
    Address(#[from] AddressDenied),
    /// The request names no destination.
    #[error("the request has no http or https URL")]
    NoDestination,
    /// The host name could not be resolved.
    #[error("the host name could not be resolved: {0}")]
    Dns(String),
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// There is no route to the host.
    #[error("no route to the host: {0}")]
    Unroutable(String),
    /// No connection within the time allowed.
    #[error("no connection within the time allowed")]
    ConnectTimeout,
    /// No answer, or no next part of it, within the time allowed.
    #[error("no answer within the time allowed")]
    ReadTimeout,
    /// The TLS handshake failed.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The connection ended before the answer did.
    #[error("the connection was closed before the answer was complete")]
    Closed,
    /// A proxy between here and the store refuses, or cannot be reached.
    #[error("{0}")]
    Proxy(String),
    /// The store is down: no request is sent for a while.
    #[error("the circuit breaker is open, as too many requests failed; the last of them: {last}")]
    Open {
        /// What the last request failed with.
        last: Arc<str>,
    },
    /// Anything else, in the words of the HTTP library.
    #[error("{0}")]
    Other(String),
}

impl EgressError {
    /// Finds the cause in the chain of errors that the client gave.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        for cause in chain(error) {
            if let Some(fault) = cause.downcast_ref::<ProxyFault>() {
                return EgressError::Proxy(fault.to_string());
            }
            if let Some(denied) = cause.downcast_ref::<AddressDenied>() {
                return EgressError::Address(denied.clone());
            }
            if let Some(error) = cause.downcast_ref::<rustls::Error>() {
                return EgressError::Tls(error.to_string());
            }
            if let Some(io) = cause.downcast_ref::<std::io::Error>() {
                if let Some(denied) = io.get_ref().and_then(|e| e.downcast_ref::<AddressDenied>()) {
                    return EgressError::Address(denied.clone());
                }
                if let Some(tls) = io.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
                    return EgressError::Tls(tls.to_string());
                }
                match io.kind() {
                    ErrorKind::ConnectionRefused => return EgressError::Refused,
                    ErrorKind::TimedOut => return EgressError::ConnectTimeout,
                    ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                        return EgressError::Unroutable(io.to_string());
                    }
                    ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof => return EgressError::Closed,
                    _ => {}
                }
            }
            if let Some(hyper) = cause.downcast_ref::<hyper::Error>()
                && (hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled())
            {
                return EgressError::Closed;
            }
        }
        let texts: Vec<String> = chain(error).map(ToString::to_string).collect();
        if texts.iter().any(|text| text == "dns error") {
            return EgressError::Dns(texts.last().cloned().unwrap_or_default());
        }
        EgressError::Other(texts.join(": "))
    }
}

/// The error, and the causes behind it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

type BoxError = Box<dyn Error + Send + Sync>;

/// A connection could not be made because of a proxy.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {proxy} {why}")]
pub(crate) struct ProxyFault {
    /// Its URL, without user name and password.
    proxy: String,
    why: String,
}

impl ProxyFault {
    /// The fault of the proxy, unless the error is one of the store behind it.
    pub(crate) fn of(proxy: String, error: BoxError) -> BoxError {
        // The type of a tunnel's error is not public, its text is.
        let first: &(dyn Error + 'static) = &*error;
        let chain = || chain(first);
        let tunnel = chain().map(ToString::to_string).find(|text| text.starts_with("tunnel error"));
        let why = match tunnel.as_deref() {
            None if chain().any(|error| error.is::<rustls::Error>()) => return error,
            Some(text) if text.ends_with("authorization required") => {
                "asks for a user name and password, or does not accept those that it was given"
                    .to_owned()
            }
            Some(text) if text.ends_with("unsuccessful") => {
                "refuses to open a tunnel to the store".to_owned()
            }
            Some(text) if text.ends_with("unexpected end of file") => {
                "closed the connection before there was a tunnel to the store".to_owned()
            }
            _ => match EgressError::of(first) {
                EgressError::ConnectTimeout => return error,
                cause => format!("cannot be reached: {cause}"),
            },
        };
        Box::new(ProxyFault { proxy, why })
    }

    /// What a proxy answered to a request with 407.
    pub(crate) fn unauthorized(proxy: &Proxy) -> Self {
        let why = "asks for a user name and password, or does not accept those that it was given";
        ProxyFault { proxy: proxy.to_string(), why: why.to_owned() }
    }
}
