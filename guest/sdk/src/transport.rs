//! Requests, responses, and the trait [`Transport`] that exchanges them: over `wasi:http` in a
//! component, and over anything else on the native target.

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::io::{ErrorKind, Read};
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

/// The answer of a server, complete.
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

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// The host did not grant the destination.
    Denied,
    /// The destination could not be reached; the text says why.
    Unreachable(String),
    /// No answer in time; the text says in which phase.
    TimedOut(String),
    /// The answer broke off, or was not HTTP; the text says how.
    Broken(String),
    /// The body is larger than this many bytes.
    TooLarge(usize),
    /// The body is in this encoding, which was not asked for and is unknown.
    Encoded(String),
}

/// The largest body that is read, in bytes. It protects the memory of the sandbox: answers for ten
/// entities of a feature store are much smaller.
pub const MAX_BODY_BYTES: usize = 32 << 20;

/// How much is read of the body of another status than 200, in bytes: its beginning says what is
/// wrong.
pub const MAX_ERROR_BYTES: usize = 64 << 10;

/// Sends requests.
pub trait Transport: Send + Sync {
    /// A request in flight.
    type Call: Send;

    /// Sends a request now, and does not wait.
    fn send(&self, request: Request) -> Self::Call;

    /// Waits until one of the calls has ended, takes it out of `calls` with `swap_remove`, and returns
    /// the position that it had there. `calls` is not empty.
    fn any(
        &self,
        calls: &mut Vec<Self::Call>,
    ) -> impl Future<Output = (usize, Result<Response, TransportError>)> + Send;
}

/// Whether a body is most likely compressed: no answer of JSON begins so. Some proxies compress
/// answers though nobody asked for it, and reading the header of each answer would cost more.
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
pub(crate) fn looks_encoded(body: &[u8]) -> bool {
    let is_json = |byte: &u8| matches!(byte, b'{' | b'[' | b' ' | b'\n' | b'\r' | b'\t');
    body.first().is_some_and(|first| !is_json(first))
}

/// Decompresses a body. `encoding` is the value of `content-encoding`.
///
/// # Errors
/// The encoding is unknown, the body is damaged, or it would have more than `limit` bytes.
pub fn decoded(body: Vec<u8>, encoding: &str, limit: usize) -> Result<Vec<u8>, TransportError> {
    let mut body = body;
    // The last encoding comes off first. Three are more than any proxy applies.
    for encoding in encoding.rsplit(',').map(str::trim).take(3) {
        body = match encoding.to_ascii_lowercase().as_str() {
            "" | "identity" => body,
            "gzip" | "x-gzip" => read(MultiGzDecoder::new(&*body), encoding, limit)?,
            // Servers disagree about what `deflate` is.
            "deflate" => match read(ZlibDecoder::new(&*body), encoding, limit) {
                Err(TransportError::Broken(_)) => {
                    read(DeflateDecoder::new(&*body), encoding, limit)?
                }
                other => other?,
            },
            _ => {
                let name: String =
                    encoding.chars().filter(char::is_ascii_graphic).take(20).collect();
                return Err(TransportError::Encoded(name));
            }
        };
    }
    Ok(body)
}

fn read(decoder: impl Read, encoding: &str, limit: usize) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    match decoder.take(limit as u64 + 1).read_to_end(&mut body) {
        Ok(_) if body.len() > limit => Err(TransportError::TooLarge(limit)),
        Ok(_) => Ok(body),
        Err(error) => Err(TransportError::Broken(match error.kind() {
            ErrorKind::UnexpectedEof => format!("the answer, encoded as {encoding}, breaks off"),
            _ => format!("the answer, encoded as {encoding}, is damaged"),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    #[test]
    fn a_key_is_one_segment_of_a_path_whatever_is_in_it() {
        assert_eq!(percent_encoded("user-7_x.~"), "user-7_x.~");
        assert_eq!(percent_encoded("a/b?c=d&e %"), "a%2Fb%3Fc%3Dd%26e%20%25");
        assert_eq!(percent_encoded("\u{fc}"), "%C3%BC");
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_bodies_are_read() {
        let read = |body, encoding| decoded(body, encoding, 100).unwrap();
        assert_eq!(read(gzip(b"{}"), "gzip"), b"{}");
        assert_eq!(read(gzip(b"{}"), "X-GZIP"), b"{}");
        assert_eq!(read(gzip(&gzip(b"{}")), "gzip, gzip"), b"{}");
        assert_eq!(read([gzip(b"{"), gzip(b"}")].concat(), "gzip"), b"{}");
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(b"{}").unwrap();
        assert_eq!(read(zlib.finish().unwrap(), "deflate"), b"{}");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(b"{}").unwrap();
        assert_eq!(read(raw.finish().unwrap(), "deflate"), b"{}");
        assert_eq!(read(b"{}".to_vec(), "identity"), b"{}");
    }

    #[test]
    fn a_body_that_would_become_too_large_is_refused_before_it_does() {
        let bomb = gzip(&vec![0; 10 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(decoded(bomb, "gzip", 1 << 20), Err(TransportError::TooLarge(1 << 20)));
    }

    #[test]
    fn a_body_that_cannot_be_read_says_why() {
        let cut = gzip(b"{\"result\":[]}");
        let cut = decoded(cut[..cut.len() - 9].to_vec(), "gzip", 100);
        let why = "the answer, encoded as gzip, breaks off".to_owned();
        assert_eq!(cut, Err(TransportError::Broken(why)));
        assert_eq!(decoded(vec![0], "br", 100), Err(TransportError::Encoded("br".to_owned())));
    }

    #[test]
    fn json_does_not_look_encoded_and_gzip_does() {
        assert!(!looks_encoded(b"{}") && !looks_encoded(b"") && !looks_encoded(b"\n{}"));
        assert!(looks_encoded(&gzip(b"{}")));
    }
}
