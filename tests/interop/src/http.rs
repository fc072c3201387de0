//! HTTP/1.1 by hand, to control what is sent and when, byte for byte, and to see whether an answer
//! is complete.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A request.
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &str, path: &str) -> Self {
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// `POST /enrich` of rows of this type.
    pub fn rows(content_type: &str) -> Self {
        Request::new("POST", "/enrich").header("content-type", content_type)
    }

    /// The same with a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// The request with a `content-length`.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(&format!("content-length: {}", self.body.len()));
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The head of the request with a body in chunks, whose trailers are wanted.
    pub fn chunked(&self) -> Vec<u8> {
        self.head("transfer-encoding: chunked\r\nte: trailers")
    }

    fn head(&self, more: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: edge\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        (head + more + "\r\n\r\n").into_bytes()
    }
}

/// A chunk of a body; the last one, where it is empty.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// An answer.
#[derive(Debug, Default)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// Its body, as far as it came.
    pub body: Vec<u8>,
    trailers: Vec<(String, String)>,
    /// Whether it came to its end.
    pub whole: bool,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        of(&self.headers, name)
    }

    /// The value of a trailer.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        of(&self.trailers, name)
    }

    /// The body as text.
    ///
    /// # Panics
    /// If it is not one.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not one.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn of<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A connection to a server.
pub struct Connection(BufReader<TcpStream>);

/// How long a server may be silent before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(120);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Connection(BufReader::new(stream))
    }

    /// Sends bytes. A server that does not want to hear more is none of a failure.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// Sends a piece of a body in chunks.
    pub fn send_chunk(&mut self, bytes: &[u8]) {
        self.send(&chunk(bytes));
    }

    /// Ends a body in chunks.
    pub fn send_end(&mut self) {
        self.send(&chunk(b""));
    }

    /// Another handle, to send from another thread.
    ///
    /// # Panics
    /// If the system gives none.
    pub fn sender(&self) -> TcpStream {
        self.0.get_ref().try_clone().unwrap()
    }

    /// Reads the head of an answer.
    ///
    /// # Panics
    /// If none comes.
    pub fn head(&mut self) -> Answer {
        let line = self.line().expect("there is an answer");
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status: {line:?}"));
        Answer { status, headers: self.fields(), ..Answer::default() }
    }

    /// Reads a piece of a body in chunks; an empty one is the last. None where the connection ends.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let length = usize::from_str_radix(self.line()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(Vec::new());
        }
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes).ok()?;
        bytes.truncate(length);
        Some(bytes)
    }

    /// Reads a whole answer.
    ///
    /// # Panics
    /// If none comes.
    pub fn answer(&mut self) -> Answer {
        let head = self.head();
        self.rest(head)
    }

    /// Reads what follows a head.
    pub fn rest(&mut self, mut answer: Answer) -> Answer {
        if let Some(length) = answer.header("content-length") {
            let length = length.parse().unwrap_or_default();
            answer.body = vec![0; length];
            answer.whole = self.0.read_exact(&mut answer.body).is_ok();
            return answer;
        }
        while let Some(bytes) = self.chunk() {
            if bytes.is_empty() {
                answer.trailers = self.fields();
                answer.whole = true;
                break;
            }
            answer.body.extend(bytes);
        }
        answer
    }

    /// Fields up to an empty line.
    fn fields(&mut self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        while let Some(line) = self.line().filter(|line| !line.is_empty()) {
            if let Some((name, value)) = line.split_once(": ") {
                fields.push((name.to_ascii_lowercase(), value.to_owned()));
            }
        }
        fields
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end().to_owned()),
        }
    }
}
