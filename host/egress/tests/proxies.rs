//! How a store is asked through a proxy, over sockets.
#![allow(clippy::unwrap_used)]

use beamlet_egress::{Allowed, Destination, Egress, EgressError, Proxies, Secrets, Timeouts};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// What one connection to a listener said: its first head, and the bytes that followed the answer.
type Heard = JoinHandle<(String, Vec<u8>)>;

/// Takes one connection, hears the head of its request, and answers with these bytes.
fn peer(answer: &'static str) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            head.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        if answer.is_empty() {
            return (String::from_utf8(head).unwrap(), Vec::new());
        }
        let mut next = vec![0; 1];
        let read = stream.read(&mut next).unwrap_or_default();
        next.truncate(read);
        (String::from_utf8(head).unwrap(), next)
    });
    (port, heard)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// Asks a URL with these variables in the environment.
async fn ask(url: &str, variables: &[(&str, String)]) -> Result<Bytes, EgressError> {
    let allowed: Allowed = Destination::of_text(url).into_iter().collect();
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    };
    let proxies = Proxies::of(&allowed, variable).unwrap();
    let egress = Egress::new(allowed, Secrets::default(), Timeouts::default()).through(proxies);
    let request = http::Request::post(url).body(Empty::<Bytes>::new()).unwrap();
    let answer = egress.send(request, Timeouts::default()).await?;
    Ok(answer.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn a_store_without_tls_is_asked_through_the_proxy_with_its_whole_url() {
    let (port, heard) = peer(OK);
    let proxy = ("HTTP_PROXY", format!("http://me:s3cret@127.0.0.1:{port}"));
    assert_eq!(ask("http://store.example:8080/x?y", &[proxy]).await.unwrap(), "{}");
    let (head, _) = heard.join().unwrap();
    assert!(head.starts_with("POST http://store.example:8080/x?y HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("host: store.example:8080\r\n"), "{head}");
    // base64 of `me:s3cret`
    assert!(head.contains("proxy-authorization: Basic bWU6czNjcmV0\r\n"), "{head}");
}

#[tokio::test]
async fn a_store_with_tls_is_asked_through_a_tunnel_that_sees_its_name_alone() {
    let (port, heard) = peer("HTTP/1.1 200 Connection established\r\n\r\n");
    let proxy = ("HTTPS_PROXY", format!("me:s3cret@127.0.0.1:{port}"));
    // Behind this proxy there is no store.
    assert!(ask("https://store.example/secret-path", &[proxy]).await.is_err());
    let (head, next) = heard.join().unwrap();
    assert!(head.starts_with("CONNECT store.example:443 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("Proxy-Authorization: Basic bWU6czNjcmV0\r\n"), "{head}");
    assert!(!head.contains("secret-path"), "{head}");
    assert_eq!(next, [0x16], "a handshake of TLS follows");
}

#[tokio::test]
async fn a_store_that_no_proxy_names_is_asked_directly() {
    let (port, heard) = peer(OK);
    let variables =
        [("HTTP_PROXY", "http://127.0.0.1:1".to_owned()), ("NO_PROXY", "127.0.0.0/8".to_owned())];
    let url = format!("http://127.0.0.1:{port}/x");
    assert_eq!(ask(&url, &variables).await.unwrap(), "{}");
    let (head, _) = heard.join().unwrap();
    assert!(head.starts_with("POST /x HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("proxy-authorization"), "{head}");
}

/// The message where the proxy answers so, or is not there.
async fn fails(url: &str, answer: Option<&'static str>) -> (String, u16) {
    let port = match answer {
        Some(answer) => peer(answer).0,
        None => TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(),
    };
    let proxy = ("ALL_PROXY", format!("http://me:s3cret@127.0.0.1:{port}"));
    let error = ask(url, &[proxy]).await.unwrap_err();
    assert!(matches!(error, EgressError::Proxy(_)), "{error:?}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
    (error.to_string(), port)
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named_without_its_password() {
    for url in ["http://store.example", "https://store.example"] {
        let (message, port) = fails(url, None).await;
        let cause = "cannot be reached: connection refused";
        assert_eq!(message, format!("the proxy http://127.0.0.1:{port} {cause}"));
    }
}

#[tokio::test]
async fn a_proxy_that_does_not_accept_the_password_is_named() {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    for url in ["http://store.example", "https://store.example"] {
        let (message, port) = fails(url, Some(answer)).await;
        assert!(
            message.starts_with(&format!("the proxy http://127.0.0.1:{port} asks for a user name")),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_is_named() {
    let forbidden = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    let (message, _) = fails("https://store.example", Some(forbidden)).await;
    assert!(message.ends_with("refuses to open a tunnel to the store"), "{message}");
    let (message, _) = fails("https://store.example", Some("")).await;
    assert!(message.contains("tunnel"), "{message}");
}

#[tokio::test]
async fn a_request_to_a_port_that_does_not_exist_is_not_sent_to_another_one() {
    let allowed: Allowed = Destination::of_text("http://127.0.0.1:80").into_iter().collect();
    let egress = Egress::new(allowed, Secrets::default(), Timeouts::default());
    let request = http::Request::post("http://127.0.0.1:99999/").body(Empty::<Bytes>::new());
    let error = egress.send(request.unwrap(), Timeouts::default()).await.err().unwrap();
    assert!(matches!(error, EgressError::NoDestination), "{error}");
    assert_eq!(egress.requests(), 0);
}
