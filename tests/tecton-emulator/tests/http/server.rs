//! The server itself: counts, keep-alive, pipelining, and a clean end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::json;
use tecton_emulator::{Emulator, Endpoint, Fault, FaultAnswer};

use crate::client::{Client, known, repository, shop};

#[test]
fn counts_are_the_same_from_rust_and_over_http() {
    let client = Client::of(shop());
    client.batch_of(&[known(), known(), known()]).json();
    client.get_features(json!({"joinKeyMap": known()})).json();
    client.get_features(json!({}));
    let expected = json!({
        "connections": 1, "requests": 3, "entities": 4, "most_at_once": 1,
        "statuses": {"200": 2, "400": 1},
    });
    assert_eq!(client.get("/_emulator/stats").json(), expected);
    let from_rust = serde_json::to_value(client.emulator.stats()).unwrap();
    assert_eq!(from_rust, expected);
}

#[test]
fn a_reset_zeroes_the_counts() {
    let client = Client::of(shop());
    client.batch_of(&[known()]).json();
    client.post_path("/_emulator/reset").json();
    let stats = client.emulator.stats();
    assert_eq!((stats.requests, stats.entities, stats.most_at_once), (0, 0, 0));
    assert!(stats.statuses.is_empty());
}

#[test]
fn most_at_once_counts_what_is_being_served_together() {
    let hang = FaultAnswer::Hang(Duration::from_secs(1));
    let builder = Emulator::builder(repository(shop())).fault(Fault::every(hang));
    let client = Client::start(builder);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| client.batch_of(&[known()]).json());
        }
    });
    assert_eq!(client.emulator.stats().most_at_once, 4);
    assert_eq!(client.emulator.stats().connections, 4);
}

fn request_text() -> String {
    let body = json!({"params": {
        "workspaceName": "prod", "featureServiceName": "shop", "joinKeyMap": known(),
    }})
    .to_string();
    format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Tecton-key demo-key\r\nContent-Length: {}\r\n\r\n{body}",
        Endpoint::GetFeatures.path(),
        body.len()
    )
}

#[test]
fn pipelined_requests_are_all_answered() {
    let client = Client::of(shop());
    let mut stream = TcpStream::connect(client.emulator.address()).unwrap();
    let last = request_text().replace("Host: x", "Host: x\r\nConnection: close");
    let requests = format!("{}{last}", request_text().repeat(4));
    stream.write_all(requests.as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 5);
}

#[test]
fn a_chunked_request_without_content_type_is_answered() {
    let client = Client::of(shop());
    let text = request_text();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let (head, _) = head.split_once("Content-Length").unwrap();
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(client.emulator.address()).unwrap();
    stream.write_all(chunked.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(r#"{"result":{"features":["37","Ada","3"]}}"#), "{answer}");
}

#[test]
fn a_dropped_emulator_leaves_no_listener_and_no_connection() {
    let client = Client::of(shop());
    let address = client.emulator.address();
    let mut idle = TcpStream::connect(address).unwrap();
    client.get_features(json!({"joinKeyMap": known()})).json();
    drop(client);
    assert!(TcpStream::connect(address).is_err());
    assert!(matches!(idle.read(&mut [0; 1]), Ok(0) | Err(_)));
}

#[test]
fn an_emulator_is_dropped_at_once_though_a_request_hangs() {
    let hang = FaultAnswer::Hang(Duration::from_secs(3_600));
    let builder = Emulator::builder(repository(shop())).fault(Fault::every(hang));
    let emulator = builder.start_blocking().unwrap();
    let mut stream = TcpStream::connect(emulator.address()).unwrap();
    stream.write_all(request_text().as_bytes()).unwrap();
    while emulator.stats().requests == 0 {
        thread::yield_now();
    }
    drop(emulator);
}

#[tokio::test]
async fn an_emulator_runs_in_the_callers_runtime_and_stops_when_told() {
    let running = Emulator::builder(repository(shop())).start().await.unwrap();
    let address = running.address();
    assert_eq!(running.url(), format!("http://{address}"));
    tokio::net::TcpStream::connect(address).await.unwrap();
    running.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
