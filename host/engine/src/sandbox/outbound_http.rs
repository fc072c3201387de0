//! `wasi:http` of a sandbox, over the pooled client that all instances of a handler share.

use super::scripted_store::ScriptedStore;
use beamlet_egress::{EgressError, Timeouts};
use http_body_util::BodyExt;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// The way out that all instances of a handler share.
pub type Egress = beamlet_egress::Egress<WasiBody>;

/// A sandbox's side of it.
pub(crate) struct OutboundHttp {
    pub(crate) egress: Arc<Egress>,
    /// When whoever waits for an answer will have gone.
    pub(crate) deadline: Option<Instant>,
    /// A store that is scripted instead of the real one.
    pub(crate) scripted: Option<Arc<ScriptedStore>>,
}

pub(super) type Sent =
    Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for OutboundHttp {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (egress, deadline) = (self.egress.clone(), self.deadline);
        let scripted = self.scripted.clone();
        Box::new(async move {
            let timeouts = timeouts(options.unwrap_or_default(), egress.timeouts());
            let timeouts = within(timeouts, deadline);
            match scripted {
                Some(scripted) => scripted.send(request, &egress, timeouts).await,
                None => pass(&egress, request, timeouts).await,
            }
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        4
    }
}

/// Sends a request to the store.
pub(super) async fn pass(
    egress: &Egress,
    request: http::Request<WasiBody>,
    timeouts: Timeouts,
) -> Sent {
    let response = egress.send(request, timeouts).await.map_err(to_wasi)?;
    let response = response.map(|body| body.map_err(to_wasi).boxed_unsync());
    Ok((response, Box::new(std::future::ready(Ok(()))) as Box<_>))
}

/// What the handler asks for, but never longer than the host allows.
fn timeouts(asked: RequestOptions, most: Timeouts) -> Timeouts {
    let shorter =
        |asked: Option<Duration>, most: Duration| asked.map_or(most, |asked| asked.min(most));
    Timeouts {
        connect: shorter(asked.connect_timeout, most.connect),
        first_byte: shorter(asked.first_byte_timeout, most.first_byte),
        between_bytes: shorter(asked.between_bytes_timeout, most.between_bytes),
    }
}

/// No longer than anybody waits, and a little less: the handler has to tell which rows it was,
/// and to answer the others.
fn within(timeouts: Timeouts, deadline: Option<Instant>) -> Timeouts {
    let Some(deadline) = deadline else { return timeouts };
    let left = deadline.saturating_duration_since(Instant::now());
    let left = left.saturating_sub((left / 10).min(Duration::from_millis(500)));
    Timeouts {
        connect: timeouts.connect.min(left),
        first_byte: timeouts.first_byte.min(left),
        between_bytes: timeouts.between_bytes.min(left),
    }
}

/// The error of `wasi:http` that says the same.
fn to_wasi(error: EgressError) -> Error {
    match error {
        EgressError::Denied(_) => Error::HttpRequestDenied,
        EgressError::Address(_) => Error::DestinationIpProhibited,
        EgressError::NoDestination => Error::HttpRequestUriInvalid,
        EgressError::Dns(why) => Error::DnsError { rcode: Some(why), info_code: None },
        EgressError::Refused => Error::ConnectionRefused,
        EgressError::Unroutable(_) => Error::DestinationIpUnroutable,
        EgressError::ConnectTimeout => Error::ConnectionTimeout,
        EgressError::ReadTimeout => Error::ConnectionReadTimeout,
        EgressError::Tls(why) => {
            Error::TlsAlertReceived { alert_id: None, alert_message: Some(why) }
        }
        EgressError::Closed => Error::ConnectionTerminated,
        // `wasi:http` has no word for a store that is left alone, and none for proxies.
        error @ (EgressError::Open { .. } | EgressError::Proxy(_)) => {
            Error::InternalError(Some(error.to_string()))
        }
        EgressError::Other(why) => Error::InternalError(Some(why)),
    }
}

/// `WasiBody` fails with this, which the client needs as a standard error.
const _: fn() = || {
    fn is_error<E: Into<Box<dyn StdError + Send + Sync>>>() {}
    is_error::<Error>();
};
