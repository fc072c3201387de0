//! A faulty row is set aside, and the other rows are read and written.

use std::sync::Arc;

use crate::support;
use crate::support::{Shared, batches, columns, read_back, table, written};
use arrow_array::{ArrayRef, Int64Array, TimestampSecondArray};
use beamlet_formats::Format::{Arrow, Arrows, Csv, Ndjson, Parquet};
use beamlet_formats::{
    BadRow, Format, Original, ReadOptions, Rows, RowsError, Target, WriteOptions, Writer,
};
use insta::assert_snapshot;

fn options(max_row_bytes: usize) -> ReadOptions {
    ReadOptions { set_aside: true, max_row_bytes, ..ReadOptions::default() }
}

/// What is read and what is set aside, whatever the size of the batches and of the reads.
fn read(format: Format, text: impl Into<Vec<u8>>, limit: usize) -> (String, String) {
    let text = text.into();
    let read = |size| -> (String, String) {
        let all = batches(format, text.clone(), options(limit), size).unwrap();
        let bad = all.iter().flat_map(Rows::set_aside).map(line).collect();
        let rows: Vec<_> = all.into_iter().map(|it| (it, None)).collect();
        (written(Ndjson, &rows).unwrap(), bad)
    };
    let whole = read(100);
    assert_eq!(whole, read(1));
    assert_eq!(whole, read(2));
    whole
}

fn line(row: &BadRow) -> String {
    let original = match &row.original {
        Original::Json(json) => format!("json {json}"),
        Original::Text(text) => format!("text {text}"),
        Original::Bytes(bytes) => format!("bytes {}", bytes.escape_ascii()),
        Original::Spooled(spooled) => {
            let mut all = Vec::new();
            let chunk = |bytes: &[u8]| {
                all.extend_from_slice(bytes);
                Ok::<_, std::io::Error>(())
            };
            spooled.chunks(3, chunk).unwrap();
            assert_eq!(spooled.len(), all.len() as u64);
            format!("spooled {}", all.escape_ascii())
        }
        other => panic!("{other:?}"),
    };
    format!("{} | {original}\n", row.error)
}

