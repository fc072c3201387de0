//! Each setting for what the documentation leaves open.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tecton_emulator::{
    DataType, EmptyMetadataOptions, EmptyRequestData, Emulator, Endpoint, FeatureView, LateAnswer,
    Settings, StructMembers, UnknownFields,
};

use crate::client::{Client, known, repository, shop, shop_with_context};

fn with(settings: Settings) -> Client {
    Client::start(Emulator::builder(repository(shop())).settings(settings))
}

#[test]
fn unknown_fields_are_ignored_by_default_and_refused_on_demand() {
    let params = json!({"joinKeyMap": known(), "metadataOptions": {"includeColors": true}});
    Client::of(shop()).get_features(params.clone()).json();

    let strict = with(Settings { unknown_fields: UnknownFields::Refuse, ..Settings::default() });
    let answer = strict.get_features(params);
    answer.assert_error(400, 3, "Unknown field: params.metadataOptions.includeColors");
    strict.get_features(json!({"joinKeyMap": known()})).json();
    let answer = strict.post(Endpoint::Metadata, r#"{"params":{},"more":1}"#);
    answer.assert_error(400, 3, "Unknown field: more");
}

#[test]
fn extra_request_context_is_ignored_on_demand_and_the_request_has_the_last_word() {
    let settings = Settings { extra_request_context: UnknownFields::Ignore, ..Settings::default() };
    let service = repository(shop_with_context());
    let client = Client::start(Emulator::builder(service).settings(settings));
    let mut params = json!({
        "joinKeyMap": known(), "requestContextMap": {"amount": 1, "color": "red"},
    });
    client.get_features(params.clone()).json();
    params["requestOptions"] = json!({"ignoreExtraRequestContextFields": false});
    assert_eq!(client.get_features(params).status, 400);
}

/// Statuses of a request with `{"a": 1, "b": 2}` for a struct that has `a` alone, where the request
/// says of extra context that it is to be ignored, and where it says that it is not.
fn with_an_extra_member(extra_struct_members: StructMembers) -> [u16; 2] {
    let view = FeatureView::new("v").computed("a", DataType::Int64, "s.a");
    let service = shop().request_context("s", "struct<a: int64>".parse().unwrap()).view(view);
    let settings = Settings { extra_struct_members, ..Settings::default() };
    let client = Client::start(Emulator::builder(repository(service)).settings(settings));
    [true, false].map(|ignored| {
        let params = json!({
            "joinKeyMap": known(), "requestContextMap": {"s": {"a": 1, "b": 2}},
            "requestOptions": {"ignoreExtraRequestContextFields": ignored},
        });
        client.get_features(params).status
    })
}

#[test]
fn extra_members_of_a_struct_are_extra_context_by_default_or_always_ignored_or_refused() {
    assert_eq!(Settings::default().extra_struct_members, StructMembers::AsContextKeys);
    assert_eq!(with_an_extra_member(StructMembers::AsContextKeys), [200, 400]);
    assert_eq!(with_an_extra_member(StructMembers::Ignore), [200, 200]);
    assert_eq!(with_an_extra_member(StructMembers::Refuse), [400, 400]);
}

#[test]
fn metadata_options_that_ask_for_nothing_follow_their_setting() {
    let metadata = |empty_metadata_options| {
        let client = with(Settings { empty_metadata_options, ..Settings::default() });
        let params = json!({"joinKeyMap": known(), "metadataOptions": {}});
        client.get_features(params).json().get("metadata").cloned()
    };
    assert_eq!(metadata(EmptyMetadataOptions::Absent), None);
    assert_eq!(metadata(EmptyMetadataOptions::EmptyObject), Some(json!({})));
    let named = metadata(EmptyMetadataOptions::NamesAndDataTypes).unwrap();
    assert_eq!(
        named["features"][0],
        json!({"name": "users.visits", "dataType": {"type": "int64"}})
    );
}

#[test]
fn an_empty_batch_is_refused_by_default_and_answered_on_demand() {
    let answer = Client::of(shop()).batch_of(&[]);
    answer.assert_error(400, 3, "requestData must not be empty");
    let lenient =
        with(Settings { empty_request_data: EmptyRequestData::Answer, ..Settings::default() });
    assert_eq!(lenient.batch_of(&[]).rows(), Vec::<Value>::new());
}

#[test]
fn the_batch_size_is_a_setting() {
    let client = with(Settings { max_batch_size: 2, ..Settings::default() });
    client.batch_of(&[known(), known()]).json();
    let answer = client.batch_of(&[known(), known(), known()]);
    answer.assert_error(400, 3, "Batch size 3 exceeds maximum of 2.");
}

#[test]
fn the_latency_is_a_lower_bound_of_every_answer() {
    let latency = Duration::from_millis(30);
    let client = Client::start(Emulator::builder(repository(shop())).latency(latency));
    for status in [200, 400] {
        let keys = if status == 200 { known() } else { json!({}) };
        let begun = Instant::now();
        let answer = client.get_features(json!({"joinKeyMap": keys}));
        assert_eq!(answer.status, status);
        assert!(begun.elapsed() >= latency);
    }
}

#[test]
fn a_latency_over_the_budget_times_out_when_the_budget_is_spent() {
    let latency = Duration::from_secs(60);
    let client = Client::start(Emulator::builder(repository(shop())).latency(latency));
    let answer = client
        .get_features(json!({"joinKeyMap": known(), "requestOptions": {"latencyBudgetMs": 100}}));
    answer.assert_error(504, 4, "Timed out");
}

#[test]
fn the_servers_own_timeout_is_a_setting() {
    let client = with(Settings {
        latency: Duration::from_secs(60),
        server_timeout: Duration::from_millis(20),
        ..Settings::default()
    });
    let answer = client.get_features(json!({"joinKeyMap": known()}));
    answer.assert_error(504, 4, "Timed out");
}

/// A store that takes a minute, where that is answered with nulls.
fn late(service: tecton_emulator::FeatureService) -> Client {
    Client::start(Emulator::builder(repository(service)).settings(Settings {
        latency: Duration::from_secs(60),
        late_answer: LateAnswer::TimedOutFeatures,
        ..Settings::default()
    }))
}

#[test]
fn features_that_are_late_are_nulls_of_status_time_out_on_demand() {
    let client = late(shop());
    let options = json!({"latencyBudgetMs": 100});
    let metadata = json!({"includeServingStatus": true, "includeEffectiveTimes": true});
    let answer = client.get_features(json!({
        "joinKeyMap": known(), "requestOptions": options, "metadataOptions": metadata,
    }));
    assert_eq!(answer.features(), json!([null, null, null]));
    let statuses = json!([{"status": "TIME_OUT"}, {"status": "TIME_OUT"}, {"status": "TIME_OUT"}]);
    assert_eq!(answer.json()["metadata"]["features"], statuses);
    let answer = client.get_features_batch(json!({
        "requestData": [{"joinKeyMap": known()}, {"joinKeyMap": known()}],
        "requestOptions": options, "metadataOptions": {"includeServingStatus": true},
    }));
    assert_eq!(answer.rows(), [json!([null, null, null]), json!([null, null, null])]);
    let status = json!({"status": ["TIME_OUT", "TIME_OUT"]});
    assert_eq!(answer.json()["metadata"]["features"], json!([status, status, status]));
}

#[test]
fn a_feature_that_is_computed_of_the_request_is_never_late() {
    let answer = late(shop_with_context()).get_features(json!({
        "joinKeyMap": known(), "requestContextMap": {"amount": 500},
        "requestOptions": {"latencyBudgetMs": 100},
        "metadataOptions": {"includeServingStatus": true},
    }));
    assert_eq!(answer.features(), json!([null, null, null, true, "2"]));
    assert_eq!(answer.json()["metadata"]["features"][3], json!({"status": "PRESENT"}));
}

#[test]
fn a_store_that_is_in_time_has_its_features_whatever_a_late_one_would_have() {
    let late_answer = LateAnswer::TimedOutFeatures;
    let client = with(Settings { late_answer, ..Settings::default() });
    let answer = client.get_features(json!({"joinKeyMap": known()}));
    assert_eq!(answer.features(), json!(["37", "Ada", "3"]));
}
