//! `metadata` in answers, and the metadata endpoint.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tecton_emulator::{DataType, Endpoint, Feature, FeatureService, FeatureValue, FeatureView};

use crate::client::{Client, SERVICE, known, shop, shop_with_context};

fn metadata(client: &Client, options: Value) -> Value {
    let params = json!({"joinKeyMap": known(), "metadataOptions": options});
    client.get_features(params).json()["metadata"].clone()
}

#[test]
fn without_metadata_options_there_is_no_metadata() {
    let client = Client::of(shop());
    let answer = client.get_features(json!({"joinKeyMap": known()}));
    assert_eq!(answer.json().get("metadata"), None);
    assert_eq!(metadata(&client, Value::Null), Value::Null);
}

#[test]
fn names_and_types_come_in_the_order_of_the_features() {
    let options = json!({"includeNames": true, "includeDataTypes": true});
    assert_eq!(
        metadata(&Client::of(shop()), options),
        json!({"features": [
            {"name": "users.visits", "dataType": {"type": "int64"}},
            {"name": "users.name", "dataType": {"type": "string"}},
            {"name": "clicks.count", "dataType": {"type": "int64"}},
        ]})
    );
}

#[test]
fn only_what_is_asked_for_is_there() {
    let client = Client::of(shop());
    let options = json!({"includeNames": false, "includeDataTypes": true});
    assert_eq!(metadata(&client, options)["features"][1], json!({"dataType": {"type": "string"}}));
    let options = json!({"includeSloInfo": true});
    assert_eq!(metadata(&client, options).get("features"), None);
}

#[test]
fn descriptions_and_tags_are_there_for_the_features_that_have_them() {
    let value = FeatureValue::Column("f".to_owned());
    let described = Feature {
        description: Some("What it is.".to_owned()),
        tags: BTreeMap::from([("owner".to_owned(), "risk".to_owned())]),
        ..Feature::new("f", DataType::String, value)
    };
    let view = FeatureView::of_csv("v", "user_id,f,g\nu1,x,y\n")
        .with(described)
        .feature("g", DataType::String);
    let service = FeatureService::new(SERVICE).join_key("user_id", DataType::String).view(view);
    let options = json!({"includeFeatureDescriptions": true, "includeFeatureTags": true});
    let answer = Client::of(service)
        .get_features(json!({"joinKeyMap": {"user_id": "u1"}, "metadataOptions": options}));
    assert_eq!(
        answer.json()["metadata"]["features"],
        json!([{"description": "What it is.", "tags": {"owner": "risk"}}, {}])
    );
}

#[test]
fn slo_info_is_an_object_for_one_entity() {
    let info = &metadata(&Client::of(shop()), json!({"includeSloInfo": true}))["sloInfo"];
    assert_eq!(info["sloEligible"], json!(true));
    for figure in
        ["sloServerTimeSeconds", "serverTimeSeconds", "storeMaxLatency", "storeResponseSizeBytes"]
    {
        assert!(info[figure].is_number(), "{figure}");
    }
}

#[test]
fn slo_info_is_a_list_and_a_total_for_a_batch() {
    let answer = Client::of(shop()).get_features_batch(json!({
        "requestData": [{"joinKeyMap": known()}, {"joinKeyMap": known()}],
        "metadataOptions": {"includeSloInfo": true},
    }));
    let metadata = &answer.json()["metadata"];
    assert_eq!(metadata["sloInfo"].as_array().unwrap().len(), 2);
    assert!(metadata["sloInfo"][1]["serverTimeSeconds"].is_number());
    assert!(metadata["batchSloInfo"]["serverTimeSeconds"].is_number());
}

#[test]
fn the_metadata_endpoint_lists_inputs_and_features() {
    let answer = Client::of(shop_with_context()).ask(Endpoint::Metadata, json!({}));
    assert_eq!(
        answer.json(),
        json!({
            "featureServiceType": "DEFAULT",
            "inputJoinKeys": [
                {"name": "user_id", "dataType": {"type": "string"}},
                {"name": "ad_id", "dataType": {"type": "int64"}},
            ],
            "inputRequestContextKeys": [{"name": "amount", "dataType": {"type": "float64"}}],
            "featureValues": [
                {"name": "users.visits", "dataType": {"type": "int64"}},
                {"name": "users.name", "dataType": {"type": "string"}},
                {"name": "clicks.count", "dataType": {"type": "int64"}},
                {"name": "amount.is_large", "dataType": {"type": "boolean"}},
                {"name": "amount.inverse", "dataType": {"type": "int64"}},
            ],
        })
    );
}

#[test]
fn inputs_that_a_service_has_not_are_absent_and_its_features_are_always_there() {
    let answer = Client::of(FeatureService::new(SERVICE)).ask(Endpoint::Metadata, json!({}));
    assert_eq!(answer.json(), json!({"featureServiceType": "DEFAULT", "featureValues": []}));
}

#[test]
fn nested_types_are_described_to_the_end() {
    let data_type = "map<string, struct<a: array<string>>>";
    let service = FeatureService::new(SERVICE).request_context("x", data_type.parse().unwrap());
    let answer = Client::of(service).ask(Endpoint::Metadata, json!({}));
    assert_eq!(
        answer.json()["inputRequestContextKeys"][0]["dataType"],
        json!({
            "type": "map",
            "keyType": {"type": "string"},
            "valueType": {"type": "struct", "fields": [
                {"name": "a", "dataType": {"type": "array", "elementType": {"type": "string"}}},
            ]},
        })
    );
}
