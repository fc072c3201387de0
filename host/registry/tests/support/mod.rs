//! A scripted registry, on 127.0.0.1, until it is dropped.

use beamlet_registry::{Digest, Reference};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What it answers.
#[derive(Clone)]
pub(crate) struct Answer {
    status: String,
    headers: String,
    body: Vec<u8>,
    /// How many bytes of the body come before the connection ends.
    sent: usize,
    /// What a request has to show.
    authorization: Option<String>,
}

impl Answer {
    pub(crate) fn ok(body: &[u8]) -> Self {
        Answer::status("200 OK", "", body)
    }

    pub(crate) fn status(status: &str, headers: &str, body: &[u8]) -> Self {
        Answer {
            status: status.to_owned(),
            headers: headers.to_owned(),
            body: body.to_owned(),
            sent: body.len(),
            authorization: None,
        }
    }

    /// Only so much of it comes.
    pub(crate) fn cut(self, sent: usize) -> Self {
        Answer { sent, ..self }
    }

    /// Only who shows this token gets it.
    pub(crate) fn for_authorization(self, token: &str) -> Self {
        Answer { authorization: Some(format!("Bearer {token}")), ..self }
    }
}

/// A registry of one name, `beamlet/tecton`.
pub(crate) struct Fake {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Answers requests whose path ends, or begins, with the key; what is no one's is not found.
    pub(crate) fn new<const N: usize>(answers: [(String, Answer); N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = heard.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let head = head(&stream);
                let Some(path) = head.split(' ').nth(1) else { return };
                let found =
                    answers.iter().find(|(key, _)| path.ends_with(key) || path.starts_with(key));
                let answer = found.map_or_else(unknown, |(_, answer)| answer.clone());
                let answer = match &answer.authorization {
                    Some(wanted) if !head.contains(wanted) => unauthorized(address),
                    _ => answer,
                };
                hears.lock().unwrap().push(head);
                write(&mut stream, &answer);
            }
        });
        Fake { address, heard, thread: Some(thread) }
    }

    /// A reference into it, with what stands behind the name.
    pub(crate) fn reference(&self, version: &str) -> Reference {
        format!("oci://{}/beamlet/tecton{version}", self.address).parse().unwrap()
    }

    /// The heads of the requests that came.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = TcpStream::connect(self.address).unwrap().write_all(b"\r\n");
        self.thread.take().unwrap().join().unwrap();
    }
}

fn head(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The client may have gone away.
fn write(stream: &mut TcpStream, answer: &Answer) {
    let Answer { status, headers, body, sent, .. } = answer;
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n");
    let _ = stream.write_all(format!("{head}{headers}\r\n").as_bytes());
    let _ = stream.write_all(&body[..*sent]);
}

fn unknown() -> Answer {
    let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
    Answer::status("404 Not Found", "", body)
}

fn unauthorized(address: SocketAddr) -> Answer {
    let challenge =
        format!("www-authenticate: Bearer realm=\"http://{address}/token\",service=\"here\"\r\n");
    Answer::status("401 Unauthorized", &challenge, b"{}")
}

/// A manifest of one layer, as `wkg oci push` makes it.
pub(crate) fn manifest(media_type: &str, layer: &[u8]) -> Vec<u8> {
    format!(
        "{{\"schemaVersion\":2,\"layers\":[{{\"mediaType\":\"{media_type}\",\"digest\":\"{}\",\"size\":{}}}]}}",
        Digest::of(layer),
        layer.len()
    )
    .into_bytes()
}

/// Snapshots without what changes from run to run.
pub(crate) fn redacted(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"127\.0\.0\.1:\d+", "[registry]");
    settings.add_filter(r"sha256:[0-9a-f]{64}", "[digest]");
    settings.bind(check);
}
