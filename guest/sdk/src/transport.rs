//! How requests leave and answers come back: one trait, over `wasi:http` in a component and
//! over anything else on the native target.

pub use crate::encoding::decoded;
use crate::{Error, ErrorKind};
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Without a body: the path and the query say what is asked for.
    Get,
    /// With a body.
    Post,
}

/// As in HTTP: `GET`, `POST`.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Get => "GET",
            Method::Post => "POST",
        })
    }
}

/// A request to a store. The parts that all requests of a handler share are shared.
#[derive(Clone, Debug)]
pub struct Request {
    /// How to ask.
    pub method: Method,
    /// Where to: the handler makes it once.
    pub target: Arc<Target>,
    /// The end of this request's path, and its query, behind the path of the target. Most likely
    /// it has keys in it: errors show the target alone.
    pub path: String,
    /// The body. A GET has none.
    pub body: Vec<u8>,
}

impl Request {
    /// A POST with this body.
    pub fn post(target: &Arc<Target>, body: Vec<u8>) -> Self {
        Request { method: Method::Post, target: target.clone(), path: String::new(), body }
    }

    /// A POST with JSON.
    pub fn json(target: &Arc<Target>, body: &serde_json::Value) -> Self {
        Request::post(target, body.to_string().into_bytes())
    }

    /// A GET. `path` is appended to the target's path: `/` and a key, or `?` and a query, with
    /// keys [`percent_encoded`].
    pub fn get(target: &Arc<Target>, path: impl Into<String>) -> Self {
        let (target, path) = (target.clone(), path.into());
        Request { method: Method::Get, target, path, body: Vec::new() }
    }

    /// Path and query, as they are sent.
    pub fn path_with_query(&self) -> Cow<'_, str> {
        match self.path.as_str() {
            "" => Cow::Borrowed(&self.target.path),
            path => Cow::Owned(format!("{}{path}", self.target.path)),
        }
    }
}

/// A text as one segment of a path, or as a value of a query: everything but letters, digits and
/// `-._~` as its bytes in hexadecimal, behind `%`.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            byte => {
                encoded.push('%');
                for digit in [byte >> 4, byte & 15] {
                    encoded.push(b"0123456789ABCDEF"[usize::from(digit)].into());
                }
            }
        }
    }
    encoded
}

/// Where a handler sends its requests, and with which headers.
pub struct Target {
    /// `http` or `https`.
    pub secure: bool,
    /// Host and, where it is not the scheme's own, port.
    pub authority: String,
    /// Path and query, from the slash on.
    pub path: String,
    /// Header names in lower case, and values. `content-length` is added to each POST.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Where set, how long to wait; else the host decides.
    pub timeouts: Timeouts,
}

/// Headers hold the credentials: they are left out.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("url", &self.to_string()).finish_non_exhaustive()
    }
}

/// The URL.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

/// How long a request may take, in milliseconds; `None` leaves it to the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect.
    pub connect_ms: Option<u64>,
    /// To the first byte of the answer, and then between two of them.
    pub response_ms: Option<u64>,
}

/// What a server answered, whole.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The value of `retry-after`, where the answer is an error and has one.
    pub retry_after: Option<String>,
    /// The value of `location`, where the answer is a redirect and has one.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The body, parsed as JSON.
    ///
    /// # Errors
    /// It is none, or not of this form; the store may do better next time.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let what = match error.classify() {
                serde_json::error::Category::Data => "is not of the form that was asked for",
                serde_json::error::Category::Eof => "breaks off",
                _ => "is no JSON",
            };
            let message = format!("the feature store's answer {what}, at {line}:{column}");
            Error::new(ErrorKind::BadResponse, message).retryable()
        })
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// The host did not grant the destination.
    Denied,
    /// Nothing could be reached there; the text says why.
    Unreachable(String),
    /// No answer in time; the text says in which phase.
    TimedOut(String),
    /// The answer broke off, or was no HTTP; the text says how.
    Broken(String),
    /// The body is larger than this many bytes.
    TooLarge(usize),
    /// The body is in this encoding, which was not asked for and is not known.
    Encoded(String),
}

/// The largest body that is read, in bytes. Ten entities of a feature store come nowhere
/// near; what does is no answer, and must not fill the sandbox's memory.
pub const MAX_BODY_BYTES: usize = 32 << 20;

/// How much is read of the body of another status than 200, in bytes: what is wrong is said at its
/// start, and the status counts whatever follows.
pub const MAX_ERROR_BYTES: usize = 64 << 10;

/// Puts requests on the wire.
pub trait Transport: Send + Sync {
    /// A request on the wire.
    type Call: Send;

    /// Puts a request on the wire, now, and does not wait.
    fn send(&self, request: Request) -> Self::Call;

    /// Waits until one of the calls has come to its end, takes it out of `calls` with
    /// `swap_remove`, and gives the position it had there. `calls` is not empty.
    fn any(
        &self,
        calls: &mut Vec<Self::Call>,
    ) -> impl Future<Output = (usize, Result<Response, TransportError>)> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_segment_of_a_path_whatever_is_in_it() {
        assert_eq!(percent_encoded("user-7_x.~"), "user-7_x.~");
        assert_eq!(percent_encoded("a/b?c=d&e %"), "a%2Fb%3Fc%3Dd%26e%20%25");
        assert_eq!(percent_encoded("\u{fc}"), "%C3%BC");
    }
}
