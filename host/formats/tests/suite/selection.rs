//! Selections of rows from a batch, and single rows as JSON.

use crate::support::{batches, na, rows, written};
use beamlet_formats::Format::{Csv, Ndjson};
use beamlet_formats::{Field, Format, Rows, ValueType};
use insta::assert_snapshot;

fn json(rows: &Rows) -> String {
    let mut out = Vec::new();
    for row in 0..rows.len() {
        rows.json(row, &mut out).unwrap();
        out.push(b'\n');
    }
    String::from_utf8(out).unwrap()
}

fn five(format: Format) -> Rows {
    match format {
        Csv => rows(Csv, "a\n0\n1\n2\n3\n4\n"),
        _ => rows(Ndjson, "{\"a\":0}\n{\"a\":1}\n\n{\"a\":2}\n{\"a\":3}\n{\"a\":4}\n"),
    }
}

#[test]
fn selected_rows_are_projected_and_written_and_keep_their_lines() {
    for (format, lines) in [(Csv, [3, 4, 6]), (Ndjson, [2, 4, 6])] {
        let some = five(format).select(&[1, 2, 4]);
        assert_eq!(some.len(), 3);
        assert_eq!([0, 1, 2].map(|row| some.origin(row).line), lines);
        assert_eq!(some.project(&[Field::required("a")]).unwrap().num_rows(), 3);
        let again = some.select(&[0, 2]);
        assert_eq!(again.origin(1).line, 6);
        let text = written(Ndjson, &[(again, None)]).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"a\":4}\n");
    }
}

#[test]
fn an_empty_selection_is_empty() {
    for format in [Csv, Ndjson] {
        let none = five(format).select(&[]);
        assert!(none.is_empty());
        assert_eq!(written(Ndjson, &[(none, None)]).unwrap(), "");
    }
}

#[test]
fn checking_a_selection_does_not_check_the_other_rows() {
    let rows = rows(Ndjson, "{\"a\":1}\nno object\n");
    rows.select(&[0]).project(&[]).unwrap();
    assert!(rows.project(&[]).is_err());
}

#[test]
#[should_panic(expected = "positions must ascend")]
fn positions_that_do_not_ascend_are_rejected() {
    five(Csv).select(&[2, 1]);
}

#[test]
fn a_document_as_json_is_its_text() {
    let text = "{ \"a\" : 1.50, \"a\": 2 }\n{}\n";
    assert_eq!(json(&rows(Ndjson, text)), text);
    let error = rows(Ndjson, "{}\n[1]\n").json(1, &mut Vec::new()).unwrap_err();
    assert_snapshot!(error, @"rows.ndjson:2:1: row is not a JSON object: found an array (if the file is one array, put each element on a line); write one JSON object on each line");
}

#[test]
fn a_csv_row_as_json_has_the_types_of_its_columns_and_a_misfit_is_a_string() {
    let types = [("n", ValueType::Int64), ("ok", ValueType::Boolean)];
    let rows = batches(Csv, "n,ok,\"s\"\"\"\n007,true,a\nx\"y,1,NA\nNA,NA,\n", na(&types), 9)
        .unwrap()
        .remove(0);
    assert_snapshot!(json(&rows), @r#"
    {"n":7,"ok":true,"s\"":"a"}
    {"n":"x\"y","ok":"1","s\"":null}
    {"n":null,"ok":null,"s\"":""}
    "#);
}
