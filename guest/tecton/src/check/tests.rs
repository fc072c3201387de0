//! What a check promises.

use crate::Tecton;
use beamlet_guest::{Error, ErrorKind, Handler, Response, Severity};
use insta::assert_snapshot;
use serde_json::{Value, json};

fn handler(retrieval: Value) -> Tecton {
    let mut config = json!({
        "connection": { "url": "http://h", "api_key": "k" },
        "retrieval": { "feature_service_name": "fs", "workspace_name": "ws" },
    });
    for (key, value) in retrieval.as_object().unwrap() {
        config["retrieval"][key] = value.clone();
    }
    Tecton::new(&config).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn service() -> Value {
    let of = |name: &str, of: &str| json!({ "name": name, "dataType": { "type": of } });
    json!({
        "inputJoinKeys": [of("user_id", "string"), of("ad_id", "int64")],
        "inputRequestContextKeys": [of("amount", "float64"), of("at", "timestamp")],
        "featureValues": [of("fv.count", "int64"), of("fv.name", "string")],
    })
}

/// The findings of a check of an answer, a line each.
fn findings(retrieval: Value, status: u16, body: &str) -> String {
    let response = Response { status, retry_after: None, location: None, body: body.into() };
    match handler(retrieval).check(Ok(&response)) {
        Ok(report) => {
            let findings = report.findings.iter().map(|finding| {
                let severity = match finding.severity {
                    Severity::Ok => "ok",
                    Severity::Warning => "warning",
                    Severity::Problem => "problem",
                };
                format!("{severity} {}: {}", finding.path, finding.message)
            });
            let outputs =
                report.outputs.iter().map(|field| format!("{}: {}", field.name, field.type_));
            findings.chain(outputs).collect::<Vec<_>>().join("\n")
        }
        Err(error) => {
            format!("error {}, retryable {}: {}", error.kind.name(), error.retryable, error.message)
        }
    }
}

fn found(retrieval: Value) -> String {
    findings(retrieval, 200, &service().to_string())
}

#[test]
fn a_configuration_that_fits_is_told_so_with_what_comes_out() {
    assert_snapshot!(found(json!({
        "entity_row_fn": { "user_id": "row.u", "ad_id": "7" },
        "request_context_map": { "at": "2025-01-01T00:00:00Z" },
        "request_context_fn": { "amount": "row.a" },
        "metadata_options": { "include_serving_status": true, "include_effective_times": true, "include_slo_info": true },
    })), @r"
    ok /connection/url: the feature store was reached
    ok /connection/api_key: the key is accepted
    ok /retrieval/feature_service_name: `fs` is in workspace `ws` and has 2 features
    ok /retrieval/entity_row_fn: the join keys are those of the service: user_id, ad_id
    ok /retrieval/request_context_map: the request context has all that the service needs: amount, at
    fv.count: int64
    fv.name: string
    fv.count.status: string
    fv.count.effective_time: timestamp
    fv.name.status: string
    fv.name.effective_time: timestamp
    slo.eligible: boolean
    slo.ineligibility_reasons: array<string>
    slo.server_time_seconds: float64
    slo.slo_server_time_seconds: float64
    slo.store_max_latency: float64
    slo.store_response_size_bytes: int64
    ");
}

#[test]
fn keys_that_are_missing_or_unknown_are_told() {
    assert_snapshot!(found(json!({ "entity_id": "user" })), @r"
    ok /connection/url: the feature store was reached
    ok /connection/api_key: the key is accepted
    ok /retrieval/feature_service_name: `fs` is in workspace `ws` and has 2 features
    problem /retrieval/entity_id: the service needs the join key `user_id` (string), which is not sent
    problem /retrieval/entity_id: the service needs the join key `ad_id` (int64), which is not sent
    problem /retrieval/entity_id: the service has no join key `user`; did you mean `user_id`?
    problem /retrieval/request_context_map: the service needs the request context parameter `amount` (float64), which is not sent; set it here, or in `request_context_fn`
    problem /retrieval/request_context_map: the service needs the request context parameter `at` (timestamp), which is not sent; set it here, or in `request_context_fn`
    fv.count: int64
    fv.name: string
    ");
    assert_snapshot!(found(json!({
        "entity_row_fn": { "user_id": "row.u", "ad_ids": "row.a" },
        "request_context_map": { "amout": 1 },
        "request_context_fn": { "att": "row.t" },
    })), @r"
    ok /connection/url: the feature store was reached
    ok /connection/api_key: the key is accepted
    ok /retrieval/feature_service_name: `fs` is in workspace `ws` and has 2 features
    problem /retrieval/entity_row_fn: the service needs the join key `ad_id` (int64), which is not sent
    problem /retrieval/entity_row_fn/ad_ids: the service has no join key `ad_ids`; did you mean `ad_id`?
    problem /retrieval/request_context_map: the service needs the request context parameter `amount` (float64), which is not sent; set it here, or in `request_context_fn`
    problem /retrieval/request_context_map: the service needs the request context parameter `at` (timestamp), which is not sent; set it here, or in `request_context_fn`
    warning /retrieval/request_context_map/amout: the service has no request context parameter `amout`; did you mean `amount`?
    warning /retrieval/request_context_fn/att: the service has no request context parameter `att`; did you mean `at`?
    fv.count: int64
    fv.name: string
    ");
}

#[test]
fn constants_of_another_type_are_told() {
    assert_snapshot!(found(json!({
        "entity_row_fn": { "user_id": "1 == 1", "ad_id": "'x'" },
        "request_context_map": { "amount": "much" },
        "request_context_fn": { "at": "7" },
    })), @r"
    ok /connection/url: the feature store was reached
    ok /connection/api_key: the key is accepted
    ok /retrieval/feature_service_name: `fs` is in workspace `ws` and has 2 features
    problem /retrieval/entity_row_fn/user_id: `user_id` is a boolean; a join key is a string, an integer or null
    problem /retrieval/entity_row_fn/ad_id: `ad_id` must be int64, is a string
    problem /retrieval/request_context_map/amount: `amount` must be float64, is a string that is not such a number
    problem /retrieval/request_context_fn/at: `at` must be timestamp, is an integer
    fv.count: int64
    fv.name: string
    ");
}

#[test]
fn what_is_wrong_with_a_constant_is_told_for_every_type() {
    let types = json!({
        "n": { "type": "int64" }, "t": { "type": "timestamp" }, "b": { "type": "boolean" },
        "l": { "type": "array", "elementType": { "type": "int64" } },
        "m": { "type": "map", "valueType": { "type": "string" } },
        "s": { "type": "struct", "fields": [{ "name": "a", "dataType": { "type": "int64" } }] },
        "p": { "type": "struct", "fields": [{ "name": "a", "dataType": { "type": "int64" } }] },
    });
    let keys: Vec<Value> = types
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, of)| json!({ "name": name, "dataType": of }))
        .collect();
    let service = json!({ "inputRequestContextKeys": keys }).to_string();
    let constants = json!({
        "n": "seven", "t": "now", "b": 1, "l": [1, "x"], "m": { "k": true }, "s": { "a": "x" },
        "p": [1, 2],
    });
    let retrieval = json!({ "entity_row_fn": {}, "request_context_map": constants });
    let found = findings(retrieval, 200, &service);
    let wrong: Vec<&str> = found.lines().filter(|line| line.starts_with("problem")).collect();
    assert_snapshot!(wrong.join("\n"), @"
    problem /retrieval/request_context_map/n: `n` must be int64, is a string that is not such a number
    problem /retrieval/request_context_map/t: `t` must be timestamp, is a string that is not an RFC 3339 timestamp
    problem /retrieval/request_context_map/b: `b` must be boolean, is a number
    problem /retrieval/request_context_map/l: `l` must be array<int64>, is an array with an element of another type
    problem /retrieval/request_context_map/m: `m` must be map<string, string>, is an object with a member of another type
    problem /retrieval/request_context_map/s: `s` must be struct<a: int64>, is an object with a member of another type
    problem /retrieval/request_context_map/p: `p` must be struct<a: int64>, is an array with other members
    ");
}

#[test]
fn a_refusal_is_a_problem_where_its_cause_is() {
    let id = || json!({ "entity_id": "user_id" });
    let body = |message: &str| json!({ "message": message, "code": 5 }).to_string();
    assert_snapshot!(findings(id(), 401, &body("invalid 'Tecton-key' authorization header.")), @r"
    ok /connection/url: the feature store was reached
    problem /connection/api_key: the feature store answered 401: invalid 'Tecton-key' authorization header.
    ");
    assert_snapshot!(findings(id(), 403, &body("Not Authorized.")), @r"
    ok /connection/url: the feature store was reached
    ok /connection/api_key: the key is known
    problem /retrieval/feature_service_name: the feature store answered 403: Not Authorized.
    ");
    assert_snapshot!(findings(id(), 404, &body("Unknown feature_service_name: fs for workspace: ws")), @r"
    ok /connection/url: the feature store was reached
    ok /connection/api_key: the key is known
    problem /retrieval/feature_service_name: the feature store answered 404: Unknown feature_service_name: fs for workspace: ws
    ");
    assert_snapshot!(findings(id(), 404, "<html>no such page</html>"), @"problem /connection/url: the feature store answered 404: no such page; is this Tecton?");
    assert_snapshot!(findings(id(), 400, &body("Unable to query FeatureService")), @"
    ok /connection/url: the feature store was reached
    ok /connection/api_key: the key is known
    problem /retrieval/feature_service_name: the feature store answered 400: Unable to query FeatureService
    ");
    let odd = json!({ "message": "something is odd", "code": 9 }).to_string();
    assert_snapshot!(findings(id(), 400, &odd), @r"
    ok /connection/url: the feature store was reached
    problem /retrieval: the feature store answered 400: something is odd
    ");
    assert_snapshot!(findings(id(), 200, "<html>welcome</html>"), @"problem /connection/url: the metadata is not what Tecton promises: expected value at line 1 column 1; is this Tecton?");
    assert_snapshot!(findings(id(), 302, ""), @"problem /connection/url: the feature store answered 302: an empty body; is this Tecton?");
}

#[test]
fn a_store_that_cannot_tell_now_is_an_error_and_one_out_of_reach_a_problem() {
    assert_snapshot!(findings(json!({ "entity_id": "user_id" }), 503, "busy"), @"error unavailable, retryable true: the feature store answered 503: busy");
    let error = Error::new(ErrorKind::Unavailable, "POST http://h/: connection refused");
    let report = handler(json!({ "entity_id": "user_id" })).check(Err(&error)).unwrap();
    assert_eq!(report.findings[0].path, "/connection/url");
    assert_snapshot!(report.findings[0].message, @"POST http://h/: connection refused");
}

#[test]
fn what_a_service_of_another_kind_or_key_would_refuse_for_every_row_is_a_problem() {
    let service = json!({
        "featureServiceType": "WILDCARD",
        "inputJoinKeys": [{ "name": "user_id", "dataType": { "type": "float64" } }],
    });
    let found = findings(json!({ "entity_id": "user_id" }), 200, &service.to_string());
    let wrong: Vec<&str> = found.lines().filter(|line| line.starts_with("problem")).collect();
    assert_snapshot!(wrong.join("\n"), @"
    problem /retrieval/feature_service_name: `fs` is a wildcard feature service: it answers with many rows for one entity, and a row is enriched with one; name another feature service
    problem /retrieval/entity_id: the join key `user_id` is float64; only keys of type string and int64 can be sent
    ");
}

#[test]
fn an_expression_that_yields_another_type_for_every_row_is_a_problem() {
    let found = found(json!({
        "entity_row_fn": { "user_id": "double(row.u)", "ad_id": "row.a == 1 ? int(row.a) : 5" },
        "request_context_fn": { "amount": "row.a > 5", "at": "string(row.t)" },
    }));
    let wrong: Vec<&str> = found.lines().filter(|line| line.starts_with("problem")).collect();
    assert_snapshot!(wrong.join("\n"), @"
    problem /retrieval/entity_row_fn/user_id: `user_id` is a fractional number; a join key is a string, an integer or null
    problem /retrieval/request_context_fn/amount: `amount` must be float64, is a boolean
    ");
}

#[test]
fn a_constant_that_is_sent_as_the_type_of_its_parameter_is_no_problem() {
    let found = found(json!({
        "entity_row_fn": { "user_id": "row.u", "ad_id": "row.a" },
        "request_context_map": { "amount": 100, "at": "2025-01-01T00:00:00Z" },
    }));
    assert!(!found.contains("problem"), "{found}");
}
