//! The forms of a request, and the rows that its entities find.

use serde_json::json;
use tecton_emulator::{DataType, Endpoint, FeatureService, FeatureView};

use crate::client::{Client, SERVICE, known, shop, shop_with_context};

#[test]
fn one_entity_gets_its_features_in_order() {
    let answer = Client::of(shop()).get_features(json!({"joinKeyMap": known()}));
    assert_eq!(answer.text, r#"{"result":{"features":["37","Ada","3"]}}"#);
}

#[test]
fn a_batch_is_answered_in_the_order_of_its_entities() {
    let other = json!({"user_id": "u2", "ad_id": "5417"});
    let answer = Client::of(shop()).batch_of(&[other, known()]);
    assert_eq!(
        answer.text,
        r#"{"result":[{"features":[null,"Bob",null]},{"features":["37","Ada","3"]}]}"#
    );
}

#[test]
fn snake_case_is_understood_at_every_level() {
    let client = Client::of(shop_with_context());
    let single = r#"{"params":{"workspace_name":"prod","feature_service_name":"shop",
        "join_key_map":{"user_id":"u1","ad_id":5417},"request_context_map":{"amount":500},
        "allow_partial_results":true,"metadata_options":{"include_names":true},
        "request_options":{"read_from_cache":true,"latency_budget_ms":"200",
            "ignore_extra_request_context_fields":true}}}"#;
    let answer = client.post(Endpoint::GetFeatures, single).json();
    assert_eq!(answer["result"]["features"], json!(["37", "Ada", "3", true, "2"]));
    assert_eq!(answer["metadata"]["features"][0], json!({"name": "users.visits"}));

    let batch = r#"{"params":{"workspace_name":"prod","feature_service_name":"shop",
        "request_data":[{"join_key_map":{"user_id":"u1","ad_id":5417},
            "request_context_map":{"amount":500}}]}}"#;
    let answer = client.post(Endpoint::GetFeaturesBatch, batch);
    assert_eq!(answer.rows(), [json!(["37", "Ada", "3", true, "2"])]);

    let metadata = r#"{"params":{"workspace_name":"prod","feature_service_name":"shop"}}"#;
    client.post(Endpoint::Metadata, metadata).json();
}

#[test]
fn a_null_request_context_is_an_empty_one() {
    let answer = Client::of(shop())
        .get_features(json!({"joinKeyMap": known(), "request_context_map": null}));
    assert_eq!(answer.features(), json!(["37", "Ada", "3"]));
}

#[test]
fn an_entity_that_nothing_is_known_of_has_nulls() {
    let keys = json!({"user_id": "nobody", "ad_id": "0"});
    let answer = Client::of(shop()).get_features(json!({"joinKeyMap": keys}));
    assert_eq!(answer.features(), json!([null, null, null]));
}

#[test]
fn an_entity_may_be_known_to_some_views_only() {
    let keys = json!({"user_id": "u1", "ad_id": "0"});
    let answer = Client::of(shop()).get_features(json!({"joinKeyMap": keys}));
    assert_eq!(answer.features(), json!(["37", "Ada", null]));
}

#[test]
fn a_null_join_key_finds_nothing_in_the_views_that_need_it() {
    let keys = json!({"user_id": "u1", "ad_id": null});
    let answer = Client::of(shop()).get_features(json!({"joinKeyMap": keys}));
    assert_eq!(answer.features(), json!(["37", "Ada", null]));
}

#[test]
fn a_text_with_escapes_finds_its_row() {
    let view = FeatureView::of_csv("v", "k,f\n\"a\"\"b\\é\",1\n").feature("f", DataType::Int64);
    let service = FeatureService::new(SERVICE).join_key("k", DataType::String).view(view);
    let client = Client::of(service);
    let body = r#"{"params":{"workspaceName":"prod","featureServiceName":"shop",
        "joinKeyMap":{"k":"a\"b\\\u00e9"}}}"#;
    assert_eq!(client.post(Endpoint::GetFeatures, body).features(), json!(["1"]));
}

#[test]
fn a_computed_feature_reads_context_and_join_keys() {
    let view = FeatureView::new("v")
        .computed("label", DataType::String, "k + ':' + string(n)")
        .computed("twice", DataType::Int64, "n * 2");
    let service = FeatureService::new(SERVICE)
        .join_key("k", DataType::String)
        .request_context("n", DataType::Int64)
        .view(view);
    let answer = Client::of(service)
        .get_features(json!({"joinKeyMap": {"k": "a"}, "requestContextMap": {"n": "7"}}));
    assert_eq!(answer.features(), json!(["a:7", "14"]));
}

#[test]
fn a_computed_feature_of_a_null_input_is_null() {
    let answer = Client::of(shop_with_context())
        .get_features(json!({"joinKeyMap": known(), "requestContextMap": {"amount": null}}));
    assert_eq!(answer.features(), json!(["37", "Ada", "3", null, null]));
}

#[test]
fn stored_and_computed_features_keep_their_order_within_a_view() {
    let view = FeatureView::of_csv("v", "k,a,b\n1,x,y\n")
        .feature("a", DataType::String)
        .computed("half", DataType::Int64, "k / 2")
        .feature("b", DataType::String);
    let service = FeatureService::new(SERVICE).join_key("k", DataType::Int64).view(view);
    let client = Client::of(service);
    let answer = client.batch_of(&[json!({"k": 1}), json!({"k": 4})]);
    assert_eq!(answer.rows(), [json!(["x", "0", "y"]), json!([null, "2", null])]);
}

#[test]
fn every_request_option_is_checked_for_its_type() {
    let client = Client::of(shop());
    let ask = |name: &str, value: serde_json::Value| {
        let answer =
            client.get_features(json!({"joinKeyMap": known(), "requestOptions": {name: value}}));
        answer.status
    };
    for name in [
        "readFromCache",
        "writeToCache",
        "ignoreExtraRequestContextFields",
        "coerceNullCountsToZero",
    ] {
        assert_eq!((ask(name, json!(true)), ask(name, json!("true"))), (200, 400), "{name}");
    }
    for name in ["aggregationLeadingEdge", "highWatermarkOverride"] {
        assert_eq!((ask(name, json!("x")), ask(name, json!(1))), (200, 400), "{name}");
    }
    assert_eq!(ask("latencyBudgetMs", json!(200)), 200);
    assert_eq!(ask("latencyBudgetMs", json!("200")), 200);
    assert_eq!(ask("latencyBudgetMs", json!("soon")), 400);
}
