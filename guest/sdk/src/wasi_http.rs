//! The transport of a component: `wasi:http`.
//!
//! Each call into the host has a cost, so a request makes few: one for all headers, a length so that
//! the body is sent in one piece, no pollable for an answer that has arrived already, and one `poll`
//! for several answers.

use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse,
    Method as WasiMethod, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use crate::bindings::wasi::io::poll::{self, Pollable};
use crate::bindings::wasi::io::streams::{InputStream, StreamError};
use crate::transport::{MAX_BODY_BYTES, MAX_ERROR_BYTES, Method, Target, decoded, looks_encoded};
use crate::{Request, Response, Transport, TransportError};

/// Sends over `wasi:http`; waits in `wasi:io/poll`.
#[derive(Default)]
pub struct WasiHttp;

/// A request in flight.
pub struct Call {
    progress: Progress,
    /// Whether it may be able to advance.
    ready: bool,
}

/// The state of a call. Fields drop in order: a pollable before its parent.
enum Progress {
    /// It could not be sent.
    Refused(TransportError),
    /// The head of the answer has not arrived.
    Head { pollable: Pollable, future: FutureIncomingResponse },
    /// The body is arriving.
    Body { pollable: Option<Pollable>, reading: Reading },
    /// Being moved to another state.
    Gone,
}

/// A body that is being read.
struct Reading {
    stream: InputStream,
    response: Response,
    /// The owner of the stream, which has to outlive it.
    _body: IncomingBody,
    head: IncomingResponse,
}

impl Transport for WasiHttp {
    type Call = Call;

    fn send(&self, request: Request) -> Call {
        match send(&request) {
            Ok(future) => Call {
                progress: Progress::Head { pollable: future.subscribe(), future },
                ready: false,
            },
            Err(code) => Call { progress: Progress::Refused(code.into()), ready: true },
        }
    }

    fn any(
        &self,
        calls: &mut Vec<Call>,
    ) -> impl Future<Output = (usize, Result<Response, TransportError>)> + Send {
        std::future::ready(wait(calls))
    }
}

/// Blocks until one of the calls has ended.
fn wait(calls: &mut Vec<Call>) -> (usize, Result<Response, TransportError>) {
    loop {
        for at in 0..calls.len() {
            if std::mem::take(&mut calls[at].ready)
                && let Some(end) = calls[at].advance()
            {
                calls.swap_remove(at);
                return (at, end);
            }
        }
        // No call is ready, so each has a pollable: the positions are the same.
        let pollables: Vec<&Pollable> = calls.iter().filter_map(Call::pollable).collect();
        for at in poll::poll(&pollables) {
            calls[at as usize].ready = true;
        }
    }
}

impl Call {
    fn pollable(&self) -> Option<&Pollable> {
        match &self.progress {
            Progress::Head { pollable, .. } => Some(pollable),
            Progress::Body { pollable, .. } => pollable.as_ref(),
            Progress::Refused(_) | Progress::Gone => None,
        }
    }

    /// Advances as far as it can without waiting.
    fn advance(&mut self) -> Option<Result<Response, TransportError>> {
        loop {
            match std::mem::replace(&mut self.progress, Progress::Gone) {
                Progress::Refused(why) => return Some(Err(why)),
                Progress::Gone => {
                    return Some(Err(TransportError::Broken("the answer was taken".into())));
                }
                Progress::Head { pollable, future } => match future.get() {
                    None => {
                        self.progress = Progress::Head { pollable, future };
                        return None;
                    }
                    Some(Ok(Ok(head))) => {
                        drop(pollable);
                        match Reading::new(head) {
                            Ok(reading) => {
                                self.progress = Progress::Body { pollable: None, reading }
                            }
                            Err(why) => return Some(Err(why)),
                        }
                    }
                    Some(Ok(Err(code))) => {
                        drop(pollable);
                        return Some(Err(code.into()));
                    }
                    Some(Err(())) => {
                        drop(pollable);
                        return Some(Err(TransportError::Broken("the answer was taken".into())));
                    }
                },
                Progress::Body { pollable, mut reading } => match reading.read() {
                    Ok(true) => {
                        drop(pollable);
                        return Some(reading.end());
                    }
                    Ok(false) => {
                        let pollable = pollable.unwrap_or_else(|| reading.stream.subscribe());
                        self.progress = Progress::Body { pollable: Some(pollable), reading };
                        return None;
                    }
                    Err(why) => {
                        drop(pollable);
                        return Some(Err(why));
                    }
                },
            }
        }
    }
}

/// The most bytes of one read: more than an answer for ten entities has.
const READ_BYTES: u64 = 256 << 10;

impl Reading {
    fn new(head: IncomingResponse) -> Result<Self, TransportError> {
        let status = head.status();
        let mut response = Response { status, retry_after: None, location: None, body: Vec::new() };
        if status != 200 {
            let headers = head.headers();
            let first = |name: &str| {
                headers.get(name).into_iter().next().and_then(|value| String::from_utf8(value).ok())
            };
            response.retry_after = first("retry-after");
            response.location = first("location");
        }
        let taken = || TransportError::Broken("the body of the answer was taken".into());
        let body = head.consume().map_err(|()| taken())?;
        let stream = body.stream().map_err(|()| taken())?;
        Ok(Reading { stream, response, _body: body, head })
    }

    /// The complete answer, decompressed.
    fn end(self) -> Result<Response, TransportError> {
        let mut response = self.response;
        if !looks_encoded(&response.body) {
            return Ok(response);
        }
        let headers = self.head.headers().get("content-encoding");
        let encoding = headers.iter().map(|value| String::from_utf8_lossy(value));
        let encoding = encoding.collect::<Vec<_>>().join(",");
        let body = std::mem::take(&mut response.body);
        match decoded(body, &encoding, MAX_BODY_BYTES) {
            Ok(body) => response.body = body,
            Err(error) if response.status == 200 => return Err(error),
            // The status says enough without the body.
            Err(_) => {}
        }
        Ok(response)
    }

