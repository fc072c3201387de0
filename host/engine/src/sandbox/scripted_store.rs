//! A scripted store in place of the outbound HTTP: a request is answered as the script has it, and does
//! not reach a network.

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wasmtime_wasi_http::{Error, WasiBody};

/// What a scripted store does with a request.
#[derive(Clone, Copy, Debug)]
pub enum Script {
    /// Passes it on to the store itself.
    Real,
    /// Passes every second one on after a while, so that answers come out of order.
    EverySecondLate(Duration),
    /// Answers it.
    Answer {
        /// The status of HTTP.
        status: u16,
        /// The header `retry-after`.
        retry_after: Option<&'static str>,
        /// The body, JSON.
        body: &'static str,
    },
    /// Begins an answer, and breaks off in its body.
    BreaksOff,
    /// Nobody listens.
    Refuses,
    /// No answer comes in time.
    TimesOut,
    /// The destination is not granted.
    Denies,
}

/// What comes of a request.
pub(super) enum Scripted {
    /// It is to be sent to the store itself.
    PassOn(Request<WasiBody>),
    /// The script's answer.
    Response(Response<WasiBody>),
}

/// How much is kept of what a handler sends, in bytes.
const KEPT: usize = 1 << 20;

/// A scripted store. Its script can be changed between two calls into a handler.
pub struct ScriptedStore {
    script: Mutex<Script>,
    received: Mutex<Received>,
}

/// What a handler has sent.
#[derive(Default)]
struct Received {
    requests: u64,
    text: BytesMut,
}

impl ScriptedStore {
    /// A store with this script.
    pub fn new(script: Script) -> Arc<Self> {
        Arc::new(ScriptedStore { script: Mutex::new(script), received: Mutex::default() })
    }

    /// Follows another script from now on.
    pub fn follow(&self, script: Script) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// How many requests there were.
    pub fn requests(&self) -> u64 {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).requests
    }

    /// Whether a text was in the head or the body of a request, as far as they are kept.
    pub fn has_heard(&self, text: &str) -> bool {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.text.windows(text.len().max(1)).any(|part| part == text.as_bytes())
    }

    /// Counts a request; its number, from 0, and what to do with it.
    fn next(&self) -> (u64, Script) {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.requests += 1;
        (received.requests - 1, *self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn record(&self, bytes: &[u8]) {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(received.text.len());
        received.text.extend_from_slice(&bytes[..room.min(bytes.len())]);
    }

    /// Answers a request, or has it passed on.
    pub(super) async fn answer(&self, request: Request<WasiBody>) -> Result<Scripted, Error> {
        let (number, script) = self.next();
        match script {
            Script::Real => return Ok(Scripted::PassOn(request)),
            Script::EverySecondLate(wait) => {
                if number.is_multiple_of(2) {
                    tokio::time::sleep(wait).await;
                }
                return Ok(Scripted::PassOn(request));
            }
            _ => {}
        }
        self.record(request.uri().to_string().as_bytes());
        for (name, value) in request.headers() {
            self.record(format!("{name}: ").as_bytes());
            self.record(value.as_bytes());
        }
        // A store reads a request before it answers. A request that breaks off gets no answer.
        self.record(&request.into_body().collect().await?.to_bytes());
        let (status, retry_after, body) = match script {
            Script::Answer { status, retry_after, body } => {
                let body = Full::new(Bytes::from_static(body.as_bytes()));
                (status, retry_after, body.map_err(|never| match never {}).boxed_unsync())
            }
            Script::BreaksOff => {
                let parts =
                    [Ok(Frame::data(Bytes::from_static(b"{"))), Err(Error::ConnectionTerminated)];
                let parts = StreamBody::new(futures_util::stream::iter(parts));
                (200, None, parts.boxed_unsync())
            }
            Script::TimesOut => return Err(Error::ConnectionReadTimeout),
            Script::Denies => return Err(Error::HttpRequestDenied),
            _ => return Err(Error::ConnectionRefused),
        };
        let mut response = Response::builder().status(status);
        if let Some(wait) = retry_after {
            response = response.header("retry-after", wait);
        }
        let response = response.body(body);
        response
            .map(Scripted::Response)
            .map_err(|error| Error::InternalError(Some(error.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &'static str) -> Request<WasiBody> {
        let body = Full::new(Bytes::from_static(body.as_bytes()));
        let body = body.map_err(|never| match never {}).boxed_unsync();
        Request::post("http://127.0.0.1:1/lookup").body(body).unwrap()
    }

    async fn response(scripted: &ScriptedStore, body: &'static str) -> Response<WasiBody> {
        match scripted.answer(request(body)).await.unwrap() {
            Scripted::Response(response) => response,
            Scripted::PassOn(_) => panic!("the request is not answered"),
        }
    }

    #[tokio::test]
    async fn a_scripted_store_answers_counts_and_remembers_requests() {
        let script = Script::Answer { status: 429, retry_after: Some("7"), body: "busy" };
        let scripted = ScriptedStore::new(script);
        let response = response(&scripted, "hello").await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (429, &"7".parse().unwrap())
        );
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "busy");
        assert_eq!(scripted.requests(), 1);
        assert!(
            scripted.has_heard("hello")
                && scripted.has_heard("/lookup")
                && !scripted.has_heard("bye")
        );
    }

    #[tokio::test]
    async fn a_script_can_change_and_real_requests_are_passed_on_as_they_are() {
        let scripted = ScriptedStore::new(Script::BreaksOff);
        assert!(response(&scripted, "").await.into_body().collect().await.is_err());
        scripted.follow(Script::Real);
        let Scripted::PassOn(passed) = scripted.answer(request("hello")).await.unwrap() else {
            panic!("the request is answered")
        };
        assert_eq!(passed.into_body().collect().await.unwrap().to_bytes(), "hello");
        assert_eq!(scripted.requests(), 2);
    }
}
