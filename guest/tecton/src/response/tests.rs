//! What an answer promises.

use crate::Tecton;
use beamlet_guest::FieldType;
use beamlet_guest::contract::Member;
use beamlet_guest::{Batch, Column, Enriched, Error, Handler, Response, Values};
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// With these members of `retrieval` more.
fn handler_with(retrieval: Value) -> Tecton {
    let mut config = json!({
        "connection": { "url": "http://h", "api_key": "k" },
        "retrieval": { "feature_service_name": "fs", "workspace_name": "ws", "entity_id": "k" },
    });
    for (key, value) in retrieval.as_object().unwrap() {
        config["retrieval"][key] = value.clone();
    }
    Tecton::new(&config).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn handler(max_batch_size: usize, options: &Value) -> Tecton {
    let config = json!({
        "connection": { "url": "http://h", "api_key": "k" },
        "retrieval": {
            "feature_service_name": "fs", "workspace_name": "ws", "entity_id": "k",
            "metadata_options": options,
        },
        "batching": { "max_batch_size": max_batch_size },
    });
    Tecton::new(&config).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// The answer for keys, of which those below 0 are null.
fn answer(handler: &Tecton, keys: &[i64], body: &[u8]) -> Result<Enriched, Error> {
    let nulls = (0..keys.len() as u32).filter(|at| keys[*at as usize] < 0).collect();
    let column = Column { name: "k".into(), values: Values::Int64s(keys.to_vec()), nulls };
    let batch = Batch { rows: keys.len() as u32, columns: vec![column] };
    let entities: Vec<_> =
        handler.entities(&batch).unwrap().into_iter().map(|entity| entity.unwrap()).collect();
    let response = Response { status: 200, retry_after: None, location: None, body: body.to_vec() };
    let first = handler.answer(&entities, &response);
    // The first time the reader reads it, and then the fast path, where it can.
    let again = handler.answer(&entities, &response);
    assert_eq!(format!("{first:?}"), format!("{again:?}"));
    again
}

fn shown_answer(handler: &Tecton, keys: &[i64], body: &Value) -> String {
    match answer(handler, keys, body.to_string().as_bytes()) {
        Ok(answer) => {
            let values = |values: &Values| match values {
                Values::StringLists(lists) => {
                    format!("Values::StringLists({:?})", lists.iter().collect::<Vec<_>>())
                }
                other => format!("{other:?}"),
            };
            let column =
                |c: &Column| format!("{}: {} nulls {:?}", c.name, values(&c.values), c.nulls);
            let mut lines: Vec<String> = answer.fields.columns.iter().map(column).collect();
            lines.push(format!("missing {:?}, null keys {:?}", answer.missing, answer.null_keys));
            lines.join("\n")
        }
        Err(error) => format!("{}: {}", error.kind.name(), error.message),
    }
}

#[test]
fn an_answer_of_known_features_is_read_straight_into_columns() {
    let body = |value: Value| {
        let metadata = json!({ "features": [int64("a", json!({})), int64("b", json!({}))] });
        json!({ "result": [{ "features": [value, null] }], "metadata": metadata }).to_string()
    };
    let handler = handler(10, &json!({}));
    let known = body(json!("1"));
    answer(&handler, &[1], known.as_bytes()).unwrap();
    let entities = |keys: &[i64]| {
        let values = Values::Int64s(keys.to_vec());
        let column = Column { name: "k".into(), values, nulls: Vec::new() };
        let batch = Batch { rows: keys.len() as u32, columns: vec![column] };
        let entities = handler.entities(&batch).unwrap().into_iter();
        entities.map(|entity| entity.unwrap()).collect::<Vec<_>>()
    };
    assert!(handler.answers.fast_path(&known, &entities(&[1])).is_some());
    let others = [
        (body(json!(true)), 1),
        (known.replace("\"a\"", "\"c\""), 1),
        (known.clone(), 2),
        (known.replace(",null]", "]"), 1),
        (known.replace("null]", "null,1]"), 1),
        (known[..known.len() - 1].to_owned(), 1),
    ];
    for (text, rows) in others {
        let entities = entities(&(0..rows).collect::<Vec<_>>());
        assert!(handler.answers.fast_path(&text, &entities).is_none(), "{text}");
    }
}

#[test]
fn an_answer_that_names_its_rows_twice_cannot_be_used() {
    let answers = handler(10, &json!({}));
    let metadata = json!({ "features": [int64("a", json!({}))] });
    let known = json!({ "result": [{ "features": ["1"] }], "metadata": metadata }).to_string();
    answer(&answers, &[1], known.as_bytes()).unwrap();
    let rows = r#""result":[{"features":["1"]}]"#;
    let twice = known.replace(rows, &format!("{rows},{rows}"));
    assert_ne!(twice, known);
    let error = answer(&answers, &[1], twice.as_bytes()).unwrap_err();
    assert_snapshot!(error.message, @"the feature store's answer cannot be used: it is not of the promised form: duplicate field `result` at line 1 column 39");
}

fn int64(name: &str, rest: Value) -> Value {
    let mut feature = json!({ "name": name, "dataType": { "type": "int64" } });
    for (key, value) in rest.as_object().unwrap() {
        feature[key] = value.clone();
    }
    feature
}

#[test]
fn extras_that_are_asked_for_come_out_for_each_row_of_a_batch() {
    let handler = handler(
        10,
        &json!({
            "include_serving_status": true, "include_effective_times": true, "include_slo_info": true,
        }),
    );
    let body = json!({
        "result": [{ "features": ["1", null] }, { "features": [null, null] }],
        "metadata": {
            "features": [
                int64("a", json!({ "status": ["PRESENT", "MISSING_DATA"], "effectiveTime": "2023-05-26T18:00:00Z" })),
                int64("b", json!({ "status": ["TIME_OUT", "MISSING_DATA"] })),
            ],
            "sloInfo": [
                { "sloEligible": true, "serverTimeSeconds": 0.5, "storeResponseSizeBytes": 7 },
                { "sloEligible": false, "sloIneligibilityReasons": ["SLO_INELIGIBILITY_REASON_DYNAMODB_RESPONSE_SIZE_LIMIT_EXCEEDED"] },
            ],
        },
    });
    assert_snapshot!(shown_answer(&handler, &[1, 2], &body), @r#"
    a: Values::Int64s([1, 0]) nulls [1]
    b: Values::Int64s([0, 0]) nulls [0, 1]
    a.status: Values::Strings(Texts { text: "PRESENTMISSING_DATA", ends: [7, 19] }) nulls []
    a.effective_time: Values::Timestamps([1685124000000000, 1685124000000000]) nulls []
    b.status: Values::Strings(Texts { text: "TIME_OUTMISSING_DATA", ends: [8, 20] }) nulls []
    b.effective_time: Values::Timestamps([0, 0]) nulls [0, 1]
    slo.eligible: Values::Booleans([true, false]) nulls []
    slo.ineligibility_reasons: Values::StringLists([[], ["SLO_INELIGIBILITY_REASON_DYNAMODB_RESPONSE_SIZE_LIMIT_EXCEEDED"]]) nulls []
    slo.server_time_seconds: Values::Float64s([0.5, 0.0]) nulls [1]
    slo.slo_server_time_seconds: Values::Float64s([0.0, 0.0]) nulls [0, 1]
    slo.store_max_latency: Values::Float64s([0.0, 0.0]) nulls [0, 1]
    slo.store_response_size_bytes: Values::Int64s([7, 0]) nulls [1]
    missing [1], null keys []
    "#);
}

#[test]
fn extras_come_out_for_one_entity_too() {
    let handler = handler(1, &json!({ "include_serving_status": true, "include_slo_info": true }));
    let body = json!({
        "result": { "features": ["1"] },
        "metadata": {
            "features": [int64("a", json!({ "status": "CACHED_PRESENT" }))],
            "sloInfo": { "sloEligible": true, "storeMaxLatency": 0.25, "sloServerTimeSeconds": 1 },
        },
    });
    assert_snapshot!(shown_answer(&handler, &[1], &body), @r#"
    a: Values::Int64s([1]) nulls []
    a.status: Values::Strings(Texts { text: "CACHED_PRESENT", ends: [14] }) nulls []
    slo.eligible: Values::Booleans([true]) nulls []
    slo.ineligibility_reasons: Values::StringLists([[]]) nulls []
    slo.server_time_seconds: Values::Float64s([0.0]) nulls [0]
    slo.slo_server_time_seconds: Values::Float64s([1.0]) nulls []
    slo.store_max_latency: Values::Float64s([0.25]) nulls []
    slo.store_response_size_bytes: Values::Int64s([0]) nulls [0]
    missing [], null keys []
    "#);
}

#[test]
fn a_row_is_missing_where_all_is_null_and_no_status_says_otherwise() {
    let handler = handler(10, &json!({ "include_serving_status": true }));
    let keys = [1, 2, 3, 4, -1];
    let body = json!({
        "result": vec![json!({ "features": [null] }); 5],
        "metadata": { "features": [int64("a", json!({
            "status": ["MISSING_DATA", "PRESENT", "TIME_OUT", "CACHED_MISSING_DATA", "MISSING_DATA"],
        }))] },
    });
    let answer = answer(&handler, &keys, body.to_string().as_bytes()).unwrap();
    assert_eq!((answer.missing, answer.null_keys), (vec![0, 3], vec![4]));
}

#[test]
fn a_row_whose_features_all_came_too_late_is_not_missing_where_there_is_a_budget_of_time() {
    let handler = handler_with(json!({ "request_options": { "latency_budget_ms": 100 } }));
    let body = json!({
        "result": vec![json!({ "features": [null, null] }); 3],
        "metadata": { "features": [
            int64("a", json!({ "status": ["TIME_OUT", "MISSING_DATA", "TIME_OUT"] })),
            int64("b", json!({ "status": ["TIME_OUT", "MISSING_DATA", "MISSING_DATA"] })),
        ] },
    });
    assert_snapshot!(shown_answer(&handler, &[1, 2, 3], &body), @r"
    a: Values::Int64s([0, 0, 0]) nulls [0, 1, 2]
    b: Values::Int64s([0, 0, 0]) nulls [0, 1, 2]
    missing [1], null keys []
    ");
}

#[test]
fn a_partial_result_is_not_missing() {
    let handler = handler(1, &json!({}));
    let mut body = json!({
        "result": { "features": [null] },
        "metadata": { "features": [int64("a", json!({}))], "partialResults": true },
    });
    assert_snapshot!(shown_answer(&handler, &[1], &body), @r"
    a: Values::Int64s([0]) nulls [0]
    missing [], null keys []
    ");
    body["metadata"]["partialResults"] = false.into();
    assert_snapshot!(shown_answer(&handler, &[1], &body), @r"
    a: Values::Int64s([0]) nulls [0]
    missing [0], null keys []
    ");
}

#[test]
fn an_answer_that_cannot_be_used_is_an_error_whatever_it_is() {
    let handler = handler(10, &json!({}));
    let why = |body: &[u8]| answer(&handler, &[1], body).unwrap_err().message;
    assert_snapshot!(why(b""), @"the feature store's answer cannot be used: it is not JSON: EOF while parsing a value at line 1 column 0");
    assert_snapshot!(why(b"<html>"), @"the feature store's answer cannot be used: it is not JSON: expected value at line 1 column 1");
    assert_snapshot!(why(b"\xff"), @"the feature store's answer cannot be used: it is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0");
    assert_snapshot!(why(b"{\"result\":[{\"features\":[\"1\"]}"), @"the feature store's answer cannot be used: it is not JSON: EOF while parsing a list at line 1 column 29");
    assert_snapshot!(why(b"{\"result\":[{\"features\":[\"1\"]}]}"), @"the feature store's answer cannot be used: it has no metadata, though names and types were asked for");
    assert_snapshot!(why(b"{\"result\":{}}"), @"the feature store's answer cannot be used: it is not of the promised form: invalid type: map, expected a sequence at line 1 column 10");
    assert_snapshot!(why(b"[]"), @"the feature store's answer cannot be used: it is not of the promised form: invalid length 0, expected struct Several with 2 elements at line 1 column 2");
    let metadata = |features: Value| json!({ "result": [{ "features": ["x"] }], "metadata": { "features": features } });
    assert_snapshot!(shown_answer(&handler, &[1], &metadata(json!([]))), @"bad-response: the feature store's answer cannot be used: a row has 1 value for 0 features");
    assert_snapshot!(shown_answer(&handler, &[1], &metadata(json!([{}]))), @"bad-response: the feature store's answer cannot be used: feature 0 has no name");
    assert_snapshot!(shown_answer(&handler, &[1], &metadata(json!([{ "name": "a" }]))), @"bad-response: the feature store's answer cannot be used: feature `a` has no data type");
    assert_snapshot!(shown_answer(&handler, &[1], &metadata(json!([int64("a", json!({}))]))), @"bad-response: the feature store's answer cannot be used: feature `a` is declared int64 and is a string that is not a 64-bit integer");
    assert_snapshot!(shown_answer(&handler, &[1, 2], &metadata(json!([]))), @"bad-response: the feature store's answer cannot be used: it has 1 row for 2 entities");
}

#[test]
fn nested_lists_do_not_exhaust_the_stack() {
    let deep = format!("{{\"result\":[{{\"features\":[{}", "[".repeat(100_000));
    let error = answer(&handler(10, &json!({})), &[1], deep.as_bytes()).unwrap_err();
    assert!(error.message.contains("recursion limit"), "{}", error.message);
}

/// A type, nested a few times.
fn types() -> impl Strategy<Value = FieldType> {
    let scalar = prop::sample::select(vec![
        FieldType::Boolean,
        FieldType::Int64,
        FieldType::Float32,
        FieldType::Float64,
        FieldType::String,
        FieldType::Timestamp,
    ]);
    scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| FieldType::Array(Box::new(of))),
            inner.clone().prop_map(|of| FieldType::Map(Box::new(of))),
            prop::collection::btree_map("[a-z]{1,4}", inner, 1..4).prop_map(|fields| {
                let members = fields.into_iter().map(|(name, of)| Member { name, of });
                FieldType::Struct(members.collect())
            }),
        ]
    })
}

/// Values of a type: on the wire, and as the enriched row shows them.
fn values(of: &FieldType) -> BoxedStrategy<(Value, Value)> {
    let one = match of {
        FieldType::Boolean => any::<bool>().prop_map(|v| (json!(v), json!(v))).boxed(),
        FieldType::Int64 => any::<i64>().prop_map(|v| (json!(v.to_string()), json!(v))).boxed(),
        FieldType::Float32 => {
            prop::num::f32::ANY.prop_map(|v| (float(f64::from(v)), float(f64::from(v)))).boxed()
        }
        FieldType::Float64 => prop::num::f64::ANY.prop_map(|v| (float(v), float(v))).boxed(),
        FieldType::String => any::<String>().prop_map(|v| (json!(v), json!(v))).boxed(),
        FieldType::Timestamp => (0..253_402_300_799_i64)
            .prop_map(|seconds| {
                let at = chrono::DateTime::from_timestamp_secs(seconds).unwrap();
                let text = json!(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
                (text.clone(), text)
            })
            .boxed(),
        FieldType::Array(of) => prop::collection::vec(values(of), 0..3)
            .prop_map(|list| {
                let (wire, shown): (Vec<_>, Vec<_>) = list.into_iter().unzip();
                (json!(wire), json!(shown))
            })
            .boxed(),
        FieldType::Map(of) => prop::collection::btree_map(any::<String>(), values(of), 0..3)
            .prop_map(|map| {
                let wire: Map<_, _> = map.iter().map(|(k, v)| (k.clone(), v.0.clone())).collect();
                let shown: Map<_, _> = map.into_iter().map(|(k, v)| (k, v.1)).collect();
                (Value::Object(wire), Value::Object(shown))
            })
            .boxed(),
        FieldType::Struct(fields) => {
            let names: Vec<String> = fields.iter().map(|it| it.name.clone()).collect();
            let parts: Vec<_> = fields.iter().map(|it| values(&it.of)).collect();
            parts
                .prop_map(move |parts| {
                    let wire: Vec<_> = parts.iter().map(|part| part.0.clone()).collect();
                    let shown: Map<_, _> =
                        names.iter().cloned().zip(parts.into_iter().map(|part| part.1)).collect();
                    (json!(wire), Value::Object(shown))
                })
                .boxed()
        }
        _ => unreachable!("no type of Tecton"),
    };
    prop_oneof![4 => one, 1 => Just((Value::Null, Value::Null))].boxed()
}

fn float(value: f64) -> Value {
    beamlet_guest::contract::number::name(value).map_or_else(|| json!(value), Value::from)
}

fn wire_type(of: &FieldType) -> Value {
    match of {
        FieldType::Array(of) => json!({ "type": "array", "elementType": wire_type(of) }),
        FieldType::Map(of) => json!({
            "type": "map", "keyType": { "type": "string" }, "valueType": wire_type(of),
        }),
        FieldType::Struct(fields) => {
            let field = |it: &Member| json!({ "name": it.name, "dataType": wire_type(&it.of) });
            json!({ "type": "struct", "fields": fields.iter().map(field).collect::<Vec<_>>() })
        }
        of => json!({ "type": of.to_string() }),
    }
}

/// The value of a column at a row, as JSON.
fn shown(column: &Column, row: usize) -> Value {
    if column.nulls.contains(&(row as u32)) {
        return Value::Null;
    }
    match &column.values {
        Values::Booleans(v) => json!(v[row]),
        Values::Int64s(v) => json!(v[row]),
        Values::Float32s(v) => float(f64::from(v[row])),
        Values::Float64s(v) => float(v[row]),
        Values::Strings(v) => json!(v.get(row)),
        Values::Timestamps(v) => {
            let at = chrono::DateTime::from_timestamp_micros(v[row]).unwrap();
            json!(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
        }
        Values::BooleanLists(v) => json!(v.get(row)),
        Values::Int64Lists(v) => json!(v.get(row)),
        Values::Float32Lists(v) => v.get(row).iter().map(|v| float(f64::from(*v))).collect(),
        Values::Float64Lists(v) => v.get(row).iter().map(|v| float(*v)).collect(),
        Values::StringLists(v) => json!(v.get(row)),
        Values::Json(v) => serde_json::from_str(v.get(row)).unwrap(),
        other => panic!("{other:?}"),
    }
}

proptest! {
    /// Whatever type a feature has, the enriched row shows the value that the store sent.
    #[test]
    fn features_of_every_type_come_out_as_they_are(
        (of, cells) in types().prop_flat_map(|of| {
            let cells = prop::collection::vec(values(&of), 1..4);
            (Just(of), cells)
        }),
    ) {
        let rows: Vec<Value> = cells.iter().map(|cell| json!({ "features": [cell.0] })).collect();
        let body = json!({
            "result": rows,
            "metadata": { "features": [{ "name": "f", "dataType": wire_type(&of) }] },
        });
        let keys: Vec<i64> = (0..cells.len() as i64).collect();
        let answer = answer(&handler(10, &json!({})), &keys, body.to_string().as_bytes()).unwrap();
        for (row, (_, wanted)) in cells.iter().enumerate() {
            prop_assert_eq!(&shown(&answer.fields.columns[0], row), wanted);
        }
    }
}

proptest! {
    /// An answer with any part cut out or replaced comes out the same whichever parser reads it.
    #[test]
    fn both_parsers_agree_on_any_answer(
        types in prop::collection::vec(types(), 1..3),
        rows in 1..4_usize,
        change in prop::option::of((any::<prop::sample::Index>(), 0..8_usize, "[ -~]{0,3}")),
    ) {
        let features: Vec<Value> = (0..).zip(&types)
            .map(|(at, of): (usize, _)| json!({ "name": format!("f{at}"), "dataType": wire_type(of) }))
            .collect();
        let row = json!({ "features": vec![Value::Null; types.len()] });
        let body = json!({ "result": vec![row; rows], "metadata": { "features": features } });
        let keys: Vec<i64> = (0..rows as i64).collect();
        let fresh = || handler(10, &json!({}));
        let used = fresh();
        answer(&used, &keys, body.to_string().as_bytes()).unwrap();
        let mut text = body.to_string();
        if let Some((at, length, with)) = change {
            let at = at.index(text.len());
            text.replace_range(at..(at + length).min(text.len()), &with);
        }
        let of_reader = answer(&fresh(), &keys, text.as_bytes());
        let of_both = answer(&used, &keys, text.as_bytes());
        prop_assert_eq!(format!("{:?}", of_reader), format!("{:?}", of_both));
    }
}

/// An answer for rows of the features `a`, of a type, and `b`, an int64.
fn two_features(of: &str, rows: &Value) -> Vec<u8> {
    let a = json!({ "name": "a", "dataType": { "type": of } });
    let result: Vec<Value> =
        rows.as_array().unwrap().iter().map(|row| json!({ "features": row })).collect();
    let metadata = json!({ "features": [a, int64("b", json!({}))] });
    json!({ "result": result, "metadata": metadata }).to_string().into_bytes()
}

/// The rows of two that failed, with why; the other one has its value.
fn failures(body: &[u8]) -> Vec<(u32, String)> {
    let handler = handler(10, &json!({}));
    let answer = answer(&handler, &[1, 2], body).unwrap();
    assert_eq!((answer.fields.rows, answer.missing.len()), (2, 0));
    for column in &answer.fields.columns {
        let failed: Vec<u32> = answer.failures.iter().map(|failure| failure.row).collect();
        assert_eq!(column.nulls, failed, "{}", column.name);
    }
    answer.failures.into_iter().map(|failure| (failure.row, failure.error.message)).collect()
}

#[test]
fn a_value_of_another_type_fails_its_row_alone() {
    let failed = failures(&two_features("int64", &json!([["x", "1"], ["2", "2"]])));
    assert_eq!(failed[0].0, 0);
    assert_snapshot!(failed[0].1, @"the feature store's answer cannot be used: feature `a` is declared int64 and is a string that is not a 64-bit integer");
}

#[test]
fn a_row_with_too_few_values_fails_alone() {
    let failed = failures(&two_features("int64", &json!([["1", "1"], ["2"]])));
    assert_eq!(failed[0].0, 1);
    assert_snapshot!(failed[0].1, @"the feature store's answer cannot be used: a row has 1 value for 2 features");
}

#[test]
fn a_text_that_is_not_unicode_fails_its_row_alone() {
    let body = two_features("string", &json!([["SURROGATE", "1"], ["\u{e9}", "2"]]));
    let body = String::from_utf8(body).unwrap();
    let failed = failures(body.replace("SURROGATE", "\\ud800").as_bytes());
    assert_eq!(failed[0].0, 0);
    assert_snapshot!(failed[0].1, @"the feature store's answer cannot be used: feature `a` cannot be read: unexpected end of hex escape");
    let at = body.find("SURROGATE").unwrap();
    let mut bytes = body.into_bytes();
    bytes[at] = 0xff;
    let failed = failures(&bytes);
    assert_snapshot!(failed[0].1, @"the feature store's answer cannot be used: feature `a` is not UTF-8");
}

#[test]
fn what_a_timestamp_field_cannot_hold_is_not_cut() {
    let exact = ["2023-05-26T18:00:00.123456Z", "2023-05-26T18:00:00.123456000000Z"];
    let handler = handler(10, &json!({}));
    for text in exact {
        let body = two_features("timestamp", &json!([[text, "1"]]));
        let answer = answer(&handler, &[1], &body).unwrap();
        let Values::Timestamps(values) = &answer.fields.columns[0].values else { panic!() };
        assert_eq!(values[..], [1_685_124_000_123_456]);
    }
    for text in ["2023-05-26T18:00:00.123456789Z", "2023-05-26T18:00:00.0000000000001+02:00"] {
        let body = two_features("timestamp", &json!([[exact[0], "1"], [text, "2"]]));
        let failed = failures(&body);
        assert_eq!(failed[0].0, 1);
        assert_eq!(
            failed[0].1,
            "the feature store's answer cannot be used: feature `a` is declared timestamp and is \
             finer than microseconds, which is all that a timestamp field holds"
        );
    }
}

#[test]
fn a_number_that_a_float32_cannot_hold_is_not_infinity() {
    let failed = failures(&two_features("float32", &json!([[1e300, "1"], [1.5, "2"]])));
    assert_eq!(failed[0].0, 0);
    assert!(failed[0].1.ends_with("is a number beyond the range of a float32"), "{}", failed[0].1);
}

#[test]
fn what_the_store_reports_of_a_missing_entity_comes_out() {
    let handler = handler(
        10,
        &json!({
            "include_serving_status": true, "include_effective_times": true, "include_slo_info": true,
        }),
    );
    let body = json!({
        "result": [{ "features": [null] }],
        "metadata": {
            "features": [int64("a", json!({
                "status": ["MISSING_DATA"], "effectiveTime": "2023-05-26T18:00:00Z",
            }))],
            "sloInfo": [{ "sloEligible": false, "serverTimeSeconds": 0.5 }],
        },
    });
    assert_snapshot!(shown_answer(&handler, &[1], &body), @r#"
    a: Values::Int64s([0]) nulls [0]
    a.status: Values::Strings(Texts { text: "MISSING_DATA", ends: [12] }) nulls []
    a.effective_time: Values::Timestamps([1685124000000000]) nulls []
    slo.eligible: Values::Booleans([false]) nulls []
    slo.ineligibility_reasons: Values::StringLists([[]]) nulls []
    slo.server_time_seconds: Values::Float64s([0.5]) nulls []
    slo.slo_server_time_seconds: Values::Float64s([0.0]) nulls [0]
    slo.store_max_latency: Values::Float64s([0.0]) nulls [0]
    slo.store_response_size_bytes: Values::Int64s([0]) nulls [0]
    missing [0], null keys []
    "#);
}

#[test]
fn rows_that_fail_for_different_reasons_have_each_their_own() {
    let body = two_features("int64", &json!([["x", "1"], ["1", true]]));
    let answer = answer(&handler(10, &json!({})), &[1, 2], &body).unwrap();
    let why: Vec<&str> = answer.failures.iter().map(|it| it.error.message.as_str()).collect();
    assert!(why[0].contains("feature `a`") && why[1].contains("feature `b`"), "{why:?}");
}
