//! CSV that deviates from RFC 4180: no row disappears, and no cell changes.

use crate::support;
use crate::support::{batches, written, written_with};
use beamlet_formats::Format::{Csv, Ndjson};
use beamlet_formats::{Field, ReadOptions, Rows, RowsError, WriteOptions};
use insta::assert_snapshot;

fn read(text: &str) -> Result<Vec<Rows>, RowsError> {
    batches(Csv, text, ReadOptions::default(), 100)
}

fn error(text: &str) -> String {
    let errors: Vec<_> = [1, 2, 100]
        .iter()
        .map(|size| batches(Csv, text, ReadOptions::default(), *size).unwrap_err().to_string())
        .collect();
    assert!(errors.iter().all(|it| *it == errors[0]), "a batch's size changes nothing: {errors:?}");
    errors[0].clone()
}

/// The rows as NDJSON, without its line ends.
fn objects(text: &str) -> Vec<String> {
    let batches: Vec<_> = read(text).unwrap().into_iter().map(|it| (it, None)).collect();
    written(Ndjson, &batches).unwrap().lines().map(str::to_owned).collect()
}

fn lines(text: &str) -> Vec<u64> {
    let batches = read(text).unwrap();
    batches.iter().flat_map(|it| (0..it.len()).map(|row| it.origin(row).line)).collect()
}

#[test]
fn a_quote_that_is_not_closed_is_an_error_on_the_line_where_it_opens() {
    assert_snapshot!(error("user_id,n\nu1,ok\nu2,\"x\nu3,y\n"), @"rows.csv:3:4: a quote opens here and is never closed; close it, or double each quote inside a cell");
    assert_snapshot!(error("a,b\n\"1\n2\",\"3\n4,5\n"), @"rows.csv:3:4: a quote opens here and is never closed; close it, or double each quote inside a cell");
    assert_snapshot!(error("a,\"b\n1,2\n"), @"rows.csv:1:3: a quote opens here and is never closed; close it, or double each quote inside a cell");
    assert_snapshot!(error("a\n\""), @"rows.csv:2:1: a quote opens here and is never closed; close it, or double each quote inside a cell");
    assert_snapshot!(error("a\n\"1\"\""), @"rows.csv:2:1: a quote opens here and is never closed; close it, or double each quote inside a cell");
}

#[test]
fn a_quote_that_spans_rows_up_to_the_next_quote_is_an_error_with_both_lines() {
    let text = format!("a,b\n1,\"x\n{}4,\"y\"\n5,6\n", "2,3\n".repeat(5_000));
    assert_snapshot!(error(&text), @"rows.csv:5003:4: text follows the quote that closes the cell from line 2; if that cell should end on its own line, close its quote there, otherwise double each quote inside it");
}

#[test]
fn text_behind_a_closing_quote_is_an_error_with_line_and_column() {
    assert_snapshot!(error("a,b\n1,2\n3,\"field\"tail\n"), @"rows.csv:3:10: text follows a closing quote; quote the whole cell, and double each quote inside it");
    assert_snapshot!(error("a,b\n\"a\" \"b\",1\n"), @"rows.csv:2:4: text follows a closing quote; quote the whole cell, and double each quote inside it");
    assert_snapshot!(error("a,b\n\"a\" ,1\n"), @"rows.csv:2:4: text follows a closing quote; quote the whole cell, and double each quote inside it");
    assert_snapshot!(error("a,\"b\"c\n1,2\n"), @"rows.csv:1:6: text follows a closing quote; quote the whole cell, and double each quote inside it");
}

