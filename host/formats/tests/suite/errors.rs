//! Every message that a user can get: it names the place and what to do.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use crate::support;
use crate::support::{batches, columns, na, rows, written};
use arrow_array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UnionArray,
};
use arrow_schema::{DataType, Field as ArrowField, Schema, UnionFields};
use beamlet_formats::Format::{Csv, Ndjson};
use beamlet_formats::{
    Field, Format, ReadOptions, Reader, RowsError, Source, Target, ValueType, WriteOptions, Writer,
};
use insta::assert_snapshot;

fn read_error(format: Format, text: impl Into<Vec<u8>>) -> RowsError {
    batches(format, text, na(&[]), 100).unwrap_err()
}

fn project_error(format: Format, text: &str, fields: &[Field]) -> RowsError {
    typed_error(format, text, fields, &[])
}

fn typed_error(
    format: Format,
    text: &str,
    fields: &[Field],
    types: &[(&str, ValueType)],
) -> RowsError {
    let batches = batches(format, text, na(types), 1 << 20).unwrap();
    batches.iter().find_map(|rows| rows.project(fields).err()).expect("an error")
}

fn write_error(format: Format, text: &str, features: &[RecordBatch]) -> RowsError {
    let batches: Vec<_> =
        features.iter().map(|it| (rows(Ndjson, text), Some(it.clone()))).collect();
    written(format, &batches).unwrap_err()
}

fn lines(errors: &[RowsError]) -> String {
    errors.iter().map(|error| format!("{error}\n")).collect()
}

fn integers(name: &str) -> RecordBatch {
    columns([(name, Arc::new(Int64Array::from(vec![1])) as ArrayRef)])
}

fn strings(name: &str) -> RecordBatch {
    columns([(name, Arc::new(StringArray::from(vec!["a"])) as ArrayRef)])
}

fn marked(key: &str, value: &str, text: &str) -> RecordBatch {
    let metadata = HashMap::from([(key.to_owned(), value.to_owned())]);
    let field = ArrowField::new("f", DataType::Utf8, true).with_metadata(metadata);
    let texts = Arc::new(StringArray::from(vec![text]));
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![texts]).unwrap()
}

