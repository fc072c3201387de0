//! The Tecton handler in the edge, under the real `wasmtime serve`, against the emulator.

mod bodies;
mod rows;
mod service;
mod store;

use beamlet_interop::Answer;
use serde_json::Value;

/// Status and detail of a problem, which must be one.
#[track_caller]
fn problem(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    let body = answer.json();
    assert_eq!(body["status"], answer.status);
    (answer.status, body["detail"].as_str().unwrap().to_owned())
}

/// The objects of an array, or one a line.
fn rows_of(answer: &Answer) -> Vec<Value> {
    assert!(answer.whole, "{answer:?}");
    assert_eq!(answer.status, 200, "{}", answer.text());
    match answer.header("content-type").unwrap() {
        "application/json" => serde_json::from_slice(&answer.body).unwrap(),
        _ => answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    }
}

/// Snapshots without what changes from run to run.
fn redacted(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"127\.0\.0\.1:\d+", "[store]");
    settings.add_filter(r#""ms":\d+"#, r#""ms":[ms]"#);
    settings.bind(check);
}
