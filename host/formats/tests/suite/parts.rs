//! Inputs with many parts: their files, their order, and that they match.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::support;
use crate::support::columns;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use beamlet_formats::Format::{Arrow, Csv, Ndjson, Parquet};
use beamlet_formats::{Field, Format, ReadOptions, Reader, Rows, RowsError, Source};
use insta::assert_snapshot;
use tempfile::TempDir;

fn files(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn read(source: Source, format: Format) -> Result<Vec<Rows>, RowsError> {
    let mut reader = Reader::open(source, format, ReadOptions::default())?;
    std::iter::from_fn(|| reader.next(100).transpose()).collect()
}

/// The origins of all rows, without the directory.
fn origins(directory: &TempDir, path: &str, format: Format) -> Vec<String> {
    let source = Source::path(directory.path().join(path));
    let batches = read(source, format).unwrap();
    let all = batches.iter().flat_map(|rows| (0..rows.len()).map(|row| rows.origin(row)));
    all.map(|it| short(directory.path(), it.to_string())).collect()
}

fn error(directory: &TempDir, path: &str, format: Format) -> String {
    let source = Source::path(directory.path().join(path));
    short(directory.path(), read(source, format).unwrap_err().to_string())
}

fn short(directory: &Path, text: String) -> String {
    text.replace(&format!("{}/", directory.display()), "")
        .replace(directory.to_str().unwrap(), "DIR")
}

#[test]
fn a_directory_stands_for_its_files_in_the_order_of_their_names() {
    let directory = files(&[
        ("b.ndjson", "{\"n\":2}\n{\"n\":3}\n"),
        ("a.ndjson", "{\"n\":1}"),
        ("c.ndjson", "\n{\"n\":4}\n"),
        ("_SUCCESS", ""),
        (".c.ndjson.crc", "x"),
        ("_temporary/0.ndjson", "x"),
    ]);
    let found = origins(&directory, "", Ndjson);
    assert_eq!(found, ["a.ndjson:1", "b.ndjson:1", "b.ndjson:2", "c.ndjson:2"]);
    assert_eq!(Source::path(directory.path()).format().unwrap(), Some(Ndjson));
}

#[test]
fn a_pattern_stands_for_the_paths_that_match() {
    let directory = files(&[
        ("x/2.csv", "n\n2\n"),
        ("x/1.csv", "n\n1\n"),
        ("x/1.txt", "n\n9\n"),
        ("x/_2.csv", "n\n9\n"),
        ("x/.2.csv", "n\n9\n"),
        ("y/1.csv", "n\n3\n"),
    ]);
    assert_eq!(origins(&directory, "x/*.csv", Csv), ["x/1.csv:2", "x/2.csv:2"]);
    assert_eq!(origins(&directory, "*/1.csv", Csv), ["x/1.csv:2", "y/1.csv:2"]);
    assert_eq!(origins(&directory, "**/[12].csv", Csv).len(), 3);
    assert_eq!(origins(&directory, "x/_*.csv", Csv), ["x/_2.csv:2"]);
    // A directory that matches is its files.
    assert_eq!(origins(&directory, "[y]", Csv), ["y/1.csv:2"]);
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_that_file() {
    let directory = files(&[("a[1]*.csv", "n\n1\n"), ("a1.csv", "n\n2\n")]);
    assert_eq!(origins(&directory, "a[1]*.csv", Csv), ["a[1]*.csv:2"]);
}

#[test]
fn a_pattern_without_a_match_is_an_error() {
    let directory = files(&[("x/_SUCCESS", ""), ("y/z/1.csv", "n\n1\n")]);
    assert_snapshot!(error(&directory, "*.csv", Csv), @"*.csv: no file matches; check the pattern, and quote it so that the shell does not expand it");
    assert_snapshot!(error(&directory, "x", Csv), @"x: contains no file, apart from those that begin with . or _; check the path");
    assert_snapshot!(error(&directory, "y", Csv), @"y: contains the directory y/z; name the parts with a pattern, such as y/*/*");
    assert_snapshot!(error(&directory, "[", Csv), @"[: is not a valid pattern: invalid range pattern; write [[] for a literal bracket");
    assert_snapshot!(read(Source::paths([]), Csv).unwrap_err(), @"there is no input; name a file, a directory or a pattern");
}

#[test]
fn parts_of_different_formats_are_rejected() {
    let directory = files(&[("a.csv", "n\n1\n"), ("b.csv.gz", ""), ("c.ndjson", "{}")]);
    assert_snapshot!(error(&directory, "", Csv), @"a.csv and c.ndjson have different formats; read them one after the other, or name one of them with a pattern");
}

#[test]
fn csv_parts_have_one_header() {
    let directory =
        files(&[("1.csv", "a,b\n1,2\n"), ("2.csv", "\na,b\n"), ("3.csv", "a,b\n3,4\n")]);
    assert_eq!(origins(&directory, "", Csv), ["1.csv:2", "3.csv:2"]);
    let messages = ["b,a\n1,2\n", "a\n1\n", "a,b,c\n1,2,3\n"].map(|other| {
        let directory = files(&[("1.csv", "a,b\n1,2\n"), ("2.csv", other)]);
        error(&directory, "", Csv) + "\n"
    });
    assert_snapshot!(messages.concat(), @r#"
    2.csv: has different columns than 1.csv: column 1 is "b" and not "a"; give all parts the same columns in the same order
    2.csv: has different columns than 1.csv: 1 columns and not 2; give all parts the same columns in the same order
    2.csv: has different columns than 1.csv: 3 columns and not 2; give all parts the same columns in the same order
    "#);
}

#[test]
fn the_types_of_the_first_part_with_rows_apply_to_all_parts() {
    let directory = files(&[("1.csv", "n\n"), ("2.csv", "n\n1\n"), ("3.csv", "n\nx\n")]);
    let rows = read(Source::path(directory.path()), Csv).unwrap();
    let n = [Field::required("n")];
    assert_eq!(rows[0].project(&n).unwrap().column(0).as_primitive::<Int64Type>().value(0), 1);
    let error = short(directory.path(), rows[1].project(&n).unwrap_err().to_string());
    assert_snapshot!(error, @r#"3.csv:2: field "n" is a string, expected int64 (the type of the first rows); correct the value, or state a type with --type n=string"#);
}

#[test]
fn headers_alone_make_one_batch_without_rows() {
    let directory = files(&[("1.csv", "a,b\n"), ("2.csv", "a,b\n")]);
    let batches = read(Source::path(directory.path()), Csv).unwrap();
    assert_eq!(batches.iter().map(Rows::len).collect::<Vec<_>>(), [0]);
}

#[test]
fn a_part_is_opened_only_when_the_previous_one_is_done() {
    let directory = files(&[("1.ndjson", "{}\n{}\n"), ("2.ndjson", "{}\n")]);
    let mut reader =
        Reader::open(Source::path(directory.path()), Ndjson, ReadOptions::default()).unwrap();
    reader.next(1).unwrap();
    fs::remove_file(directory.path().join("2.ndjson")).unwrap();
    assert_eq!(reader.next(1).unwrap().unwrap().len(), 1);
    let error = short(directory.path(), reader.next(1).unwrap_err().to_string());
    assert_snapshot!(error, @"2.ndjson: cannot be opened: No such file or directory (os error 2); check the path and its permissions");
}

#[test]
fn each_part_is_decompressed_as_its_name_says() {
    let directory = files(&[("1.csv", "a\n1\n")]);
    let zipped = zstd::encode_all(&b"a\n2\n"[..], 3).unwrap();
    fs::write(directory.path().join("2.csv.zst"), zipped).unwrap();
    assert_eq!(origins(&directory, "", Csv), ["1.csv:2", "2.csv.zst:2"]);
}

fn int(name: &str, values: &[i64]) -> RecordBatch {
    columns([(name, Arc::new(Int64Array::from(values.to_vec())) as ArrayRef)])
}

fn store(directory: &TempDir, name: &str, batch: &RecordBatch) {
    let format = Format::from_path(name).unwrap();
    let bytes = support::bytes(format, &support::table(batch, 100)).unwrap();
    fs::write(directory.path().join(name), bytes).unwrap();
}

#[test]
fn parts_of_parquet_and_arrow_count_their_rows_and_have_one_schema() {
    for (extension, format) in [("parquet", Parquet), ("arrow", Arrow)] {
        let directory = files(&[("_SUCCESS", "")]);
        store(&directory, &format!("1.{extension}"), &int("n", &[1, 2]));
        store(&directory, &format!("2.{extension}"), &int("n", &[]));
        store(&directory, &format!("3.{extension}"), &int("n", &[3]));
        let expected = [
            format!("1.{extension}:row 1"),
            format!("1.{extension}:row 2"),
            format!("3.{extension}:row 1"),
        ];
        assert_eq!(origins(&directory, "", format), expected);
    }
    let directory = files(&[]);
    store(&directory, "1.parquet", &int("n", &[1]));
    store(&directory, "2.parquet", &int("m", &[1]));
    let name = error(&directory, "", Parquet);
    let text = columns([("n", Arc::new(StringArray::from(vec!["a"])) as ArrayRef)]);
    store(&directory, "2.parquet", &text);
    assert_snapshot!(name + "\n" + &error(&directory, "", Parquet), @r#"
    2.parquet: has different columns than 1.parquet: column 1 is "m" and not "n"; give all parts the same columns in the same order
    2.parquet: has different columns than 1.parquet: field "n" has the type Utf8 and not Int64; give all parts the same columns in the same order
    "#);
}

#[test]
fn parquet_and_arrow_can_be_read_from_a_pipe() {
    for format in [Parquet, Arrow] {
        let bytes = support::bytes(format, &support::table(&int("n", &[1, 2]), 100)).unwrap();
        let source = Source::stream("stdin", std::io::Cursor::new(bytes));
        let rows = read(source, format).unwrap();
        assert_eq!(rows[0].origin(1).to_string(), "stdin:row 2");
    }
}
