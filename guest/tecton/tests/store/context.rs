//! The request context goes out as the types that the service takes.

use crate::support::{Ran, column, handler, run, service, store, texts};
use beamlet_guest::{Column, Values};
use serde_json::{Value, json};
use tecton_emulator::{DataType, Settings};

/// Sends one value for each row, as the parameter `c` of that type.
fn sent(of: &str, values: Column) -> Ran {
    let of: DataType = of.parse().unwrap();
    let store = store(service().request_context("c", of), Settings::default());
    let retrieval = json!({ "request_context_fn": { "c": "row.c" } });
    let rows = values.values.len();
    let keys = texts("user_id", &vec!["u1"; rows]);
    run(&handler(&store.url(), retrieval, json!({})), vec![keys, values])
}

fn context(ran: &Ran) -> Vec<Value> {
    ran.contexts().into_iter().map(|context| context["c"].clone()).collect()
}

#[test]
fn an_integer_for_a_float_parameter_is_sent_as_a_number() {
    let ran = sent("float64", column("c", Values::Int64s(vec![100, -1])));
    assert_eq!(ran.rows(), ["ok", "ok"]);
    assert_eq!(context(&ran), [json!(100), json!(-1)]);
}

#[test]
fn an_integer_for_an_int64_parameter_is_sent_as_a_decimal_string() {
    let ran = sent("int64", column("c", Values::Int64s(vec![100, i64::MAX])));
    assert_eq!(ran.rows(), ["ok", "ok"]);
    assert_eq!(context(&ran), [json!("100"), json!("9223372036854775807")]);
}

#[test]
fn integers_in_a_column_of_floats_are_sent_as_integers() {
    let ran = sent("int64", column("c", Values::Float64s(vec![100.0, 0.5])));
    assert_eq!(context(&ran), [json!("100")]);
    assert_eq!(
        ran.rows(),
        [
            "ok",
            "the request context parameter `c` is a fractional number: `row.c`; the service takes int64"
        ]
    );
}

#[test]
fn a_decimal_for_a_float_parameter_is_sent_as_a_number() {
    let decimals = Values::Decimals(["12.50", "-3"].iter().collect());
    let ran = sent("float64", column("c", decimals));
    assert_eq!(ran.rows(), ["ok", "ok"]);
    assert_eq!(context(&ran), [json!(12.5), json!(-3.0)]);
}

#[test]
fn a_text_that_is_not_a_number_fails_its_row_alone_and_is_not_shown() {
    let ran = sent("float64", texts("c", &["NaN", "s3cret", "1e3"]));
    let [first, second, third] = &ran.rows()[..] else { panic!("three rows") };
    assert_eq!((first.as_str(), third.as_str()), ("ok", "ok"));
    assert!(second.ends_with("`c` is a string: `row.c`; the service takes float64"), "{second}");
    assert_eq!(context(&ran), [json!("NaN"), json!(1000.0)]);
}

#[test]
fn numbers_in_lists_and_structs_are_sent_as_their_types_too() {
    let lists = column("c", Values::Int64Lists([[1, 2]].into_iter().collect()));
    assert_eq!(context(&sent("array<float64>", lists.clone())), [json!([1, 2])]);
    assert_eq!(context(&sent("array<int64>", lists)), [json!(["1", "2"])]);
    let objects = Values::Json([r#"{"a":1,"b":[2.0,null]}"#].iter().collect());
    let ran = sent("struct<a: float64, b: array<int64>>", column("c", objects));
    assert_eq!(ran.rows(), ["ok"]);
    assert_eq!(context(&ran), [json!({ "a": 1, "b": ["2", null] })]);
}

#[test]
fn a_constant_is_sent_as_the_type_of_its_parameter() {
    let service =
        service().request_context("f", DataType::Float64).request_context("n", DataType::Int64);
    let store = store(service, Settings::default());
    let retrieval = json!({ "request_context_map": { "f": 100, "n": 100 } });
    let ran = run(&handler(&store.url(), retrieval, json!({})), vec![texts("user_id", &["u1"])]);
    assert_eq!(ran.rows(), ["ok"]);
    assert_eq!(ran.contexts(), [json!({ "f": 100, "n": "100" })]);
}

#[test]
fn a_constant_of_another_type_ends_the_bundle_before_a_row_is_sent() {
    let store = store(service().request_context("b", DataType::Boolean), Settings::default());
    let retrieval = json!({ "request_context_map": { "b": 1 } });
    let ran = run(&handler(&store.url(), retrieval, json!({})), vec![texts("user_id", &["u1"])]);
    assert_eq!(
        ran.rows(),
        [
            "the bundle: the request context parameter `b` is a number in `retrieval.request_context_map`; the service takes boolean"
        ]
    );
    assert!(ran.sizes().is_empty());
}

#[test]
fn the_types_are_asked_for_once_and_only_where_they_matter() {
    let asked = |source: &str| {
        let store = store(service().request_context("c", DataType::Float64), Settings::default());
        let retrieval = json!({ "request_context_fn": { "c": source } });
        let handler = handler(&store.url(), retrieval, json!({}));
        let columns = || vec![texts("user_id", &["u1"]), column("c", Values::Int64s(vec![1]))];
        let sent = [run(&handler, columns()).sent, run(&handler, columns()).sent].concat();
        sent.iter().filter(|(path, _)| path.ends_with("/metadata")).count()
    };
    assert_eq!(asked("row.c"), 1);
    assert_eq!(asked("double(row.c)"), 0);
}

#[test]
fn a_store_that_cannot_give_its_types_now_is_asked_again() {
    use tecton_emulator::{Endpoint, Fault, FaultAnswer};
    let fault = Fault::first(1, FaultAnswer::status(503)).on(Endpoint::Metadata);
    let settings = Settings { faults: vec![fault], ..Settings::default() };
    let store = store(service().request_context("c", DataType::Float64), settings);
    let retrieval = json!({ "request_context_fn": { "c": "row.c" } });
    let handler = handler(&store.url(), retrieval, json!({}));
    let columns = || vec![texts("user_id", &["u1"]), column("c", Values::Int64s(vec![1]))];
    let first = run(&handler, columns());
    assert!(first.answers.is_err_and(|error| error.retryable) && first.sent.len() == 1);
    assert_eq!(run(&handler, columns()).rows(), ["ok"]);
}
