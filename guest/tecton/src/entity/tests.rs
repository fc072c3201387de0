//! What an entity promises: what goes out is what the row holds.

use crate::Tecton;
use beamlet_guest::{Batch, Column, Handler, Texts, Values};
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A handler with this retrieval.
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

fn column(name: &str, values: Values, nulls: &[u32]) -> Column {
    Column { name: name.to_owned(), values, nulls: nulls.to_vec() }
}

fn texts<S: AsRef<str>>(list: &[S]) -> Texts {
    list.iter().collect()
}

/// What each row asks for, or why it cannot, a line each.
fn asked(handler: &Tecton, columns: Vec<Column>) -> String {
    let rows = columns.first().map_or(1, |column| column.values.len() as u32);
    match handler.entities(&Batch { rows, columns }) {
        Ok(entities) => {
            let lines = entities.into_iter().map(|entity| match entity {
                Ok(entity) if entity.null_key => format!("null key: {}", entity.text),
                Ok(entity) => entity.text,
                Err(error) => format!("{}: {}", error.kind.name(), error.message),
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        Err(error) => format!("the bundle: {}", error.message),
    }
}

fn by_name(values: Values, nulls: &[u32]) -> String {
    asked(&handler(json!({ "entity_id": "k" })), vec![column("k", values, nulls)])
}

#[test]
fn a_field_of_any_type_is_a_key_or_says_why_not() {
    assert_snapshot!(by_name(Values::Strings(texts(&["a", "\"b\\\n", ""])), &[2]), @r#"
    "joinKeyMap":{"k":"a"}
    "joinKeyMap":{"k":"\"b\\\n"}
    null key: "joinKeyMap":{"k":null}
    "#);
    assert_snapshot!(by_name(Values::Int64s(vec![i64::MIN, i64::MAX, 0]), &[2]), @r#"
    "joinKeyMap":{"k":"-9223372036854775808"}
    "joinKeyMap":{"k":"9223372036854775807"}
    null key: "joinKeyMap":{"k":null}
    "#);
    assert_snapshot!(by_name(Values::Int8s(vec![-1]), &[]), @r#""joinKeyMap":{"k":"-1"}"#);
    assert_snapshot!(by_name(Values::Json(texts(&["\"a\"", "12", "null", "18446744073709551615", "1.5", "[1]", "{"])), &[]), @r#"
    "joinKeyMap":{"k":"a"}
    "joinKeyMap":{"k":"12"}
    null key: "joinKeyMap":{"k":null}
    invalid-input: field `k` is an integer above the greatest int64; a join key is a string, an integer or null
    invalid-input: field `k` is a fractional number; a join key is a string, an integer or null
    invalid-input: field `k` is a list; a join key is a string, an integer or null
    invalid-input: field `k` is not JSON, though its column says so; a join key is a string, an integer or null
    "#);
    assert_snapshot!(by_name(Values::Dates(vec![15_706]), &[]), @r#""joinKeyMap":{"k":"2013-01-01"}"#);
    assert_snapshot!(by_name(Values::Decimals(texts(&["-12.50"])), &[]), @r#""joinKeyMap":{"k":"-12.50"}"#);
    assert_snapshot!(by_name(Values::Booleans(vec![true, true]), &[1]), @r#"
    invalid-input: field `k` is a boolean; a join key is a string, an integer or null
    null key: "joinKeyMap":{"k":null}
    "#);
    assert_snapshot!(by_name(Values::Float64s(vec![1.0]), &[]), @"invalid-input: field `k` is a fractional number; a join key is a string, an integer or null");
    assert_snapshot!(by_name(Values::Bytes([[1]].into_iter().collect()), &[]), @"invalid-input: field `k` is bytes; a join key is a string, an integer or null");
    assert_snapshot!(by_name(Values::Timestamps(vec![0]), &[]), @"invalid-input: field `k` is a timestamp; a join key is a string, an integer or null");
    assert_snapshot!(by_name(Values::Int64Lists([[1]].into_iter().collect()), &[]), @"invalid-input: field `k` is a list; a join key is a string, an integer or null");
}

#[test]
fn rows_without_the_field_lose_the_bundle() {
    assert_snapshot!(asked(&handler(json!({ "entity_id": "k" })), vec![]), @"the bundle: the rows have no field `k`, which is the entity_id");
    let computed = handler(json!({ "entity_row_fn": { "k": "row.a + row.b" } }));
    let only_a = vec![column("a", Values::Strings(texts(&["x"])), &[])];
    assert_snapshot!(asked(&computed, only_a), @"the bundle: the rows have no field `b`, which the join key `k` reads");
}

#[test]
fn context_of_every_type_goes_out_as_tecton_wants_it() {
    let context = |values: Values| {
        let handler =
            handler(json!({ "entity_row_fn": {}, "request_context_fn": { "c": "row.c" } }));
        asked(&handler, vec![column("c", values, &[])])
    };
    assert_snapshot!(context(Values::Float64s(vec![1.0, 0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0])), @r#"
    "joinKeyMap":{},"requestContextMap":{"c":1.0}
    "joinKeyMap":{},"requestContextMap":{"c":0.1}
    "joinKeyMap":{},"requestContextMap":{"c":"NaN"}
    "joinKeyMap":{},"requestContextMap":{"c":"Infinity"}
    "joinKeyMap":{},"requestContextMap":{"c":"-Infinity"}
    "joinKeyMap":{},"requestContextMap":{"c":-0.0}
    "#);
    assert_snapshot!(context(Values::Float32s(vec![0.1])), @r#""joinKeyMap":{},"requestContextMap":{"c":0.1}"#);
    assert_snapshot!(context(Values::Int64s(vec![i64::MAX])), @r#""joinKeyMap":{},"requestContextMap":{"c":"9223372036854775807"}"#);
    assert_snapshot!(context(Values::Booleans(vec![true])), @r#""joinKeyMap":{},"requestContextMap":{"c":true}"#);
    assert_snapshot!(context(Values::Timestamps(vec![0, 1, -1, 253_402_300_800_000_000])), @r#"
    "joinKeyMap":{},"requestContextMap":{"c":"1970-01-01T00:00:00Z"}
    "joinKeyMap":{},"requestContextMap":{"c":"1970-01-01T00:00:00.000001Z"}
    "joinKeyMap":{},"requestContextMap":{"c":"1969-12-31T23:59:59.999999Z"}
    invalid-input: the request context parameter `c` is a timestamp outside of the years 1 to 9999: `row.c`; request context is null, a boolean, a number, a string, a timestamp, a list or an object; send bytes as a string
    "#);
    assert_snapshot!(context(Values::Dates(vec![0])), @r#""joinKeyMap":{},"requestContextMap":{"c":"1970-01-01"}"#);
    assert_snapshot!(context(Values::Decimals(texts(&["0.10"]))), @r#""joinKeyMap":{},"requestContextMap":{"c":"0.10"}"#);
    assert_snapshot!(context(Values::Float64Lists([[0.5, f64::NAN]].into_iter().collect())), @r#""joinKeyMap":{},"requestContextMap":{"c":[0.5,"NaN"]}"#);
    assert_snapshot!(context(Values::Int64Lists([[1, i64::MAX]].into_iter().collect())), @r#""joinKeyMap":{},"requestContextMap":{"c":[1,"9223372036854775807"]}"#);
    assert_snapshot!(context(Values::Json(texts(&[r#"{"a":[1,9007199254740993,null]}"#]))), @r#""joinKeyMap":{},"requestContextMap":{"c":{"a":[1,"9007199254740993",null]}}"#);
    assert_snapshot!(context(Values::Bytes([[0]].into_iter().collect())), @"invalid-input: the request context parameter `c` is bytes: `row.c`; request context is null, a boolean, a number, a string, a timestamp, a list or an object; send bytes as a string");
}

#[test]
fn keys_and_context_are_computed_and_constants_go_along() {
    let handler = handler(json!({
        "entity_row_fn": { "user": "row.user.lowerAscii()", "a\"b": "row.n" },
        "request_context_map": { "channel": "web", "limit": 9_007_199_254_740_993_i64, "x": [1] },
        "request_context_fn": { "amount": "double(row.n) / 2.0", "maybe": "has(row.m) ? row.m : 'none'" },
    }));
    let columns = vec![
        column("user", Values::Strings(texts(&["Ann", "Bob", ""])), &[2]),
        column("n", Values::Int32s(vec![3, 0, 0]), &[1, 2]),
        column("m", Values::Strings(texts(&["", "m", ""])), &[0, 2]),
    ];
    assert_snapshot!(asked(&handler, columns), @r#"
    "joinKeyMap":{"user":"ann","a\"b":"3"},"requestContextMap":{"channel":"web","limit":"9007199254740993","x":[1],"amount":1.5,"maybe":"none"}
    invalid-input: the request context parameter `amount` has no value in this row: `double(row.n) / 2.0`: double() does not take null_type
    invalid-input: the join key `user` has no value in this row: `row.user.lowerAscii()`: null_type has no lowerAscii()
    "#);
    let inputs: Vec<_> = handler.inputs().into_iter().map(|i| (i.name, i.required)).collect();
    assert_eq!(inputs, [("user".into(), true), ("n".into(), true), ("m".into(), false)]);
}

#[test]
fn a_key_that_is_computed_is_a_string_an_integer_or_null() {
    let key = |source: &str| {
        let handler = handler(json!({ "entity_row_fn": { "k": source } }));
        asked(&handler, vec![column("x", Values::Strings(texts(&["secret"])), &[])])
    };
    assert_snapshot!(key("row.x == 'a'"), @"invalid-input: the join key `k` is a boolean: `row.x == 'a'`; a join key is a string, an integer or null");
    assert_snapshot!(key("double(size(row.x))"), @"invalid-input: the join key `k` is a fractional number: `double(size(row.x))`; a join key is a string, an integer or null");
    assert_snapshot!(key("bytes(row.x)"), @"invalid-input: the join key `k` is bytes: `bytes(row.x)`; a join key is a string, an integer or null");
    assert_snapshot!(key("duration(string(size(row.x)) + 's')"), @"invalid-input: the join key `k` is a duration: `duration(string(size(row.x)) + 's')`; a join key is a string, an integer or null");
    assert_snapshot!(key("int(row.x)"), @"invalid-input: the join key `k` has no value in this row: `int(row.x)`: int() does not take this value");
    assert_snapshot!(key("has(row.x) ? null : row.x"), @r#"null key: "joinKeyMap":{"k":null}"#);
    assert_snapshot!(key("size(row.x)"), @r#""joinKeyMap":{"k":"6"}"#);
    assert_snapshot!(key("18446744073709551615u"), @"invalid-input: the join key `k` is an integer above the greatest int64: `18446744073709551615u`; a join key is a string, an integer or null");
}

/// Columns of five rows, of every type that a request context can hold.
fn columns() -> impl Strategy<Value = Values> {
    let five = |strategy| prop::collection::vec(strategy, 5);
    let text = || any::<String>();
    prop_oneof![
        prop::collection::vec(any::<bool>(), 5).prop_map(Values::Booleans),
        prop::collection::vec(any::<i8>(), 5).prop_map(Values::Int8s),
        prop::collection::vec(any::<i16>(), 5).prop_map(Values::Int16s),
        prop::collection::vec(any::<i32>(), 5).prop_map(Values::Int32s),
        prop::collection::vec(any::<i64>(), 5).prop_map(Values::Int64s),
        prop::collection::vec(prop::num::f32::ANY, 5).prop_map(Values::Float32s),
        prop::collection::vec(prop::num::f64::ANY, 5).prop_map(Values::Float64s),
        five(text()).prop_map(|list| Values::Strings(texts(&list))),
        five(text()).prop_map(|list| Values::Decimals(texts(&list))),
        prop::collection::vec(-62_135_596_800_000_000..253_402_300_800_000_000_i64, 5)
            .prop_map(Values::Timestamps),
        prop::collection::vec(-719_162..2_932_896_i32, 5).prop_map(Values::Dates),
        prop::collection::vec(prop::collection::vec(text(), 0..3), 5)
            .prop_map(|lists| Values::StringLists(lists.into_iter().collect())),
        prop::collection::vec(prop::collection::vec(prop::num::f64::ANY, 0..3), 5)
            .prop_map(|lists| Values::Float64Lists(lists.into_iter().collect())),
        prop::collection::vec(prop::collection::vec(any::<i64>(), 0..3), 5)
            .prop_map(|lists| Values::Int64Lists(lists.into_iter().collect())),
    ]
}

/// What a server reads out of a value on the wire is the value that the row holds.
fn same(values: &Values, row: usize, wire: &Value) -> bool {
    let float = |wire: &Value| match wire {
        Value::String(name) => name.replace("Infinity", "inf").parse::<f64>().ok(),
        wire => wire.as_f64(),
    };
    let equal =
        |a: f64, wire: &Value| float(wire).is_some_and(|b| a == b || (a.is_nan() && b.is_nan()));
    let integer = |wire: &Value| match wire {
        Value::String(digits) => digits.parse::<i64>().ok(),
        wire => wire.as_i64(),
    };
    let list = || wire.as_array().unwrap();
    match values {
        Values::Booleans(v) => wire == &json!(v[row]),
        Values::Int8s(v) => wire.is_string() && integer(wire) == Some(v[row].into()),
        Values::Int16s(v) => wire.is_string() && integer(wire) == Some(v[row].into()),
        Values::Int32s(v) => wire.is_string() && integer(wire) == Some(v[row].into()),
        Values::Int64s(v) => wire.is_string() && integer(wire) == Some(v[row]),
        Values::Float32s(v) => {
            let sent = float(wire).map(|sent| sent as f32);
            sent.is_some_and(|sent| sent == v[row] || (sent.is_nan() && v[row].is_nan()))
        }
        Values::Float64s(v) => equal(v[row], wire),
        Values::Strings(v) | Values::Decimals(v) => wire == v.get(row),
        Values::Timestamps(v) => {
            beamlet_guest::contract::time::micros(wire.as_str().unwrap()) == Some(v[row])
        }
        Values::Dates(v) => {
            let date: chrono::NaiveDate = wire.as_str().unwrap().parse().unwrap();
            date.to_epoch_days() == v[row]
        }
        Values::StringLists(v) => wire == &json!(v.get(row)),
        Values::Int64Lists(v) => {
            v.get(row).len() == list().len()
                && v.get(row).iter().zip(list()).all(|(a, b)| integer(b) == Some(*a))
        }
        Values::Float64Lists(v) => {
            v.get(row).len() == list().len()
                && v.get(row).iter().zip(list()).all(|(a, b)| equal(*a, b))
        }
        _ => false,
    }
}

proptest! {
    /// Whatever a row holds, the request is JSON, and a server reads the row's value out of it.
    #[test]
    fn what_goes_out_parses_back(values in columns(), nulls in prop::collection::btree_set(0..5_u32, 0..5)) {
        let handler = handler(json!({ "entity_row_fn": {}, "request_context_fn": { "c": "row.c" } }));
        let nulls: Vec<u32> = nulls.into_iter().collect();
        let batch = Batch { rows: 5, columns: vec![column("c", values.clone(), &nulls)] };
        for (row, entity) in handler.entities(&batch).unwrap().into_iter().enumerate() {
            let body: Value =
                serde_json::from_slice(&handler.request(&[entity.unwrap()]).body).unwrap();
            let wire = &body["params"]["requestData"][0]["requestContextMap"]["c"];
            if nulls.contains(&(row as u32)) {
                prop_assert!(wire.is_null());
            } else {
                prop_assert!(same(&values, row, wire), "{:?} went out as {}", values, wire);
            }
        }
    }
}

#[test]
fn a_wildcard_feature_service_refuses_the_bundle_once_it_is_known() {
    let handler = handler(json!({ "entity_id": "k" }));
    let body = json!({ "featureServiceType": "WILDCARD" }).to_string().into_bytes();
    let response = beamlet_guest::Response { status: 200, retry_after: None, location: None, body };
    handler.outputs(&response).unwrap();
    let lines = asked(&handler, vec![column("k", Values::Int64s(vec![1]), &[])]);
    assert!(lines.starts_with("the bundle: the feature service is a wildcard"), "{lines}");
}
