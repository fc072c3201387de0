//! `wasi:http` of a sandbox, over the pooled client that all instances of a handler share.

use super::scripted_store::{Scripted, ScriptedStore};
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
    /// Until when the caller waits for an answer.
    pub(crate) deadline: Option<Instant>,
    /// A scripted store in place of the real one.
    pub(crate) scripted: Option<Arc<ScriptedStore>>,
}

type Sent =
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
            let request = match scripted {
                None => request,
                Some(scripted) => match scripted.answer(request).await? {
                    Scripted::PassOn(request) => request,
                    Scripted::Response(response) => return Ok((response, sent())),
                },
            };
            send(&egress, request, within(timeouts, deadline)).await
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        4
    }
}

/// Sends a request to the store.
async fn send(egress: &Egress, request: http::Request<WasiBody>, timeouts: Timeouts) -> Sent {
    let response = egress.send(request, timeouts).await.map_err(to_wasi)?;
    Ok((response.map(|body| body.map_err(to_wasi).boxed_unsync()), sent()))
}

/// The body of the request was sent.
fn sent() -> Box<dyn Future<Output = Result<(), Error>> + Send> {
    Box::new(std::future::ready(Ok(())))
}

/// The time-outs that the handler asks for, but never longer than the host allows.
fn timeouts(asked: RequestOptions, most: Timeouts) -> Timeouts {
    let shorter =
        |asked: Option<Duration>, most: Duration| asked.map_or(most, |asked| asked.min(most));
    most.connect(shorter(asked.connect_timeout, most.connect))
        .first_byte(shorter(asked.first_byte_timeout, most.first_byte))
        .between_bytes(shorter(asked.between_bytes_timeout, most.between_bytes))
}

/// No longer than the caller waits, and a little less: the handler needs time to report which rows got
/// no answer, and to answer the others.
fn within(timeouts: Timeouts, deadline: Option<Instant>) -> Timeouts {
    let Some(deadline) = deadline else { return timeouts };
    let left = deadline.saturating_duration_since(Instant::now());
    let left = left.saturating_sub((left / 10).min(Duration::from_millis(500)));
    timeouts
        .connect(timeouts.connect.min(left))
        .first_byte(timeouts.first_byte.min(left))
        .between_bytes(timeouts.between_bytes.min(left))
}

/// The corresponding error of `wasi:http`.
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
        // `wasi:http` has no case for an open breaker, for proxies, or for anything else.
        error => Error::InternalError(Some(error.to_string())),
    }
}

/// `WasiBody` fails with this, which the client needs as a standard error.
const _: fn() = || {
    fn is_error<E: Into<Box<dyn StdError + Send + Sync>>>() {}
    is_error::<Error>();
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::scripted_store::Script;
    use http_body_util::{BodyExt, Empty};

    #[tokio::test]
    async fn a_request_that_a_script_passes_on_goes_through_the_egress() {
        let nowhere = Egress::new(Default::default(), Default::default(), Default::default());
        let scripted = Some(ScriptedStore::new(Script::Real));
        let mut outbound = OutboundHttp { egress: Arc::new(nowhere), deadline: None, scripted };
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = http::Request::post("http://127.0.0.1:1/lookup").body(body).unwrap();
        let sending = Box::into_pin(outbound.send_request(request, None, sent()));
        let refused = sending.await.err().unwrap();
        assert!(matches!(refused, Error::HttpRequestDenied), "{refused:?}");
    }
}