#[test]
fn the_error_for_a_row_that_is_not_an_object_names_line_and_column() {
    let bad = [
        r#"{"a":1}x"#,
        r#"{"a":1"#,
        r#"{"a" 1}"#,
        r#"{"a":1,}"#,
        r#"{"a":tru}"#,
        "{\"a\":\"\u{1}\"}",
        "[",
        "\"a\"",
        "  17",
        "null",
    ];
    let errors = bad.map(|line| project_error(Ndjson, &format!("{{}}\n\n{line}\n{{}}\n"), &[]));
    assert_snapshot!(lines(&errors), @r#"
    rows.ndjson:3:8: row is not a JSON object: trailing characters; write one JSON object on each line
    rows.ndjson:3:6: row is not a JSON object: EOF while parsing an object; write one JSON object on each line
    rows.ndjson:3:6: row is not a JSON object: expected `:`; write one JSON object on each line
    rows.ndjson:3:8: row is not a JSON object: trailing comma; write one JSON object on each line
    rows.ndjson:3:9: row is not a JSON object: expected true, false or null; write one JSON object on each line
    rows.ndjson:3:6: row is not a JSON object: control character (\u0000-\u001F) found while parsing a string; write one JSON object on each line
    rows.ndjson:3:1: row is not a JSON object: found an array (if the file is one array, put each element on a line); write one JSON object on each line
    rows.ndjson:3:1: row is not a JSON object: found a string; write one JSON object on each line
    rows.ndjson:3:3: row is not a JSON object: found a number; write one JSON object on each line
    rows.ndjson:3:1: row is not a JSON object: it does not begin with {; write one JSON object on each line
    "#);
}

#[test]
fn the_error_for_bytes_that_are_not_utf8_names_the_line() {
    assert_snapshot!(read_error(Ndjson, b"{}\n\n{\"a\":\"\xff\"}\n"), @"rows.ndjson:3: row is not UTF-8; convert the file, for example with iconv -t UTF-8");
    assert_snapshot!(read_error(Csv, b"a,b\n1,2\n3,\xff\n"), @"rows.csv:3: row is not UTF-8; convert the file, for example with iconv -t UTF-8");
    assert_snapshot!(read_error(Csv, b"a,\xff\n1,2\n"), @"rows.csv:1: row is not UTF-8; convert the file, for example with iconv -t UTF-8");
    // Half a character in each of two cells.
    assert_snapshot!(read_error(Csv, b"a,b\n\xc3,\xa9\n"), @"rows.csv:2: row is not UTF-8; convert the file, for example with iconv -t UTF-8");
}

#[test]
fn a_row_beyond_the_limit_names_the_line_and_the_limit() {
    let options = ReadOptions { max_row_bytes: 20, ..ReadOptions::default() };
    let long = "x".repeat(30);
    let error = batches(Ndjson, format!("{{}}\n{{\"a\":\"{long}\"}}\n{{}}"), options.clone(), 9)
        .unwrap_err();
    assert_snapshot!(error, @"rows.ndjson:2: row is longer than 20 bytes; is there a line end after each object? if so, raise --max-row-bytes");
    let error = batches(Csv, format!("a,b\n1,2\n3,\"{long}"), options, 9).unwrap_err();
    assert_snapshot!(error, @"rows.csv:3: row is longer than 20 bytes; is a quote not closed? if not, raise --max-row-bytes");
}

#[test]
fn a_csv_row_of_another_width_names_the_counts_and_the_field() {
    assert_snapshot!(read_error(Csv, "a,b,c,d\n1,2,3,4\n1,2\n"), @r#"rows.csv:3: row has too few fields: expected 4, got 2; the first missing field is "c""#);
    assert_snapshot!(read_error(Csv, "a,b\n1,2\n1,2,3\n"), @r#"rows.csv:3: row has too many fields: expected 2, got 3; the last named field is "b"; quote a field that holds a comma"#);
}

#[test]
fn a_csv_header_names_each_column_once() {
    assert_snapshot!(read_error(Csv, ""), @"rows.csv: has no header; the first row must name the columns");
    assert_snapshot!(read_error(Csv, "\n\n"), @"rows.csv: has no header; the first row must name the columns");
    assert_snapshot!(read_error(Csv, "\na,b,a\n"), @r#"rows.csv:2: field "a" appears twice in the header, as columns 1 and 3; rename one"#);
    let error = batches(Csv, "a,b\n1,2\n", na(&[("c", ValueType::String)]), 1).unwrap_err();
    assert_snapshot!(error, @r#"rows.csv:1: field "c" has a stated type but is not in the header; remove the type or correct the name"#);
}

#[test]
fn a_missing_field_names_line_and_field() {
    let wanted = [Field::required("user")];
    assert_snapshot!(project_error(Ndjson, "{\"user\":null}\n{\"User\":1}\n", &wanted), @r#"rows.ndjson:2: field "user" is missing, and the handler requires it; add it to the row (null is allowed)"#);
    assert_snapshot!(project_error(Csv, "id,name\n1,2\n", &wanted), @r#"rows.csv:1: field "user" is not in the header, and the handler requires it; add or rename a column"#);
    assert_snapshot!(project_error(Csv, "user\n1\n", &[Field::optional("user"), Field::required("user")]), @r#"field "user" is projected twice; name each field once"#);
}

#[test]
fn a_wrongly_typed_field_names_line_field_and_type() {
    let a = [Field::required("a")];
    // The first thousand rows are integers.
    let text = format!("a\n{}{}\n", "1\n".repeat(1_000), "Bob Miller");
    assert_snapshot!(project_error(Csv, &text, &a), @r#"rows.csv:1002: field "a" is a string, expected int64 (the type of the first rows); correct the value, or state a type with --type a=string"#);
    assert_snapshot!(project_error(Csv, &text.replace("Bob Miller", "1.5"), &a), @r#"rows.csv:1002: field "a" is a float64, expected int64 (the type of the first rows); correct the value, or state a type with --type a=float64"#);
    let errors = [
        (ValueType::Int64, "1\n1.5\n"),
        (ValueType::Float64, "1\nx\n"),
        (ValueType::Boolean, "true\n1\n"),
    ]
    .map(|(value_type, text)| typed_error(Csv, &format!("a\n{text}"), &a, &[("a", value_type)]));
    assert_snapshot!(lines(&errors), @r#"
    rows.csv:3: field "a" is a float64, expected int64 (its stated type); correct the value, or state a type with --type a=float64
    rows.csv:3: field "a" is a string, expected float64 (its stated type); correct the value, or state a type with --type a=string
    rows.csv:3: field "a" is an int64, expected boolean (its stated type); correct the value, or state a type with --type a=string
    "#);
    let errors = [
        (ValueType::String, "1"),
        (ValueType::Int64, "12345678901234567890"),
        (ValueType::Float64, "\"1\""),
        (ValueType::Boolean, "{}"),
    ]
    .map(|(value_type, value)| {
        typed_error(
            Ndjson,
            &format!("{{}}\n{{\"a\":{value}}}"),
            &[Field::optional("a")],
            &[("a", value_type)],
        )
    });
    assert_snapshot!(lines(&errors), @r#"
    rows.ndjson:2: field "a" is an integer, expected string (its stated type); correct the value, or remove the stated type
    rows.ndjson:2: field "a" is an integer beyond int64, expected int64 (its stated type); correct the value, or remove the stated type
    rows.ndjson:2: field "a" is a string, expected float64 (its stated type); correct the value, or remove the stated type
    rows.ndjson:2: field "a" is an object, expected boolean (its stated type); correct the value, or remove the stated type
    "#);
    let batches: Vec<_> =
        batches(Csv, text, na(&[]), 1 << 20).unwrap().into_iter().map(|it| (it, None)).collect();
    assert_snapshot!(written(Ndjson, &batches).unwrap_err(), @r#"rows.csv:1002: field "a" is a string, expected int64 (the type of the first rows); correct the value, or state a type with --type a=string"#);
}

#[test]
fn the_error_for_an_invalid_escape_names_line_and_field() {
    let text = "{}\n{\"a\":\"\\ud800\"}";
    assert_snapshot!(project_error(Ndjson, text, &[Field::optional("a")]), @r#"rows.ndjson:2: field "a" is a string with an invalid escape: unexpected end of hex escape; correct the value"#);
    assert_snapshot!(written(Csv, &[(rows(Ndjson, text), None)]).unwrap_err(), @r#"rows.ndjson:2: field "a" is a string with an invalid escape: unexpected end of hex escape; correct the value"#);
}

#[test]
fn a_source_that_cannot_be_opened_or_read_names_the_system_s_answer() {
    let error = Reader::open(Source::path("no/such.csv"), Csv, ReadOptions::default()).unwrap_err();
    assert_snapshot!(error, @"no/such.csv: cannot be opened: No such file or directory (os error 2); check the path and its permissions");

    struct Broken(u8);
    impl io::Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => {
                    buffer[..5].copy_from_slice(b"{}\n{}");
                    Ok(5)
                }
                2 => Err(io::ErrorKind::Interrupted.into()),
                _ => Err(io::ErrorKind::ConnectionReset.into()),
            }
        }
    }
    let mut reader =
        Reader::open(Source::stream("stdin", Broken(0)), Ndjson, ReadOptions::default()).unwrap();
    assert_snapshot!(reader.next(9).unwrap_err(), @"stdin:2: cannot be read: connection reset");
}

#[test]
fn a_target_that_cannot_be_opened_or_written_names_the_reason() {
    let create =
        |path| Writer::create(Target::path(path), Csv, WriteOptions::default()).unwrap_err();
    assert_snapshot!(create("no/such/directory/out.csv"), @"no/such/directory/out.csv: directory no/such/directory does not exist; create it first");
    assert_snapshot!(create("src"), @"src: cannot be created: is a directory; check the path and its permissions");

    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer =
        Writer::create(Target::stream("stdout", Full), Ndjson, WriteOptions::default()).unwrap();
    assert_snapshot!(writer.write(&rows(Ndjson, "{}"), None).unwrap_err(), @"stdout: cannot be written: no storage space");
}

#[test]
fn a_column_cannot_be_added_after_the_csv_header() {
    let batch = |text| (rows(Ndjson, text), None);
    assert_snapshot!(written(Csv, &[batch("{\"a\":1}"), batch("{\"a\":1}\n{\"a\":1,\"b\":2}")]).unwrap_err(), @r#"rows.ndjson:2: field "b" is not in the header, which comes from the first rows; CSV cannot add a column later, write NDJSON instead"#);
    let other = (rows(Csv, "x\n1\n"), None);
    assert_snapshot!(written(Csv, &[batch("{\"a\":1}"), other]).unwrap_err(), @"rows.csv:2: row has other columns than the header, which comes from the first rows; write it to a separate file, or write NDJSON instead");
}

#[test]
fn feature_columns_that_change_name_the_field_and_both_types() {
    assert_snapshot!(write_error(Ndjson, "{}", &[integers("f"), strings("f")]), @r#"rows.ndjson:1: feature "f" changed its type from int64 to string; give every batch the same types"#);
    assert_snapshot!(write_error(Ndjson, "{}", &[strings("f"), marked("beamlet:type", "decimal", "1")]), @r#"rows.ndjson:1: feature "f" changed its type from string to decimal; give every batch the same types"#);
    assert_snapshot!(write_error(Csv, "{}", &[integers("f"), integers("g")]), @"rows.ndjson:1: feature columns changed from [f] to [g]; give every batch the same columns in the same order");
    assert_snapshot!(write_error(Ndjson, "{}\n{}", &[integers("f")]), @"rows.ndjson:1: 2 rows from here on got 1 rows of features; give one row of features for each row");
    let array = Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    assert_snapshot!(write_error(Ndjson, "{}", &[columns([("f", array.clone()), ("f", array)])]), @r#"rows.ndjson:1: feature "f" appears twice in one batch; name each feature once"#);
}

#[test]
fn a_feature_that_cannot_be_written_names_the_row_and_the_field() {
    let union = UnionArray::try_new(
        UnionFields::try_new([0], [ArrowField::new("x", DataType::Int64, true)]).unwrap(),
        vec![0].into(),
        None,
        vec![Arc::new(Int64Array::from(vec![1]))],
    );
    assert_snapshot!(write_error(Ndjson, "{}", &[columns([("f", Arc::new(union.unwrap()) as ArrayRef)])]), @r#"rows.ndjson:1: feature "f" has the type Union(Sparse, 0: ("x": Int64)), which cannot be written; give it as a string, or a nested one as JSON text (arrow.json)"#);
    assert_snapshot!(write_error(Ndjson, "{}", &[marked("ARROW:extension:name", "arrow.json", "{\"a\":1}}")]), @r#"rows.ndjson:1: feature "f" cannot be written: it is marked as JSON but is not valid: trailing characters"#);
    let never = TimestampMicrosecondArray::from(vec![i64::MAX]).with_timezone("UTC");
    assert_snapshot!(write_error(Ndjson, "{}", &[columns([("f", Arc::new(never) as ArrayRef)])]), @r#"rows.ndjson:1: feature "f" cannot be written: its timestamp is out of range"#);
}

#[test]
fn a_failed_batch_does_not_write_the_header() {
    let sink = support::Shared::default();
    let target = Target::stream("out", sink.clone());
    let mut writer = Writer::create(target, Csv, WriteOptions::default()).unwrap();
    let bad = marked("ARROW:extension:name", "arrow.json", "{");
    let good = marked("ARROW:extension:name", "arrow.json", "{}");
    writer.write(&rows(Csv, "a\n1\n"), Some(&bad)).unwrap_err();
    writer.write(&rows(Csv, "a\n1\n"), Some(&good)).unwrap();
    writer.finish().unwrap();
    assert_eq!(sink.text(), "a,f\n1,{}\n");
}
