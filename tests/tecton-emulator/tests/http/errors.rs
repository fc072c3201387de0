//! Every row of the error table: status, gRPC code and exact message.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tecton_emulator::{
    DataType, Emulator, Endpoint, Fault, FaultAnswer, FeatureService, FeatureView, Repository,
    Settings, Workspace,
};

use crate::client::{Client, KEY, known, repository, shop, shop_with_context};

const UNAUTHENTICATED: &str = "invalid 'Tecton-key' authorization header. Note that newly created credentials may take up to 60 seconds to be usable.";
const NOT_AUTHORIZED: &str =
    "Not Authorized. Note that access control changes may take up to 60 seconds to apply.";

fn unable_to_query(service: &str, workspace: &str) -> String {
    format!(
        "Unable to query FeatureService `{service}` for workspace `{workspace}`. Newly created feature services may take up to 60 seconds to query. Also, ensure that the workspace is a live workspace."
    )
}

#[test]
fn a_missing_join_key_is_named() {
    let answer = Client::of(shop()).get_features(json!({"joinKeyMap": {"ad_id": "1"}}));
    answer.assert_error(400, 3, "Missing required join key: user_id");
}

#[test]
fn a_request_without_join_keys_misses_the_first() {
    let answer = Client::of(shop()).get_features(json!({"joinKeyMap": null}));
    answer.assert_error(400, 3, "Missing required join key: user_id");
}

#[test]
fn a_missing_context_key_is_named() {
    let answer = Client::of(shop_with_context()).get_features(json!({"joinKeyMap": known()}));
    answer.assert_error(400, 3, "Expected key not found: [amount] in requestContextMap");
}

#[test]
fn an_int64_join_key_is_a_decimal_string_or_a_number() {
    let client = Client::of(shop());
    for wrong in [json!("1.0"), json!("abc"), json!(""), json!(1.5), json!(true), json!([1])] {
        let keys = json!({"user_id": "u1", "ad_id": wrong});
        client.get_features(json!({"joinKeyMap": keys})).assert_error(
            400,
            3,
            "Unexpected JSON type for ad_id in joinKeyMap. Expected int64 or null.",
        );
    }
}

#[test]
fn a_string_join_key_is_no_number() {
    let answer = Client::of(shop()).batch_of(&[json!({"user_id": 1, "ad_id": "1"})]);
    answer.assert_error(
        400,
        3,
        "Unexpected JSON type for user_id in joinKeyMap. Expected string or null.",
    );
}

#[test]
fn a_context_value_of_another_type_is_named() {
    let answer = Client::of(shop_with_context())
        .get_features(json!({"joinKeyMap": known(), "requestContextMap": {"amount": "much"}}));
    answer.assert_error(
        400,
        3,
        "Unexpected JSON type for amount in requestContextMap. Expected float64 or null.",
    );
}

#[test]
fn an_unknown_join_key_is_told_the_ones_expected() {
    let keys = json!({"user_id": "u1", "ad_id": "1", "join_key": "x"});
    let answer = Client::of(shop()).get_features(json!({"joinKeyMap": keys}));
    answer.assert_error(400, 3, "Unknown join key: join_key, expected one of: [user_id ad_id]");
}

#[test]
fn an_unknown_context_key_is_refused_unless_extra_ones_are_ignored() {
    let client = Client::of(shop_with_context());
    let ask = |options: Value| {
        let context = json!({"amount": 1.0, "color": "red"});
        client.get_features(json!({
            "joinKeyMap": known(), "requestContextMap": context, "requestOptions": options,
        }))
    };
    let refused = "Unknown request context key: color, expected one of: [amount]";
    ask(json!({})).assert_error(400, 3, refused);
    ask(json!({"ignoreExtraRequestContextFields": false})).assert_error(400, 3, refused);
    ask(json!({"ignoreExtraRequestContextFields": true})).json();
}

#[test]
fn a_batch_holds_ten_entities() {
    let client = Client::of(shop());
    client.batch_of(&vec![known(); 10]).json();
    let answer = client.batch_of(&vec![known(); 11]);
    answer.assert_error(400, 3, "Batch size 11 exceeds maximum of 10.");
}

#[test]
fn the_batch_size_is_checked_before_the_join_keys() {
    let answer = Client::of(shop()).batch_of(&vec![json!({}); 11]);
    answer.assert_error(400, 3, "Batch size 11 exceeds maximum of 10.");
}

#[test]
fn one_wrong_entity_fails_the_whole_batch() {
    let answer = Client::of(shop()).batch_of(&[known(), json!({"user_id": "u1"})]);
    answer.assert_error(400, 3, "Missing required join key: ad_id");
}

#[test]
fn a_missing_or_wrong_key_is_unauthenticated_before_anything_else() {
    let client = Client::of(shop());
    for authorization in [
        None,
        Some("Tecton-key wrong"),
        Some("Tecton-key"),
        Some("Bearer demo-key"),
        Some("demo-key"),
    ] {
        for endpoint in Endpoint::ALL {
            let answer = client.post_as(endpoint, authorization, "{").unwrap();
            answer.assert_error(401, 16, UNAUTHENTICATED);
        }
    }
}

