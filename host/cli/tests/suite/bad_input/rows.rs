//! Invalid rows.

use super::{first_line, refused, refused_rows};
use crate::support::beamlet::{Beamlet, Folder};
use crate::support::redacted;
use crate::support::store::{config, folder_of};
use insta::assert_snapshot;

#[test]
fn a_row_that_is_not_json_is_named_by_line_and_column() {
    let ended = refused_rows("rows.ndjson", "{\"tailnum\":\"N10156\"}\n\n{\"tailnum\":N10156}\n");
    redacted(|| {
        assert_snapshot!(ended, @"
        error: rows.ndjson:3:12: row is not a JSON object: expected value; write one JSON object on each line
        2 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        0 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_csv_row_with_too_few_fields_names_the_first_that_is_missing() {
    let ended = refused_rows("rows.csv", "tailnum,flight\nN10156,1\nN102UW\n");
    redacted(|| {
        assert_snapshot!(ended, @r#"
    error: rows.csv:3: row has too few fields: expected 2, got 1; the first missing field is "flight"
    0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    "#)
    });
}

#[test]
fn a_csv_row_with_too_many_fields_names_the_last_that_has_a_name() {
    let ended = refused_rows("rows.csv", "tailnum,flight\nN10156,1,2\n");
    redacted(|| {
        assert_snapshot!(ended, @r#"
    error: rows.csv:2: row has too many fields: expected 2, got 3; the last named field is "flight"; quote a field that holds a comma
    0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    "#)
    });
}

#[test]
fn a_row_without_the_entity_field_is_named_by_line() {
    let ended = refused_rows("rows.ndjson", "{\"tailnum\":\"N10156\"}\n{\"flight\":1}\n");
    redacted(|| {
        assert_snapshot!(ended, @r#"
        error: rows.ndjson:2: field "tailnum" is missing, and the handler requires it; add it to the row (null is allowed)
        2 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        0 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        "#)
    });
}

#[test]
fn a_csv_without_the_entity_field_is_refused_by_its_header() {
    let ended = refused_rows("rows.csv", "tail_num,flight\nN10156,1\n");
    redacted(|| {
        assert_snapshot!(ended, @r#"
        error: rows.csv:1: field "tailnum" is not in the header, and the handler requires it; add or rename a column
        1 row in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        0 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        "#)
    });
}

#[test]
fn an_entity_field_of_a_type_that_no_key_has_is_named_by_line_field_and_type() {
    let values = ["1.5", "true", "{\"n\":1}", "[1]", "1e3", "\"\\ud800\""];
    let reported: Vec<String> = values
        .iter()
        .map(|value| {
            let rows = format!("{{\"tailnum\":\"N10156\"}}\n{{\"tailnum\":{value}}}\n");
            let ended = refused_rows("rows.ndjson", rows);
            assert_eq!(ended.code, Some(1));
            format!("{value}: {}", first_line(&ended))
        })
        .collect();
    assert_snapshot!(reported.join("\n"), @r#"
    1.5: error: rows.ndjson:2: invalid-input: field `tailnum` is a fractional number; a join key is a string, an integer or null
    true: error: rows.ndjson:2: invalid-input: field `tailnum` is a boolean; a join key is a string, an integer or null
    {"n":1}: error: rows.ndjson:2: invalid-input: field `tailnum` is an object; a join key is a string, an integer or null
    [1]: error: rows.ndjson:2: invalid-input: field `tailnum` is a list; a join key is a string, an integer or null
    1e3: error: rows.ndjson:2: invalid-input: field `tailnum` is a fractional number; a join key is a string, an integer or null
    "\ud800": error: rows.ndjson:2: field "tailnum" is a string with an invalid escape: unexpected end of hex escape; correct the value
    "#);
}

#[test]
fn a_whole_column_of_a_type_that_no_key_has_names_its_first_row_and_counts_the_others() {
    let ended = refused_rows("rows.csv", "tailnum\n1.5\n2.5\n3.5\n");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.csv:2: invalid-input: field `tailnum` is a fractional number; a join key is a string, an integer or null (and 2 more rows of its bundle)
    3 rows in: 0 enriched, 0 missing, 0 with a null key, 3 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn the_error_for_a_column_that_changes_its_type_names_the_row_and_the_option() {
    let numbers: String = (0..1000).map(|number| format!("{number}\n")).collect();
    let ended = refused_rows("rows.csv", format!("tailnum\n{numbers}N10156\n"));
    redacted(|| {
        assert_snapshot!(ended, @r#"
        error: rows.csv:1002: field "tailnum" is a string, expected int64 (the type of the first rows); correct the value, or state a type with --type tailnum=string
        1001 rows in: 0 enriched, 1000 missing, 0 with a null key, 0 failed
        100 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        "#)
    });
    let help = Beamlet::new(&Folder::new(), "run --help").succeed();
    assert!(help.contains("--type <FIELD=TYPE>"), "{help}");
}

#[test]
fn a_row_that_is_not_utf_8_is_named_by_line() {
    let ended = refused_rows("rows.ndjson", b"{\"tailnum\":\"N10156\"}\n{\"tailnum\":\"\xff\"}\n");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.ndjson:2: row is not UTF-8; convert the file, for example with iconv -t UTF-8
    0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_csv_without_a_header_is_refused() {
    let ended = refused_rows("rows.csv", "");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.csv: has no header; the first row must name the columns
    exit code 1
    ")
    });
}

#[test]
fn an_input_that_is_not_there_is_named() {
    let folder = folder_of(&config("http://127.0.0.1:1"));
    let ended = refused(&folder, "run --config beamlet.toml --input rows.ndjson");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.ndjson: cannot be opened: No such file or directory (os error 2); check the path and its permissions
    exit code 1
    ")
    });
}
