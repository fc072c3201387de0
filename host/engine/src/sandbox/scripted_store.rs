//! A store that is scripted inside the outbound: a handler asks, and gets the answer that a script has
//! for it, from no network at all.

use super::outbound_http::{Egress, Sent};
use bytes::{Bytes, BytesMut};
use http::Response;
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

/// How much is kept of what a handler sends, in bytes.
const KEPT: usize = 1 << 20;

/// A scripted store. Its script can be changed between two calls into a handler.
pub struct ScriptedStore {
    script: Mutex<Script>,
    heard: Mutex<Heard>,
}

/// What a handler has sent.
#[derive(Default)]
struct Heard {
    requests: u64,
    text: BytesMut,
}

impl ScriptedStore {
    /// A store with this script.
    pub fn new(script: Script) -> Arc<Self> {
        Arc::new(ScriptedStore { script: Mutex::new(script), heard: Mutex::default() })
    }

    /// Plays another script from now on.
    pub fn follow(&self, script: Script) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// How many requests there were.
    pub fn requests(&self) -> u64 {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).requests
    }

    /// Whether a text was in the head or the body of a request, as far as they are kept.
    pub fn has_heard(&self, text: &str) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.text.windows(text.len().max(1)).any(|part| part == text.as_bytes())
    }

    /// Counts a request; its number, from 0, and what to do with it.
    fn next(&self) -> (u64, Script) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.requests += 1;
        (heard.requests - 1, *self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hear(&self, bytes: &[u8]) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(heard.text.len());
        heard.text.extend_from_slice(&bytes[..room.min(bytes.len())]);
    }

    /// Answers a request, or passes it on to `egress`.
    pub(super) async fn send(
        &self,
        request: http::Request<WasiBody>,
        egress: &Egress,
        timeouts: beamlet_egress::Timeouts,
    ) -> Sent {
        let (number, script) = self.next();
        match script {
            Script::Real => return super::outbound_http::pass(egress, request, timeouts).await,
            Script::EverySecondLate(wait) => {
                if number.is_multiple_of(2) {
                    tokio::time::sleep(wait).await;
                }
                return super::outbound_http::pass(egress, request, timeouts).await;
            }
            _ => {}
        }
        self.hear(request.uri().to_string().as_bytes());
        for (name, value) in request.headers() {
            self.hear(format!("{name}: ").as_bytes());
            self.hear(value.as_bytes());
        }
        // A store hears a request before it answers. What breaks off is not to be answered.
        self.hear(&request.into_body().collect().await?.to_bytes());
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
        let response =
            response.body(body).map_err(|error| Error::InternalError(Some(error.to_string())))?;
        Ok((response, Box::new(std::future::ready(Ok(())))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &'static str) -> http::Request<WasiBody> {
        let body = Full::new(Bytes::from_static(body.as_bytes()));
        let body = body.map_err(|never| match never {}).boxed_unsync();
        http::Request::post("http://127.0.0.1:1/lookup").body(body).unwrap()
    }

    fn nowhere() -> Egress {
        Egress::new(Default::default(), Default::default(), Default::default())
    }

    #[tokio::test]
    async fn a_played_store_answers_counts_and_remembers_what_it_heard() {
        let script = Script::Answer { status: 429, retry_after: Some("7"), body: "busy" };
        let (scripted, egress) = (ScriptedStore::new(script), nowhere());
        let (response, _) =
            scripted.send(request("hello"), &egress, egress.timeouts()).await.unwrap();
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
    async fn a_scene_can_change_and_the_real_door_is_the_same_as_without_a_play() {
        let (scripted, egress) = (ScriptedStore::new(Script::BreaksOff), nowhere());
        let (response, _) = scripted.send(request(""), &egress, egress.timeouts()).await.unwrap();
        assert!(response.into_body().collect().await.is_err());
        scripted.follow(Script::Real);
        let refused = scripted.send(request(""), &egress, egress.timeouts()).await.err().unwrap();
        assert!(matches!(refused, Error::HttpRequestDenied), "{refused:?}");
        assert_eq!(scripted.requests(), 2);
    }
}
