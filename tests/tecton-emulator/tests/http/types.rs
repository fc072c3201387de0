//! Every type on the wire: from a cell to an answer, and from the request context.

use serde_json::{Value, json};
use tecton_emulator::{DataType, FeatureService, FeatureView};

use crate::client::{Client, SERVICE, one_cell};

/// What a cell of a type is answered as.
fn stored(data_type: &str, cell: &str) -> Value {
    let client = Client::of(one_cell(data_type, cell));
    client.get_features(json!({"joinKeyMap": {"k": 1}})).features()[0].clone()
}

/// What a context value of a type comes back as, through an expression.
fn echoed(data_type: &str, value: Value) -> Result<Value, String> {
    let data_type: DataType = data_type.parse().unwrap();
    let service = FeatureService::new(SERVICE)
        .request_context("x", data_type.clone())
        .view(FeatureView::new("v").computed("f", data_type, "x"));
    let answer = Client::of(service).get_features(json!({"requestContextMap": {"x": value}}));
    match answer.status {
        200 => Ok(answer.features()[0].clone()),
        _ => Err(answer.error().2),
    }
}

#[test]
fn an_int64_is_a_decimal_string() {
    assert_eq!(stored("int64", "-9223372036854775808"), json!("-9223372036854775808"));
}

#[test]
fn floats_are_numbers_and_whole_ones_integers() {
    assert_eq!(stored("float64", "1.5"), json!(1.5));
    assert_eq!(stored("float64", "0"), json!(0));
    assert_eq!(stored("float32", "0.1"), json!(0.1));
}

#[test]
fn special_floats_are_named() {
    for (cell, name) in [("NaN", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity")] {
        assert_eq!(stored("float64", cell), json!(name));
        assert_eq!(stored("float32", cell), json!(name));
    }
}

#[test]
fn a_boolean_and_a_string_are_as_they_are() {
    assert_eq!(stored("boolean", "true"), json!(true));
    assert_eq!(stored("string", "a \"b\" \\ é\n"), json!("a \"b\" \\ é\n"));
}

#[test]
fn a_timestamp_ends_in_z() {
    assert_eq!(stored("timestamp", "2025-01-31T13:00:00+01:00"), json!("2025-01-31T12:00:00Z"));
    assert_eq!(stored("timestamp", "2025-01-31 12:00:00.25"), json!("2025-01-31T12:00:00.250000Z"));
}

#[test]
fn an_array_may_hold_nulls() {
    assert_eq!(stored("array<int64>", "[1, null]"), json!(["1", null]));
}

#[test]
fn a_struct_is_positional_however_it_is_stored() {
    let data_type = "struct<a: string, b: int64, c: float64>";
    let expected = json!(["s", "12", 1.5]);
    assert_eq!(stored(data_type, r#"{"c": 1.5, "b": "12", "a": "s"}"#), expected);
    assert_eq!(stored(data_type, r#"["s", 12, 1.5]"#), expected);
}

#[test]
fn a_null_struct_differs_from_one_of_nulls() {
    assert_eq!(stored("struct<a: string, b: int64>", "{}"), json!([null, null]));
    assert_eq!(stored("struct<a: string, b: int64>", "null"), Value::Null);
    assert_eq!(stored("struct<a: string, b: int64>", ""), Value::Null);
}

#[test]
fn a_map_is_an_object() {
    assert_eq!(
        stored("map<string, int64>", r#"{"k": 9, "n": null}"#),
        json!({"k": "9", "n": null})
    );
}

#[test]
fn types_nest() {
    assert_eq!(
        stored("array<struct<a: map<string, array<int64>>>>", r#"[{"a": {"k": [1]}}, null]"#),
        json!([[{"k": ["1"]}], null])
    );
}

#[test]
fn context_of_every_type_is_read() {
    let same = |data_type, value: Value| assert_eq!(echoed(data_type, value.clone()), Ok(value));
    same("int64", json!("7"));
    same("float64", json!(0.5));
    same("float64", json!("NaN"));
    same("float32", json!("-Infinity"));
    same("string", json!("s"));
    same("boolean", json!(false));
    same("timestamp", json!("2025-01-31T12:00:00Z"));
    same("array<int64>", json!(["1", null]));
    same("struct<a: string, b: int64>", json!(["s", "1"]));
    same("map<string, float64>", json!({"k": 0.5}));
    same("map<string, float64>", Value::Null);
}

#[test]
fn context_has_more_than_one_spelling() {
    assert_eq!(echoed("int64", json!(7)), Ok(json!("7")));
    assert_eq!(echoed("float64", json!(7)), Ok(json!(7)));
    assert_eq!(
        echoed("timestamp", json!("2025-01-31T12:00:00+00:00")),
        Ok(json!("2025-01-31T12:00:00Z"))
    );
    assert_eq!(
        echoed("struct<a: string, b: int64>", json!({"b": 1, "a": "s"})),
        Ok(json!(["s", "1"]))
    );
}

#[test]
fn context_of_another_type_is_refused_with_the_type_expected() {
    let refused = |data_type: &str, value: Value| {
        let message = format!(
            "Unexpected JSON type for x in requestContextMap. Expected {data_type} or null."
        );
        assert_eq!(echoed(data_type, value), Err(message));
    };
    refused("int64", json!("7.5"));
    refused("float64", json!("7"));
    refused("boolean", json!("true"));
    refused("string", json!(7));
    refused("timestamp", json!("soon"));
    refused("array<int64>", json!(["x"]));
    refused("struct<a: string>", json!({"a": "s", "extra": 1}));
    refused("map<string, int64>", json!([]));
}