    /// Reads the bytes that have arrived; true at the end of the body.
    fn read(&mut self) -> Result<bool, TransportError> {
        loop {
            match self.stream.read(READ_BYTES) {
                Ok(bytes) if bytes.is_empty() => return Ok(false),
                Ok(bytes) if self.response.body.is_empty() => self.response.body = bytes,
                Ok(bytes) => self.response.body.extend(bytes),
                Err(StreamError::Closed) => return Ok(true),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(
                        match crate::bindings::wasi::http::types::http_error_code(&error) {
                            Some(code) => code.into(),
                            None => TransportError::Broken(error.to_debug_string()),
                        },
                    );
                }
            }
            if self.response.status != 200 && self.response.body.len() > MAX_ERROR_BYTES {
                self.response.body.truncate(MAX_ERROR_BYTES);
                return Ok(true);
            }
            if self.response.body.len() > MAX_BODY_BYTES {
                return Err(TransportError::TooLarge(MAX_BODY_BYTES));
            }
        }
    }
}

fn send(request: &Request) -> Result<FutureIncomingResponse, ErrorCode> {
    let target = &*request.target;
    let outgoing = OutgoingRequest::new(headers(request)?);
    let scheme = if target.secure { Scheme::Https } else { Scheme::Http };
    let method = match request.method {
        Method::Get => WasiMethod::Get,
        Method::Post => WasiMethod::Post,
    };
    let set = [
        outgoing.set_method(&method),
        outgoing.set_scheme(Some(&scheme)),
        outgoing.set_authority(Some(&target.authority)),
        outgoing.set_path_with_query(Some(&request.path_with_query())),
    ];
    if set.iter().any(Result::is_err) {
        return Err(ErrorCode::HttpRequestUriInvalid);
    }
    if request.method == Method::Get {
        // A body that was taken is sent, chunked, even where it is empty.
        return outgoing_handler::handle(outgoing, options(target));
    }
    let body = outgoing.body().map_err(|()| internal("the body was taken"))?;
    let future = outgoing_handler::handle(outgoing, options(target))?;
    // Where the body cannot be sent, because there is no connection or the server refuses the rest, the
    // answer says why.
    if write(&body, &request.body).is_some() {
        OutgoingBody::finish(body, None)?;
    }
    Ok(future)
}

fn headers(request: &Request) -> Result<Fields, ErrorCode> {
    let own = &request.target.headers;
    let mut headers = Vec::with_capacity(own.len() + 1);
    headers.extend(own.iter().cloned());
    if request.method == Method::Post {
        let length = request.body.len().to_string();
        headers.push(("content-length".to_owned(), length.into_bytes()));
    }
    Fields::from_list(&headers)
        .map_err(|error| internal(&format!("a header is not valid: {error:?}")))
}

fn options(target: &Target) -> Option<RequestOptions> {
    let ns = |ms: u64| ms.saturating_mul(1_000_000);
    let timeouts = target.timeouts;
    if timeouts == crate::Timeouts::default() {
        return None;
    }
    let options = RequestOptions::new();
    // A host without such a time-out refuses it, and uses its own.
    let _ = options.set_connect_timeout(timeouts.connect_ms.map(ns));
    let _ = options.set_first_byte_timeout(timeouts.response_ms.map(ns));
    let _ = options.set_between_bytes_timeout(timeouts.response_ms.map(ns));
    Some(options)
}

/// Sends a body; `None` where the server does not take it.
fn write(body: &OutgoingBody, mut bytes: &[u8]) -> Option<()> {
    let stream = body.write().ok()?;
    while !bytes.is_empty() {
        let room = stream.check_write().ok()? as usize;
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now).ok()?;
        bytes = later;
    }
    Some(())
}

fn internal(what: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(what.to_owned()))
}

impl From<ErrorCode> for TransportError {
    fn from(code: ErrorCode) -> Self {
        use TransportError::{Broken, Denied, TimedOut, Unreachable};
        match code {
            ErrorCode::HttpRequestDenied => Denied,
            ErrorCode::ConnectionRefused => Unreachable("connection refused".into()),
            ErrorCode::DestinationNotFound => Unreachable("the host name is not known".into()),
            ErrorCode::DnsError(error) => Unreachable(match error.rcode {
                Some(rcode) => format!("the host name could not be resolved: {rcode}"),
                None => "the host name could not be resolved".into(),
            }),
            ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
                Unreachable("no route to the host".into())
            }
            ErrorCode::DestinationIpProhibited => Denied,
            ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError => {
                Unreachable(format!("TLS failed: {code:?}"))
            }
            ErrorCode::TlsAlertReceived(alert) => {
                Unreachable(format!("TLS failed: {}", alert.alert_message.unwrap_or_default()))
            }
            ErrorCode::ConnectionTimeout | ErrorCode::DnsTimeout => {
                TimedOut("no connection within the time allowed".into())
            }
            ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
                TimedOut("no answer within the time allowed".into())
            }
            ErrorCode::ConnectionWriteTimeout => {
                TimedOut("the request took too long to send".into())
            }
            ErrorCode::ConnectionTerminated => {
                Broken("the connection was closed before the answer".into())
            }
            ErrorCode::HttpResponseIncomplete => Broken("the answer broke off".into()),
            ErrorCode::InternalError(Some(why)) => Unreachable(why),
            other => Broken(format!("{other:?}")),
        }
    }
}