#[test]
fn a_key_of_other_workspaces_is_not_authorized() {
    let repository = Repository::new()
        .api_key_for(KEY, ["staging"])
        .workspace(Workspace::live("prod").service(shop()));
    let client = Client::start(Emulator::builder(repository));
    for endpoint in Endpoint::ALL {
        let answer = client.ask(endpoint, json!({}));
        answer.assert_error(403, 7, NOT_AUTHORIZED);
    }
}

#[test]
fn an_unknown_service_or_workspace_cannot_be_queried() {
    let client = Client::of(shop());
    let answer = client.get_features(json!({"featureServiceName": "fs"}));
    answer.assert_error(404, 5, &unable_to_query("fs", "prod"));
    let answer = client.get_features_batch(json!({"workspaceName": "ws"}));
    answer.assert_error(404, 5, &unable_to_query("shop", "ws"));
}

#[test]
fn a_workspace_that_is_not_live_cannot_be_queried() {
    let repository =
        Repository::new().api_key(KEY).workspace(Workspace::not_live("prod").service(shop()));
    let client = Client::start(Emulator::builder(repository));
    let answer = client.get_features(json!({"joinKeyMap": known()}));
    answer.assert_error(404, 5, &unable_to_query("shop", "prod"));
}

#[test]
fn the_metadata_of_an_unknown_service_has_its_own_message() {
    let answer = Client::of(shop())
        .ask(Endpoint::Metadata, json!({"featureServiceName": "my_feature_service"}));
    answer.assert_error(
        404,
        5,
        "Unknown feature_service_name: my_feature_service for workspace: prod",
    );
}

#[test]
fn a_view_without_materialized_data_cannot_be_read() {
    let mut view = FeatureView::new("my_feature_view").feature("f", DataType::Int64);
    view.materialized = false;
    let service = FeatureService::new("shop").join_key("k", DataType::String).view(view);
    let answer = Client::of(service).get_features(json!({"joinKeyMap": {"k": "1"}}));
    answer.assert_error(
        404,
        5,
        "Cannot retrieve features. FeatureView: my_feature_view has no materialized data in the online store.",
    );
}

#[test]
fn more_requests_at_once_than_allowed_are_told_to_come_later() {
    let hang = FaultAnswer::Hang(Duration::from_millis(500));
    let settings = Settings {
        max_concurrent_requests: Some(1),
        faults: vec![Fault::every(hang).on(Endpoint::Metadata)],
        ..Settings::default()
    };
    let client = Client::start(Emulator::builder(repository(shop())).settings(settings));
    let ask = || client.get_features(json!({"joinKeyMap": known()}));
    thread::scope(|scope| {
        let held = scope.spawn(|| client.ask(Endpoint::Metadata, json!({})));
        while client.emulator.stats().requests == 0 {
            thread::yield_now();
        }
        ask().assert_error(
            429,
            8,
            "GetFeatures exceeded the concurrent request limit, please retry later",
        );
        held.join().unwrap().json();
    });
    ask().json();
}

#[test]
fn malformed_json_is_an_invalid_argument() {
    let client = Client::of(shop());
    for body in ["", "{", "[]", "{}", r#"{"params":7}"#, r#"{"params":{}} more"#, "\u{feff}{}"] {
        let (status, code, message) = client.post(Endpoint::GetFeatures, body).error();
        assert_eq!((status, code), (400, 3), "{body}: {message}");
        assert!(message.starts_with("Malformed request: "), "{message}");
    }
}

#[test]
fn a_request_names_its_workspace_and_service() {
    let client = Client::of(shop());
    let answer = client.get_features(json!({"workspaceName": ""}));
    answer.assert_error(400, 3, "Missing required field: workspaceName");
    let answer = client.get_features(json!({"featureServiceName": null}));
    answer.assert_error(400, 3, "Missing required field: featureServiceName");
}

#[test]
fn a_payload_over_the_limit_is_refused_and_the_connection_goes_on() {
    let client = Client::of(shop());
    let body = " ".repeat(4 * 1024 * 1024 + 1);
    let answer = client.post(Endpoint::GetFeatures, &body);
    answer.assert_error(413, 8, "Request payload exceeds maximum of 4194304 bytes.");
    client.get_features(json!({"joinKeyMap": known()})).json();
    assert_eq!(client.emulator.stats().connections, 1);
}

#[test]
fn another_path_is_not_found_and_another_method_not_allowed() {
    let client = Client::of(shop());
    client.post_path("/api/v1/feature-service").assert_error(404, 5, "Not Found");
    let answer = client.get(Endpoint::GetFeatures.path());
    answer.assert_error(405, 12, "Method Not Allowed");
}
