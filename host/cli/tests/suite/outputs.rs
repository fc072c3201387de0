//! The outputs that the store declares before there are rows, and the features that then come.

use crate::support::beamlet::Beamlet;
use crate::support::library::{bundle, setup, tailnums, tecton};
use crate::support::store::{Store, config, data, folder_of, planes, serving};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use beamlet::plugin::Instance;
use std::collections::BTreeMap;
use std::time::Duration;
use tecton_emulator::{
    FaultAnswer, FaultBody, FeatureService, FeatureView, LateAnswer, Settings, StatusFault,
};

/// Every type, with a cell of each for the planes `full` and `holey`.
const TYPES: [(&str, &str, &str); 16] = [
    ("int64", "7", ""),
    ("float32", "0.5", "NaN"),
    ("float64", "0.25", "Infinity"),
    ("boolean", "true", "false"),
    ("string", "text", " "),
    ("timestamp", "2025-01-31T12:00:00Z", "2025-01-31T12:00:00.25Z"),
    ("array<int64>", "[1, 2]", "[3, null]"),
    ("array<float32>", "[0.5]", "[null]"),
    ("array<float64>", "[]", "[null, 0.5]"),
    ("array<boolean>", "[true]", "[false, null]"),
    ("array<string>", r#"["a"]"#, r#"["b", null]"#),
    ("array<timestamp>", r#"["2025-01-31T12:00:00Z"]"#, "[null]"),
    ("array<array<int64>>", "[[1]]", "[[null], null]"),
    ("struct<a: int64, b: string>", "[1, null]", ""),
    ("map<string, float64>", r#"{"k": 0.5}"#, "{}"),
    ("array<struct<a: int64>>", "[[1]]", "[null]"),
];

/// A store of one feature of each type.
fn store() -> Store {
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let row = |key: &str, cell: fn(&(&str, &'static str, &'static str)) -> &'static str| {
        let cells: Vec<String> = TYPES.iter().map(|case| quoted(cell(case))).collect();
        format!("{key},{}\n", cells.join(","))
    };
    let header: Vec<String> = (0..TYPES.len()).map(|at| format!("f{at}")).collect();
    let (full, holey) = (row("full", |case| case.1), row("holey", |case| case.2));
    let text = format!("tailnum,{}\n{full}{holey}", header.join(","));
    let mut view = FeatureView::of_csv("v", text);
    for (name, (of, ..)) in header.iter().zip(TYPES) {
        view = view.feature(name, of.parse().unwrap());
    }
    let key = tecton_emulator::DataType::String;
    Store::of(serving(FeatureService::new("planes_features").join_key("tailnum", key).view(view)))
}

/// Each feature's type in the store's own words, before there are rows.
async fn declared(instance: &mut Instance) -> Vec<(String, String)> {
    let outputs = instance.outputs().await.unwrap();
    outputs.into_iter().map(|field| (field.name, field.data_type)).collect()
}

/// What comes out for a type; what the contract has no columns for comes as JSON.
fn arrow(of: &str) -> DataType {
    match of {
        "int64" => DataType::Int64,
        "float32" => DataType::Float32,
        "float64" => DataType::Float64,
        "boolean" => DataType::Boolean,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "array<int64>" | "array<float32>" | "array<float64>" | "array<boolean>"
        | "array<string>" => {
            let element = of.trim_start_matches("array<").trim_end_matches('>');
            DataType::new_list(arrow(element), true)
        }
        _ => DataType::Utf8,
    }
}

#[track_caller]
fn assert_types(features: &RecordBatch, declared: &[(String, String)]) {
    let schema = features.schema();
    let came: BTreeMap<&str, &DataType> =
        schema.fields().iter().map(|field| (field.name().as_str(), field.data_type())).collect();
    for (name, of) in declared {
        assert_eq!(came[name.as_str()], &arrow(of), "{name}: {of}");
    }
    assert_eq!(came.len(), declared.len());
}

#[tokio::test]
async fn declared_types_hold_even_if_the_first_values_are_null() {
    let (store, plugin) = (store(), tecton());
    let setup = setup(&plugin, &config(&store.url())).await;
    let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
    let declared = declared(&mut instance).await;
    let types: Vec<&str> = declared.iter().map(|(_, of)| of.as_str()).collect();
    assert_eq!(types, TYPES.map(|(of, ..)| of));
    for rows in [&["nobody", "nothing"][..], &["full"], &["nobody", "full"], &["full"; 20]] {
        let rows = tailnums(&rows.iter().copied().map(Some).collect::<Vec<_>>());
        for answer in bundle(&mut instance, &rows).await.unwrap() {
            assert_types(&answer.features, &declared);
        }
    }
    // All null, and typed all the same.
    let answers = bundle(&mut instance, &tailnums(&[Some("nobody")])).await.unwrap();
    let count = answers[0].features.column(0);
    assert_eq!((count.data_type(), count.null_count()), (&DataType::Int64, 1));
}

#[test]
fn rows_of_every_type_come_out_whether_lists_have_null_elements_or_not() {
    let store = store();
    let keys: Vec<&str> = (0..40).map(|at| ["full", "nobody", "holey"][(at / 10) % 3]).collect();
    let rows: String = keys.iter().map(|key| format!("{{\"tailnum\":\"{key}\"}}\n")).collect();
    let output = Beamlet::run(&store.folder(), "").stdin(rows).succeed();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 40);
    insta::assert_snapshot!([lines[0], lines[10], lines[20]].join("\n"), @r#"
    {"tailnum":"full","v.f0":7,"v.f1":0.5,"v.f2":0.25,"v.f3":true,"v.f4":"text","v.f5":"2025-01-31T12:00:00Z","v.f6":[1,2],"v.f7":[0.5],"v.f8":[],"v.f9":[true],"v.f10":["a"],"v.f11":["2025-01-31T12:00:00Z"],"v.f12":[[1]],"v.f13":{"a":1,"b":null},"v.f14":{"k":0.5},"v.f15":[{"a":1}]}
    {"tailnum":"nobody","v.f0":null,"v.f1":null,"v.f2":null,"v.f3":null,"v.f4":null,"v.f5":null,"v.f6":null,"v.f7":null,"v.f8":null,"v.f9":null,"v.f10":null,"v.f11":null,"v.f12":null,"v.f13":null,"v.f14":null,"v.f15":null}
    {"tailnum":"holey","v.f0":null,"v.f1":"NaN","v.f2":"Infinity","v.f3":false,"v.f4":" ","v.f5":"2025-01-31T12:00:00.250Z","v.f6":[3,null],"v.f7":[null],"v.f8":[null,0.5],"v.f9":[false,null],"v.f10":["b",null],"v.f11":[null],"v.f12":[[null],null],"v.f13":null,"v.f14":{},"v.f15":[null]}
    "#);
    for (line, key) in lines.iter().zip(&keys) {
        let first = lines[keys.iter().position(|other| other == key).unwrap()];
        assert_eq!(*line, first);
    }
}

#[test]
fn a_run_asks_for_metadata_once_however_many_instances_it_has() {
    let emulator = planes().start_blocking().unwrap();
    let folder = folder_of(&(config(&emulator.url()) + "[run]\ncoalesce = false\n"));
    std::fs::copy(data("flights-sample.csv"), folder.file("flights.csv")).unwrap();
    let arguments =
        "--input flights.csv --null NA --output out.csv --bundle-size 100 --in-flight 8";
    Beamlet::run(&folder, arguments).succeed();
    let stats = emulator.stats();
    assert_eq!((stats.entities, stats.requests), (6000, 600 + 1));
}

#[test]
fn a_store_without_metadata_does_not_stop_a_run() {
    let run = |store: &Store| {
        let more = "[sandbox]\nfirst_byte_timeout_ms = 300\n";
        let folder = folder_of(&(config(&store.url()) + more));
        let rows = "{\"tailnum\":\"N10156\"}\n{\"tailnum\":\"nobody\"}\n{\"tailnum\":null}\n";
        Beamlet::run(&folder, "").stdin(rows).succeed()
    };
    let expected = run(&Store::start());
    for fault in [
        FaultAnswer::status(403),
        FaultAnswer::status(404),
        FaultAnswer::status(500),
        StatusFault::new(503).body(FaultBody::Html).into(),
        FaultAnswer::NotJson,
        FaultAnswer::Truncated,
        FaultAnswer::Reset,
        FaultAnswer::Hang(Duration::from_secs(3600)),
    ] {
        let store = Store::of_metadata_that_answers(fault.clone());
        assert_eq!(run(&store), expected, "{fault:?}");
    }
}

#[test]
fn rows_whose_features_all_came_too_late_are_not_missing() {
    let budget = Duration::from_millis(100);
    let store = Store::of(planes().settings(Settings {
        latency: Duration::from_secs(60),
        server_timeout: budget,
        late_answer: LateAnswer::TimedOutFeatures,
        ..Settings::default()
    }));
    let folder =
        folder_of(&(config(&store.url()) + "request_options = { latency_budget_ms = 100 }\n"));
    let rows = "{\"tailnum\":\"N10156\"}\n{\"tailnum\":\"nobody\"}\n";
    let output = Beamlet::run(&folder, "--summary summary.json").stdin(rows).succeed();
    let fields: serde_json::Value = serde_json::from_str(output.lines().next().unwrap()).unwrap();
    assert_eq!(fields.as_object().unwrap().len(), 9, "no status among them: {fields}");
    assert_eq!(fields["planes.year"], serde_json::Value::Null);
    let summary: serde_json::Value = serde_json::from_str(&folder.read("summary.json")).unwrap();
    let counts = ["enriched", "missing", "failed"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [2, 0, 0]);
}
