//! Errors of the store, as statuses.

use super::{problem, redacted, rows_of};
use beamlet_interop::{Answer, KEY, Request, Serve, Store, planes};
use insta::assert_snapshot;
use std::time::Duration;
use tecton_emulator::{Fault, FaultAnswer, StatusFault};

const ROWS: &str = r#"[{"tailnum":"N10156"},{"tailnum":"N102UW"}]"#;

/// What a store's answer makes of two rows; and the key is in no part of it.
fn of(fault: impl Into<FaultAnswer>) -> Answer {
    let store = Store::that_answers(fault);
    let edge = Serve::edge(&store.config());
    let answer = edge.enrich(ROWS);
    let log = edge.end().join("\n");
    assert!(!answer.text().contains(KEY) && !log.contains(KEY), "{}{log}", answer.text());
    answer
}

#[test]
fn a_store_that_refuses_the_key_is_a_bad_gateway_that_shows_no_key() {
    let store = Store::default();
    let mut config = store.config();
    config["connection"]["api_key"] = "Wq3e-Other-Key".into();
    let edge = Serve::edge(&config);
    let answer = edge.enrich(ROWS);
    assert_eq!(problem(&answer).0, 502);
    redacted(
        || assert_snapshot!(answer.text(), @r#"{"title":"Bad Gateway","status":502,"detail":"the feature store answered 401: invalid 'Tecton-key' authorization header. Note that newly created credentials may take up to 60 seconds to be usable.","kind":"unauthenticated","retryable":false,"http_status":401}"#),
    );
    assert!(!edge.end().join("\n").contains("Wq3e"));
    assert_eq!(of(StatusFault::new(403)).status, 502);
}

#[test]
fn a_feature_service_that_is_not_there_is_a_bad_gateway() {
    let store = Store::default();
    let mut config = store.config();
    config["retrieval"]["feature_service_name"] = "other".into();
    let edge = Serve::edge(&config);
    let (status, detail) = problem(&edge.enrich(ROWS));
    assert_eq!(status, 502);
    assert!(detail.contains("other"), "{detail}");
    assert_eq!(problem(&edge.get("/schema")).0, 502);
}

#[test]
fn a_store_that_asks_to_wait_is_unavailable_for_so_long() {
    let answer = of(StatusFault::new(429).retry_after("7"));
    assert_eq!(problem(&answer).0, 503);
    assert_eq!(answer.header("retry-after"), Some("7"));
    assert_eq!(answer.json()["kind"], "throttled");
    let answer = of(StatusFault::new(503));
    assert_eq!((problem(&answer).0, answer.header("retry-after")), (503, None));
}

#[test]
fn a_store_that_fails_or_makes_no_sense_is_a_bad_gateway() {
    assert_eq!(problem(&of(StatusFault::new(500))).0, 502);
    assert_eq!(problem(&of(FaultAnswer::NotJson)).0, 502);
    assert_eq!(problem(&of(FaultAnswer::WrongCount)).0, 502);
    assert_eq!(problem(&of(FaultAnswer::Truncated)).0, 502);
}

#[test]
fn a_store_that_is_not_there_is_a_bad_gateway() {
    let config = Store::default().config(); // and it is gone
    let edge = Serve::edge(&config);
    let answer = edge.enrich(ROWS);
    assert_eq!(problem(&answer).0, 502);
    redacted(
        || assert_snapshot!(answer.text(), @r#"{"title":"Bad Gateway","status":502,"detail":"POST http://[store]/api/v1/feature-service/get-features-batch: connection refused","kind":"unavailable","retryable":true}"#),
    );
    assert_eq!(problem(&edge.get("/schema")).0, 502);
    // The configuration is as good as it was.
    assert_eq!(edge.get("/healthz").status, 200);
}

#[test]
fn a_store_that_takes_too_long_is_a_gateway_timeout() {
    let hang = Fault::every(FaultAnswer::Hang(Duration::from_secs(60)));
    let store = Store::of(planes().fault(hang));
    let mut config = store.config();
    config["connection"]["kwargs"] = serde_json::json!({ "timeout_ms": 200 });
    let edge = Serve::edge(&config);
    assert_eq!(problem(&edge.enrich(ROWS)).0, 504);
    assert_eq!(problem(&edge.get("/schema")).0, 504);
}

#[test]
fn a_store_that_goes_away_in_the_middle_fails_the_rows_that_it_does_not_answer() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let mut connection = edge.connect();
    connection.send(&Request::rows("application/x-ndjson").chunked());
    connection.send_chunk(b"{\"tailnum\":\"N10156\"}\n");
    let head = connection.head();
    let first = connection.chunk().unwrap();
    assert!(first.starts_with(b"{\"tailnum\":\"N10156\",\"planes.year\":2004"));
    store.set_faults(vec![Fault::every(StatusFault::new(503).into())]);
    connection.send_chunk(b"{\"tailnum\":\"N102UW\"}\n");
    let second = connection.chunk().unwrap();
    let second = String::from_utf8(second).unwrap();
    redacted(
        || assert_snapshot!(second.trim(), @r#"{"tailnum":"N102UW","beamlet_error":{"kind":"unavailable","message":"the feature store answered 503: 503 Service Temporarily Unavailable","retryable":true,"http_status":503}}"#),
    );
    store.set_faults(Vec::new());
    connection.send_chunk(b"{\"tailnum\":\"N102UW\"}\n");
    connection.send_end();
    let answer = connection.rest(head);
    assert_eq!(rows_of(&answer)[0]["planes.year"], 1998);
    assert_eq!(answer.trailer("beamlet-failed"), Some("1"));
}
