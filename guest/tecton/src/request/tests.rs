//! What a request promises.

use crate::Tecton;
use beamlet_guest::{Batch, Column, Handler, Request, Timeouts, Values};
use insta::assert_snapshot;
use serde_json::{Value, json};

/// The request for the keys 1 and 2, or for 1 where batches are off.
fn request(change: impl FnOnce(&mut Value)) -> Request {
    let mut config = json!({
        "connection": { "url": "https://h:8443/base/", "api_key": "s3cret" },
        "retrieval": { "feature_service_name": "fs", "workspace_name": "ws", "entity_id": "k" },
        "batching": {},
    });
    change(&mut config);
    let handler = Tecton::new(&config).unwrap_or_else(|problems| panic!("{problems:?}"));
    let rows = handler.batching().max_batch_size.min(2);
    let values = Values::Int64s((1..=rows as i64).collect());
    let column = Column { name: "k".into(), values, nulls: Vec::new() };
    let entities = handler.entities(&Batch { rows: rows as u32, columns: vec![column] }).unwrap();
    handler.request(&entities.into_iter().map(|entity| entity.unwrap()).collect::<Vec<_>>())
}

fn body(request: &Request) -> &str {
    std::str::from_utf8(&request.body).unwrap()
}

#[test]
fn a_batch_goes_to_one_endpoint_and_one_entity_to_another() {
    let batch = request(|_| {});
    assert_snapshot!(batch.target.to_string(), @"https://h:8443/base/api/v1/feature-service/get-features-batch");
    assert_snapshot!(body(&batch), @r#"{"params":{"workspaceName":"ws","featureServiceName":"fs","metadataOptions":{"includeNames":true,"includeDataTypes":true},"requestData":[{"joinKeyMap":{"k":"1"}},{"joinKeyMap":{"k":"2"}}]}}"#);
    let single = request(|config| config["batching"]["max_batch_size"] = 1.into());
    assert_snapshot!(single.target.to_string(), @"https://h:8443/base/api/v1/feature-service/get-features");
    assert_snapshot!(body(&single), @r#"{"params":{"workspaceName":"ws","featureServiceName":"fs","metadataOptions":{"includeNames":true,"includeDataTypes":true},"joinKeyMap":{"k":"1"}}}"#);
}

#[test]
fn every_parameter_goes_out_under_its_name_on_the_wire() {
    let request = request(|config| {
        config["batching"]["max_batch_size"] = 1.into();
        let retrieval = &mut config["retrieval"];
        retrieval["request_context_map"] = json!({ "channel": "web" });
        retrieval["allow_partial_results"] = true.into();
        retrieval["request_options"] = json!({ "latency_budget_ms": 500, "readFromCache": false });
        retrieval["metadata_options"] = json!({
            "include_effective_times": true, "include_slo_info": true,
            "include_serving_status": true, "include_feature_tags": true,
        });
        retrieval["kwargs"] = json!({ "somethingNew": { "a": [1, null] } });
    });
    assert_snapshot!(body(&request), @r#"{"params":{"workspaceName":"ws","featureServiceName":"fs","somethingNew":{"a":[1,null]},"allowPartialResults":true,"requestOptions":{"readFromCache":false,"latencyBudgetMs":500},"metadataOptions":{"includeNames":true,"includeDataTypes":true,"includeEffectiveTimes":true,"includeSloInfo":true,"includeServingStatus":true},"joinKeyMap":{"k":"1"},"requestContextMap":{"channel":"web"}}}"#);
}

#[test]
fn a_budget_of_time_asks_for_the_statuses_of_what_came_too_late() {
    let request = request(|config| {
        config["retrieval"]["request_options"] = json!({ "latency_budget_ms": 500 });
    });
    assert_snapshot!(body(&request), @r#"{"params":{"workspaceName":"ws","featureServiceName":"fs","requestOptions":{"latencyBudgetMs":500},"metadataOptions":{"includeNames":true,"includeDataTypes":true,"includeServingStatus":true},"requestData":[{"joinKeyMap":{"k":"1"}},{"joinKeyMap":{"k":"2"}}]}}"#);
}

#[test]
fn headers_and_time_outs_are_those_of_the_connection() {
    let request = request(|config| {
        config["connection"]["kwargs"] = json!({
            "headers": { "User-Agent": "mine", "X-A": "b" }, "timeout_ms": 7, "connect_timeout_ms": 3,
        });
    });
    let headers: Vec<String> = request
        .target
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
        .collect();
    assert_snapshot!(headers.join("\n"), @r"
    authorization: Tecton-key s3cret
    content-type: application/json
    user-agent: mine
    x-a: b
    ");
    let timeouts = Timeouts { connect_ms: Some(3), response_ms: Some(7) };
    assert_eq!(request.target.timeouts, timeouts);
}
