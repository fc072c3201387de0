//! Answers that are odd or refusals: what becomes of their rows.

use crate::support::{handler, run, service, store, texts};
use serde_json::json;
use tecton_emulator::{Endpoint, Fault, FaultAnswer, Settings, StatusFault};

#[test]
fn one_key_that_makes_the_request_too_large_fails_alone() {
    let settings = Settings { max_request_bytes: 2000, ..Settings::default() };
    let store = store(service(), settings);
    let large = "x".repeat(5000);
    let keys = ["u1", "u2", &large, "u3", "u1", "u2", "u3"];
    let rows =
        run(&handler(&store.url(), json!({}), json!({})), vec![texts("user_id", &keys)]).rows();
    let failed: Vec<usize> = (0..rows.len()).filter(|at| rows[*at] != "ok").collect();
    assert_eq!(failed, [2], "{rows:?}");
    assert!(rows[2].starts_with("the feature store answered 413"), "{rows:?}");
}

#[test]
fn a_store_that_takes_fewer_entities_is_asked_for_fewer_from_then_on() {
    let store = store(service(), Settings { max_batch_size: 3, ..Settings::default() });
    let handler = handler(&store.url(), json!({}), json!({ "max_in_flight": 1 }));
    let keys = ["u1", "u2", "u3"].repeat(8);
    let first = run(&handler, vec![texts("user_id", &keys)]);
    assert!(first.rows().iter().all(|row| row == "ok"), "{:?}", first.rows());
    assert_eq!(first.sizes().iter().filter(|size| **size > 3).count(), 1, "{:?}", first.sizes());
    let second = run(&handler, vec![texts("user_id", &keys)]);
    assert_eq!(second.sizes(), [3; 8]);
}

#[test]
fn a_service_that_is_not_there_ends_the_bundle_though_the_status_is_400() {
    let message = "Unable to query FeatureService `fs` for workspace `prod`.";
    let fault = StatusFault::new(400).message(message).code(5);
    let fault = Fault::every(fault.into()).on(Endpoint::GetFeaturesBatch);
    let store = store(service(), Settings { faults: vec![fault], ..Settings::default() });
    let ran = run(&handler(&store.url(), json!({}), json!({})), vec![texts("user_id", &["u1"])]);
    let error = ran.answers.unwrap_err();
    assert_eq!((error.kind.name().as_str(), error.retryable), ("not-found", false));
    assert_eq!(error.message, format!("the feature store answered 400: {message}"));
}

#[test]
fn an_answer_that_is_compressed_though_nobody_asked_is_read() {
    let fault = Fault::every(FaultAnswer::Gzip);
    let store = store(service(), Settings { faults: vec![fault], ..Settings::default() });
    let keys = vec![texts("user_id", &["u1", "u2"])];
    assert_eq!(run(&handler(&store.url(), json!({}), json!({})), keys).rows(), ["ok", "ok"]);
}
