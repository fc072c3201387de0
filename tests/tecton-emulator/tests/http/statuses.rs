//! Serving statuses and effective times, single and batch; they are independent of the values.

use serde_json::{Value, json};
use tecton_emulator::{DataType, FeatureService, FeatureView};

use crate::client::{Client, SERVICE, known, shop_with_context};

fn options() -> Value {
    json!({"includeServingStatus": true, "includeEffectiveTimes": true})
}

fn timed() -> FeatureService {
    let csv = "k,f,at\n1,7,2025-01-01T00:00:00Z\n2,8,2025-01-02T00:00:00.5Z\n3,,\n";
    let mut view = FeatureView::of_csv("v", csv).feature("f", DataType::Int64);
    view.effective_time = Some("at".to_owned());
    FeatureService::new(SERVICE)
        .join_key("k", DataType::Int64)
        .view(view)
        .view(FeatureView::new("now").computed("g", DataType::Int64, "1"))
}

fn of_single(client: &Client, key: Value) -> Value {
    let params = json!({"joinKeyMap": {"k": key}, "metadataOptions": options()});
    client.get_features(params).json()["metadata"]["features"].clone()
}

fn of_batch(client: &Client, keys: &[i64]) -> Value {
    let entity = |key: &i64| json!({"joinKeyMap": {"k": key}});
    let entities: Vec<Value> = keys.iter().map(entity).collect();
    let params = json!({"requestData": entities, "metadataOptions": options()});
    client.get_features_batch(params).json()["metadata"]["features"].clone()
}

#[test]
fn a_single_answer_has_one_status_and_one_time_a_feature() {
    let client = Client::of(timed());
    assert_eq!(
        of_single(&client, json!(1)),
        json!([
            {"effectiveTime": "2025-01-01T00:00:00Z", "status": "PRESENT"},
            {"status": "PRESENT"},
        ])
    );
}

#[test]
fn a_batch_has_a_status_per_row_and_the_newest_time_a_feature() {
    let client = Client::of(timed());
    assert_eq!(
        of_batch(&client, &[1, 9, 2]),
        json!([
            {
                "effectiveTime": "2025-01-02T00:00:00.500000Z",
                "status": ["PRESENT", "MISSING_DATA", "PRESENT"],
            },
            {"status": ["PRESENT", "PRESENT", "PRESENT"]},
        ])
    );
}

#[test]
fn an_unknown_entity_and_a_null_key_are_missing_data_while_computed_features_are_there() {
    let client = Client::of(timed());
    for key in [json!(9), Value::Null] {
        let answer = client.get_features(json!({"joinKeyMap": {"k": key}}));
        assert_eq!(answer.features(), json!([null, "1"]));
        assert_eq!(
            of_single(&client, key),
            json!([{"status": "MISSING_DATA"}, {"status": "PRESENT"}])
        );
    }
}

#[test]
fn a_stored_null_is_present() {
    let client = Client::of(timed());
    let expected = json!([{"status": "PRESENT"}, {"status": "PRESENT"}]);
    assert_eq!(of_single(&client, json!(3)), expected);
}

#[test]
fn cached_values_say_so_and_have_no_time_unless_the_cache_is_not_to_be_read() {
    let mut service = timed();
    service.views[0].cached = true;
    let client = Client::of(service);
    assert_eq!(
        of_batch(&client, &[1, 9])[0],
        json!({"status": ["CACHED_PRESENT", "CACHED_MISSING_DATA"]})
    );
    let params = json!({
        "joinKeyMap": {"k": 1}, "metadataOptions": options(),
        "requestOptions": {"readFromCache": false},
    });
    assert_eq!(
        client.get_features(params).json()["metadata"]["features"][0]["status"],
        json!("PRESENT")
    );
}

#[test]
fn a_computed_feature_that_fails_fails_the_request() {
    let client = Client::of(shop_with_context());
    let context = json!({"amount": 0});
    let params = json!({"joinKeyMap": known(), "requestContextMap": context});
    let (status, code, message) = client.get_features(params.clone()).error();
    assert_eq!((status, code), (400, 3));
    assert!(message.starts_with("Failed to compute feature amount.inverse: "), "{message}");

    let batch = client.get_features_batch(json!({"requestData": [params]}));
    assert_eq!(batch.status, 400);
}

#[test]
fn with_partial_results_allowed_a_failed_feature_is_null_and_unknown() {
    let answer = Client::of(shop_with_context()).get_features(json!({
        "joinKeyMap": known(), "requestContextMap": {"amount": 0},
        "allowPartialResults": true, "metadataOptions": {"includeServingStatus": true},
    }));
    assert_eq!(answer.features(), json!(["37", "Ada", "3", false, null]));
    let metadata = &answer.json()["metadata"];
    assert_eq!(metadata["partialResults"], json!(true));
    assert_eq!(metadata["features"][4], json!({"status": "UNKNOWN"}));
}

#[test]
fn nothing_is_partial_when_nothing_fails() {
    let answer = Client::of(shop_with_context()).get_features(json!({
        "joinKeyMap": known(), "requestContextMap": {"amount": 1},
        "allowPartialResults": true, "metadataOptions": {"includeServingStatus": true},
    }));
    assert_eq!(answer.json()["metadata"].get("partialResults"), None);
}