#[test]
fn a_quote_inside_an_unquoted_cell_is_a_character() {
    assert_eq!(objects("a,b\n5\" pipe, \"x\"\n"), [r#"{"a":"5\" pipe","b":" \"x\""}"#]);
}

#[test]
fn quoted_cells_keep_quotes_delimiters_and_line_ends() {
    let text = "a,b\n\"x\"\"y\"\"\",\"1,\r\n2\"\n\"\"\"\",\"\"\n";
    assert_eq!(objects(text), [r#"{"a":"x\"y\"","b":"1,\r\n2"}"#, r#"{"a":"\"","b":null}"#]);
}

#[test]
fn a_blank_line_in_a_file_of_one_column_is_a_row() {
    // As pyarrow writes a null.
    assert_eq!(
        objects("\"user_id\"\nu1\n\nu2\n"),
        [r#"{"user_id":"u1"}"#, r#"{"user_id":null}"#, r#"{"user_id":"u2"}"#]
    );
    assert_eq!(objects("a\n1\n\n"), [r#"{"a":1}"#, r#"{"a":null}"#]);
    assert_eq!(objects("a\r\n\r\n1\r\n"), [r#"{"a":null}"#, r#"{"a":1}"#]);
    assert_eq!(objects("a\r\r1"), [r#"{"a":null}"#, r#"{"a":1}"#]);
    assert_eq!(lines("a\n\n1\n\n\n2\n"), [2, 3, 4, 5, 6]);
}

#[test]
fn a_blank_line_in_a_file_of_several_columns_is_not_a_row() {
    assert_eq!(lines("a,b\n\n1,2\n\n"), [3]);
}

#[test]
fn a_single_cr_ends_a_line() {
    assert_eq!(lines("a,b\r1,2\r3,4\r"), [2, 3]);
    assert_eq!(lines("a,b\r1,\"x\ry\"\r3,4"), [2, 4]);
    assert_snapshot!(error("a,b\r1,2\r3\r4,5\r"), @r#"rows.csv:3: row has too few fields: expected 2, got 1; the first missing field is "b""#);
}

#[test]
fn rows_are_the_same_wherever_a_read_of_the_input_ends() {
    let text = "a,b\r\n\"x\"\"\r\ny\",1\r\n\r\n2,\"\"\r3,4\n";
    let whole = objects(text);
    for size in 1..6 {
        let source = beamlet_formats::Source::stream("rows.csv", support::Slow::new(text, size));
        let mut reader =
            beamlet_formats::Reader::open(source, Csv, ReadOptions::default()).unwrap();
        let rows = reader.next(100).unwrap().unwrap();
        let found: Vec<_> =
            written(Ndjson, &[(rows.clone(), None)]).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(found, whole, "{size}");
        assert_eq!(rows.origin(1).line, 5);
    }
}

fn separated(text: &str, delimiter: &str) -> Result<Vec<Rows>, RowsError> {
    let delimiter = delimiter.parse().unwrap();
    batches(Csv, text, ReadOptions { delimiter, ..ReadOptions::default() }, 100)
}

#[test]
fn any_delimiter_separates_cells_in_and_out() {
    for (delimiter, byte) in [(";", ";"), ("tab", "\t"), ("|", "|"), (" ", " ")] {
        let text = format!("a{byte}b\n1{byte}\"x{byte}\"\n2{byte}\"y,\"\n");
        let rows = separated(&text, delimiter).unwrap();
        let objects = written(Ndjson, &[(rows[0].clone(), None)]).unwrap();
        assert_eq!(
            objects,
            format!("{{\"a\":1,\"b\":{:?}}}\n{{\"a\":2,\"b\":\"y,\"}}\n", format!("x{byte}"))
        );
        let delimiter = delimiter.parse().unwrap();
        let options = WriteOptions { delimiter, ..WriteOptions::default() };
        let again = written_with(Csv, options, &[(rows[0].clone(), None)]).unwrap();
        assert_eq!(again, text.replace("\"y,\"", "y,"));
    }
}

#[test]
fn a_header_with_another_delimiter_is_reported_with_the_option() {
    let project = |text: &str, delimiter: &str| {
        let rows = separated(text, delimiter).unwrap().remove(0);
        rows.project(&[Field::required("user_id")]).unwrap_err().to_string()
    };
    assert_snapshot!(project("user_id;n\nu1;1\n", ","), @r#"rows.csv:1: field "user_id" is not in the header, and the handler requires it; a semicolon seems to separate the columns: use --delimiter ';'"#);
    assert_snapshot!(project("n\tuser_id\n1\tu1\n", ","), @r#"rows.csv:1: field "user_id" is not in the header, and the handler requires it; a tab seems to separate the columns: use --delimiter tab"#);
    assert_snapshot!(error("\"user_id\";\"n\"\n\"u1\";1\n"), @r#"rows.csv:1:10: text follows a closing quote; a semicolon seems to separate the columns: use --delimiter ';'"#);
    assert_snapshot!(project("user_id|n\nu1|1\n", ";"), @r#"rows.csv:1: field "user_id" is not in the header, and the handler requires it; a '|' seems to separate the columns: use --delimiter '|'"#);
    // A name may hold the delimiter of another file.
    assert_snapshot!(project("price, EUR;user_id\n1,5;u1\n", ","), @r#"rows.csv:1: field "user_id" is not in the header, and the handler requires it; a semicolon seems to separate the columns: use --delimiter ';'"#);
    assert_snapshot!(project("a;b,user;id\n1,2\n", ","), @r#"rows.csv:1: field "user_id" is not in the header, and the handler requires it; add or rename a column"#);
    assert_snapshot!(error("user_id;price\nu1;1,5\n"), @r#"rows.csv:2: row has too many fields: expected 1, got 2; a semicolon seems to separate the columns: use --delimiter ';'"#);
    let types = vec![("n".to_owned(), beamlet_formats::ValueType::String)];
    let options = ReadOptions { types, ..ReadOptions::default() };
    assert_snapshot!(batches(Csv, "user_id;n\nu1;1\n", options, 9).unwrap_err(), @r#"rows.csv:1: field "n" has a stated type but is not in the header; a semicolon seems to separate the columns: use --delimiter ';'"#);
}

#[test]
fn the_sep_line_of_a_spreadsheet_is_not_a_header() {
    assert_snapshot!(error("sep=;\na;b\n1;2\n"), @r#"rows.csv:1: the line "sep=;" names another delimiter; use --delimiter ';'"#);
    assert_snapshot!(error("\"SEP=\t\"\na\tb\n"), @r#"rows.csv:1: the line "\"SEP=\t\"" names another delimiter; use --delimiter tab"#);
    for text in ["sep=;\r\na;b\r\n1;2\r\n", "\u{feff}sep=;\na;b\n1;2\n"] {
        let rows = separated(text, ";").unwrap();
        assert_eq!((rows.len(), rows[0].origin(0).line), (1, 3));
    }
}

#[test]
fn a_name_that_begins_with_a_byte_order_mark_keeps_it() {
    let rows = batches(Ndjson, "{\"\u{feff}a\":1,\"b\":2}\n", ReadOptions::default(), 9).unwrap();
    let text = written(Csv, &rows.into_iter().map(|it| (it, None)).collect::<Vec<_>>()).unwrap();
    assert_eq!(text, "\"\u{feff}a\",\"b\"\n1,2\n");
    assert_eq!(objects(&text), ["{\"\u{feff}a\":1,\"b\":2}"]);
}