#[test]
fn a_csv_row_of_another_width_is_set_aside_unchanged() {
    let (rows, bad) = read(Csv, "a,b\n1,2\n3\n4,\"5\",6\n7,8\n", 100);
    assert_eq!(rows, "{\"a\":1,\"b\":2}\n{\"a\":7,\"b\":8}\n");
    assert_snapshot!(bad, @r#"
    rows.csv:3: row has too few fields: expected 2, got 1; the first missing field is "b" | text 3
    rows.csv:4: row has too many fields: expected 2, got 3; the last named field is "b"; quote a field that holds a comma | text 4,"5",6
    "#);
}

#[test]
fn bytes_that_are_not_utf8_are_set_aside_unchanged() {
    let (rows, bad) = read(Csv, b"a,b\n1,2\n\xff,3\n4,\"\xe9\"\n5,6\n", 100);
    assert_eq!(rows, "{\"a\":1,\"b\":2}\n{\"a\":5,\"b\":6}\n");
    assert_snapshot!(bad, @r#"
    rows.csv:3: row is not UTF-8; convert the file, for example with iconv -t UTF-8 | bytes \xff,3
    rows.csv:4: row is not UTF-8; convert the file, for example with iconv -t UTF-8 | bytes 4,\"\xe9\"
    "#);
    let (rows, bad) = read(Ndjson, b"{\"a\":1}\n{\"a\":\"\xff\"}\n\n\xff\r\n{\"a\":2}", 100);
    assert_eq!(rows, "{\"a\":1}\n{\"a\":2}\n");
    assert_snapshot!(bad, @r#"
    rows.ndjson:2: row is not UTF-8; convert the file, for example with iconv -t UTF-8 | bytes {\"a\":\"\xff\"}
    rows.ndjson:4: row is not UTF-8; convert the file, for example with iconv -t UTF-8 | bytes \xff
    "#);
}

#[test]
fn a_row_beyond_the_limit_is_set_aside_whole() {
    let (rows, bad) = read(Ndjson, "{\"a\":1}\n{\"a\":\"0123456789\"}\n{\"a\":2}\n", 12);
    assert_eq!(rows, "{\"a\":1}\n{\"a\":2}\n");
    assert_snapshot!(bad, @r#"rows.ndjson:2: row is longer than 12 bytes; is there a line end after each object? if so, raise --max-row-bytes | spooled {\"a\":\"0123456789\"}"#);
    let (rows, bad) = read(Csv, "a,b\r\n1,2\r\n3,\"012\r\n\"\"3,4567\"\r\n5,6\r\n7,0123456789", 10);
    assert_eq!(rows, "{\"a\":1,\"b\":2}\n{\"a\":5,\"b\":6}\n");
    assert_snapshot!(bad, @r#"
    rows.csv:3: row is longer than 10 bytes; is a quote not closed? if not, raise --max-row-bytes | spooled 3,\"012\r\n\"\"3,4567\"
    rows.csv:6: row is longer than 10 bytes; is a quote not closed? if not, raise --max-row-bytes | spooled 7,0123456789
    "#);
}

#[test]
fn a_row_beyond_the_limit_is_complete_whatever_the_sizes_of_reads() {
    let long = "x\"\"\r\n,".repeat(50_000);
    let text = format!("a,b\r\n1,\"{long}\"\r\n2,3\r\n");
    for size in [7, 4_096, 1 << 20] {
        let source = beamlet_formats::Source::stream("rows.csv", support::Slow::new(&*text, size));
        let mut reader = beamlet_formats::Reader::open(source, Csv, options(1_000)).unwrap();
        let rows = reader.next(10).unwrap().unwrap();
        assert_eq!((rows.len(), rows.origin(0).line), (1, 50_003), "{size}");
        let bad = line(&rows.set_aside()[0]);
        let whole = format!("1,\"{long}\"").as_bytes().escape_ascii().to_string();
        assert!(bad.ends_with(&format!("| spooled {whole}\n")), "{size}");
    }
}

#[test]
fn an_unclosed_quote_ends_the_reader_even_beyond_the_limit() {
    for text in ["a,b\n1,2\n3,\"4\n5,6\n", "a,b\n1,2\n3,\"4567890123\n456\n78901234567890\n"] {
        let error = batches(Csv, text, options(10), 9).unwrap_err().to_string();
        assert!(
            error.starts_with("rows.csv:3:3: a quote opens here and is never closed"),
            "{error}"
        );
    }
}

#[test]
fn a_row_with_text_after_a_quote_is_set_aside_if_its_end_is_certain() {
    let (rows, bad) = read(Csv, "a,b\n1,2\n\"3\"4,5\n6,7\n", 100);
    assert_eq!(rows, "{\"a\":1,\"b\":2}\n{\"a\":6,\"b\":7}\n");
    assert_snapshot!(bad, @r#"rows.csv:3:4: text follows a closing quote; quote the whole cell, and double each quote inside it | text "3"4,5"#);
    for text in ["a,b\n1,\"2\n3\"4\n5,6\n", "a,b\n1,\"2\"3,\"4\n5\"", "a,b\n\"1\n2\"3"] {
        batches(Csv, text, options(100), 9).unwrap_err();
    }
}

#[test]
fn a_header_is_not_set_aside() {
    for text in [&b"a,\xff\n1,2\n"[..], b"\"a\"b\n1\n"] {
        batches(Csv, text, options(100), 9).unwrap_err();
    }
}

#[test]
fn types_come_from_the_rows_that_are_not_set_aside() {
    let (rows, _) = read(Csv, "a,b\nx\n1,2\n", 100);
    assert_eq!(rows, "{\"a\":1,\"b\":2}\n");
}

#[test]
fn rows_that_are_all_set_aside_make_a_batch_without_rows() {
    for (format, text) in [(Csv, &b"a\n\xff\n"[..]), (Ndjson, b"\xff\n")] {
        let all = batches(format, text, options(100), 9).unwrap();
        assert_eq!((all.len(), all[0].len(), all[0].set_aside().len()), (1, 0, 1));
    }
}

/// What is written of `all`, how many rows, and what was set aside.
fn sifted(format: Format, all: &[Rows]) -> Result<(Vec<u8>, u64, String), RowsError> {
    let sink = Shared::default();
    let options = WriteOptions { set_aside: true, ..WriteOptions::default() };
    let mut writer = Writer::create(Target::stream("out", sink.clone()), format, options)?;
    let mut bad = String::new();
    for rows in all {
        let score =
            Int64Array::from_iter_values((0..rows.len()).map(|row| rows.origin(row).line as i64));
        let features = columns([("line", Arc::new(score) as ArrayRef)]);
        writer.write(rows, Some(&features))?;
        bad.extend(writer.take_set_aside().iter().map(line));
    }
    writer.settle()?;
    bad.extend(writer.take_set_aside().iter().map(line));
    let rows = writer.rows();
    assert_eq!(writer.finish()?.rows, rows);
    Ok((sink.bytes(), rows, bad))
}

fn sifted_text(format: Format, all: &[Rows]) -> (String, String) {
    let (bytes, rows, bad) = sifted(format, all).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().count() as u64, rows + u64::from(format == Csv));
    (text, bad)
}

fn documents(text: &str, size: usize) -> Vec<Rows> {
    batches(Ndjson, text, ReadOptions::default(), size).unwrap()
}

#[test]
fn a_cell_of_another_type_than_the_first_rows_is_set_aside_by_the_writer() {
    let text = format!("a\n{}x\n7\n", "1\n".repeat(1_000));
    let all = batches(Csv, text, ReadOptions::default(), 10_000).unwrap();
    for format in [Ndjson, Parquet, Arrow, Arrows] {
        let (bytes, rows, bad) = sifted(format, &all).unwrap();
        assert_eq!(rows, 1_001, "{format}");
        assert_eq!(
            bad,
            "rows.csv:1002: field \"a\" is a string, expected int64 (the type of the first rows); correct the value, or state a type with --type a=string | json {\"a\":\"x\"}\n"
        );
        if format == Ndjson {
            assert!(bytes.ends_with(b"{\"a\":7,\"line\":1003}\n"));
        }
    }
}

#[test]
fn a_lone_surrogate_is_set_aside_by_the_writer_and_its_neighbours_keep_their_features() {
    let text = "{\"a\":\"x\"}\n{\"a\":\"\\ud800\"}\n{\"a\":\"y\",\"b\":1}\n";
    let message = "rows.ndjson:2: field \"a\" is a string with an invalid escape: ";
    for size in [1, 2, 3] {
        for format in [Parquet, Arrow, Arrows] {
            let (bytes, rows, bad) = sifted(format, &documents(text, size)).unwrap();
            assert_eq!(rows, 2, "{format}");
            assert!(
                bad.starts_with(message) && bad.ends_with("| json {\"a\":\"\\ud800\"}\n"),
                "{bad}"
            );
            let batch = read_back(format, bytes);
            let lines = written(Ndjson, &[(table(&batch, 9).remove(0), None)]).unwrap();
            let expected =
                "{\"a\":\"x\",\"b\":null,\"line\":1}\n{\"a\":\"y\",\"b\":1,\"line\":3}\n";
            assert_eq!(lines, expected, "{format} {size}");
        }
    }
    let (text, bad) = sifted_text(Csv, &documents(text, 3));
    assert_eq!(text, "a,b,line\nx,,1\ny,1,3\n");
    assert!(bad.starts_with(message), "{bad}");
}

#[test]
fn rows_that_are_set_aside_still_define_the_columns() {
    let (text, bad) = sifted_text(Csv, &documents("{\"a\":1,\"b\":\"\\ud800\"}\n{\"a\":2}\n", 2));
    assert_eq!(text, "a,line\n2,2\n");
    assert_eq!(bad.lines().count(), 1);
}

#[test]
fn a_row_with_a_field_that_comes_too_late_is_set_aside() {
    let all = documents("{\"a\":1}\n{\"a\":2,\"b\":3}\n{\"a\":4}\n", 1);
    let (text, bad) = sifted_text(Csv, &all);
    assert_eq!(text, "a,line\n1,1\n4,3\n");
    assert_snapshot!(bad, @r#"rows.ndjson:2: field "b" is not in the header, which comes from the first rows; CSV cannot add a column later, write NDJSON instead | json {"a":2,"b":3}"#);
}

#[test]
fn a_line_that_is_not_an_object_is_set_aside_by_the_writer() {
    let all = documents("{\"a\":1}\nno json\n{\"a\":2}\n", 9);
    let (text, bad) = sifted_text(Ndjson, &all);
    assert_eq!(text, "{\"a\":1,\"line\":1}\n{\"a\":2,\"line\":3}\n");
    assert!(bad.ends_with("| text no json\n"), "{bad}");
}

#[test]
fn a_value_of_a_table_that_the_format_does_not_hold_is_set_aside() {
    let times = TimestampSecondArray::from(vec![1, i64::MAX, 2]);
    let all = table(&columns([("t", Arc::new(times) as ArrayRef)]), 9);
    for format in [Ndjson, Csv, Parquet] {
        let (_, rows, bad) = sifted(format, &all).unwrap();
        assert_eq!(rows, 2, "{format}");
        assert!(bad.starts_with("rows.arrows:row 2: field \"t\" cannot be written: "), "{bad}");
        assert!(bad.ends_with("| json {\"t\":null}\n"), "{bad}");
    }
}

#[test]
fn a_faulty_feature_column_does_not_set_rows_aside() {
    let rows = documents("{\"a\":\"\\ud800\"}\n", 1);
    let sink = Shared::default();
    let options = WriteOptions { set_aside: true, ..WriteOptions::default() };
    let mut writer = Writer::create(Target::stream("out", sink), Csv, options).unwrap();
    let two = columns([("f", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]);
    writer.write(&rows[0], Some(&two)).unwrap_err();
    assert!(writer.take_set_aside().is_empty());
}
