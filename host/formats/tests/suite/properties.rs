//! Properties that hold for arbitrary rows.

use std::sync::Arc;

use crate::support::{batches, columns, na, rows, written};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, StringArray};
use beamlet_formats::Format::{Csv, Ndjson};
use beamlet_formats::{Field, ReadOptions};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((any::<String>(), inner), 0..6)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    vec((prop_oneof!["[a-d]", any::<String>()], json()), 0..8)
        .prop_map(|it| it.into_iter().collect())
}

fn lines(objects: &[Map<String, Value>]) -> String {
    objects.iter().map(|it| serde_json::to_string(it).unwrap() + "\n").collect()
}

/// Cells with what CSV has to quote.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c,\"\r\n ]{0,6}",
        any::<String>(),
        Just(String::new()),
        "-?[0-9]{1,20}",
        Just("NA".to_owned())
    ]
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1..5usize).prop_flat_map(|width| vec(vec(cell(), width), 1..12))
}

fn as_csv(table: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record((0..table[0].len()).map(|it| format!("c{it}"))).unwrap();
    table.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_are_written_as_they_were_read(objects in vec(object(), 1..8), size in 1..9usize) {
        let text = lines(&objects);
        let batches = batches(Ndjson, text.clone(), na(&[]), size).unwrap();
        let out = written(Ndjson, &batches.into_iter().map(|it| (it, None)).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(out, text);
    }

    #[test]
    fn a_joined_document_has_its_own_fields_first_and_the_features_after(
        objects in vec(object(), 1..8),
        score in any::<f64>(),
        text in any::<String>(),
    ) {
        let count = objects.len();
        let features = columns([
            ("a", Arc::new(Float64Array::from(vec![score; count])) as ArrayRef),
            ("ü\"", Arc::new(StringArray::from(vec![text.as_str(); count])) as ArrayRef),
        ]);
        let out = written(Ndjson, &[(rows(Ndjson, &lines(&objects)), Some(features))]).unwrap();
        for (object, line) in objects.iter().zip(out.lines()) {
            let mut expected = object.clone();
            let score = if score.is_finite() { score.into() } else { line_name(score).into() };
            expected.entry("a").or_insert(score);
            expected.entry("ü\"").or_insert(text.clone().into());
            let joined: Map<String, Value> = serde_json::from_str(line).unwrap();
            prop_assert!(joined.iter().eq(expected.iter()), "{line}");
        }
    }

    #[test]
    fn csv_records_are_written_as_they_were_read(table in table(), size in 1..9usize) {
        let text = as_csv(&table);
        let batches = batches(Csv, text.clone(), na(&[]), size).unwrap();
        let out = written(Csv, &batches.into_iter().map(|it| (it, None)).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(out.into_bytes(), text);
    }

    #[test]
    fn a_csv_record_s_line_is_the_one_on_which_it_begins(table in table()) {
        let rows = batches(Csv, as_csv(&table), na(&[]), 100).unwrap().remove(0);
        let mut line = 2;
        for (row, cells) in table.iter().enumerate() {
            prop_assert_eq!(rows.origin(row).line, line);
            line += 1 + cells.iter().map(|cell| line_ends(cell)).sum::<u64>();
        }
    }

    #[test]
    fn a_projection_has_the_values_that_were_written(
        values in vec((
            proptest::option::of(any::<i64>()),
            proptest::option::of(any::<f64>().prop_filter("finite", |it| it.is_finite())),
            proptest::option::of(any::<String>()),
            proptest::option::of(any::<bool>()),
        ), 1..20),
    ) {
        let text: String = values.iter().map(|(i, f, s, b)| {
            serde_json::json!({"x": [1], "i": i, "f": f, "s": s, "b": b}).to_string() + "\n"
        }).collect();
        let batch = rows(Ndjson, &text).project(&["i", "f", "s", "b"].map(Field::required)).unwrap();
        let column = |position: usize| batch.column(position);
        // Of nothing but nulls there is no type to be seen.
        if values.iter().any(|it| it.0.is_some()) {
            prop_assert!(column(0).as_primitive::<Int64Type>().iter().eq(values.iter().map(|it| it.0)));
        }
        if values.iter().any(|it| it.1.is_some()) {
            prop_assert!(column(1).as_primitive::<Float64Type>().iter().eq(values.iter().map(|it| it.1)));
        }
        prop_assert!(column(2).as_string::<i32>().iter().eq(values.iter().map(|it| it.2.as_deref())));
        if values.iter().any(|it| it.3.is_some()) {
            prop_assert!(column(3).as_boolean().iter().eq(values.iter().map(|it| it.3)));
        }
    }

    #[test]
    fn a_csv_projection_has_the_values_that_were_written(
        values in vec((proptest::option::of(any::<i64>()), proptest::option::of("[a-z,\"\n]{1,5}")), 1..20),
    ) {
        let table: Vec<Vec<String>> = values.iter().map(|(i, s)| {
            vec![i.map_or(String::new(), |it| it.to_string()), s.clone().unwrap_or_default()]
        }).collect();
        let rows = batches(Csv, as_csv(&table), ReadOptions::default(), 100).unwrap().remove(0);
        let batch = rows.project(&["c0", "c1"].map(Field::required)).unwrap();
        if values.iter().any(|it| it.0.is_some()) {
            prop_assert!(batch.column(0).as_primitive::<Int64Type>().iter().eq(values.iter().map(|it| it.0)));
        }
        prop_assert!(batch.column(1).as_string_opt::<i32>().is_some_and(|it| it.iter().eq(values.iter().map(|it| it.1.as_deref())))
            || values.iter().flat_map(|it| &it.1).all(|it| it == "true" || it == "false"));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<Vec<u8>>(), size in 1..5usize) {
        for format in [Csv, Ndjson] {
            let Ok(batches) = batches(format, text.clone(), na(&[]), size) else { continue };
            for rows in batches {
                let _ = rows.project(&[Field::optional("a")]);
                let _ = written(Ndjson, &[(rows.clone(), None)]);
                let _ = written(Csv, &[(rows, None)]);
            }
        }
    }
}

/// LF, CRLF, or a CR alone.
fn line_ends(text: &str) -> u64 {
    text.replace("\r\n", "\n").matches(['\n', '\r']).count() as u64
}

fn line_name(score: f64) -> &'static str {
    match score {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}
