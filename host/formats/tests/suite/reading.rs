//! How rows are found in a text, and their origins.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::{batches, na, rows, written};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use beamlet_formats::Format::{Csv, Ndjson};
use beamlet_formats::{Field, Format, ReadOptions, Reader, Rows, Source, ValueType};

fn lines(batches: &[Rows]) -> Vec<u64> {
    batches.iter().flat_map(|rows| (0..rows.len()).map(|row| rows.origin(row).line)).collect()
}

fn lines_of(format: Format, text: &str) -> Vec<u64> {
    let all = lines(&batches(format, text, na(&[]), 100).unwrap());
    assert_eq!(
        all,
        lines(&batches(format, text, na(&[]), 1).unwrap()),
        "a batch's size changes nothing"
    );
    all
}

fn column(rows: &Rows, name: &str) -> RecordBatch {
    rows.project(&[Field::optional(name)]).unwrap()
}

fn type_of(format: Format, text: &str) -> DataType {
    column(&rows(format, text), "a").schema().field(0).data_type().clone()
}

#[test]
fn an_origin_is_printed_as_source_and_line() {
    assert_eq!(rows(Csv, "a\n1\n2\n").origin(1).to_string(), "rows.csv:3");
}

#[test]
fn lines_count_blank_ones_quoted_ones_and_every_line_end() {
    assert_eq!(lines_of(Ndjson, "{}\n\n \t\n{}\r\n\r\n{}"), [1, 4, 6]);
    assert_eq!(lines_of(Csv, "a,b\n1,2\n3,4"), [2, 3]);
    assert_eq!(lines_of(Csv, "a,b\r\n1,2\r\n\r\n3,4\r\n5,6\r\n"), [2, 4, 5]);
    assert_eq!(lines_of(Csv, "\n\na,\"b\nc\"\n1,\"x\n\ny\"\n\n3,4\n"), [5, 9]);
    assert_eq!(lines_of(Csv, "a,b\r\n\"x\r\ny\",2\r\n3,4"), [2, 4]);
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_row() {
    assert_eq!(column(&rows(Ndjson, "\u{feff}{\"a\":1}"), "a").num_rows(), 1);
    assert_eq!(column(&rows(Csv, "\u{feff}a\n1\n"), "a").column(0).null_count(), 0);
    assert!(batches(Ndjson, "\u{feff}", na(&[]), 1).unwrap().is_empty());
}

#[test]
fn an_input_without_rows_has_no_batch() {
    for text in ["", "\n\n"] {
        assert!(batches(Ndjson, text, na(&[]), 9).unwrap().is_empty(), "{text:?}");
    }
}

#[test]
fn a_csv_with_only_a_header_has_one_batch_without_rows() {
    for text in ["a,b", "a,b\r\n\r\n"] {
        let batches = batches(Csv, text, na(&[]), 9).unwrap();
        assert_eq!(batches.iter().map(Rows::len).collect::<Vec<_>>(), [0], "{text:?}");
    }
}

#[test]
fn a_batch_has_the_requested_number_of_rows() {
    let text = format!("a\n{}", "1\n".repeat(2_500));
    let sizes: Vec<_> = batches(Csv, text, na(&[]), 700).unwrap().iter().map(Rows::len).collect();
    // The rows that were read ahead for their types make batches of their own.
    assert_eq!(sizes, [700, 300, 700, 700, 100]);
    let sizes: Vec<_> =
        batches(Ndjson, "{}\n".repeat(5), na(&[]), 2).unwrap().iter().map(Rows::len).collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[test]
fn a_field_has_the_common_type_of_its_values_or_json() {
    for (values, expected) in [
        (&["1", "null", "-9223372036854775808"][..], DataType::Int64),
        (&["1", "2.5", "1e3"], DataType::Float64),
        (&["1", "-0"], DataType::Float64),
        (&["18446744073709551616"], DataType::Float64),
        (&["true", "false"], DataType::Boolean),
        (&["\"a\"", "null"], DataType::Utf8),
        (&["null", "null"], DataType::Utf8),
    ] {
        let text: String = values.iter().map(|value| format!("{{\"a\":{value}}}\n")).collect();
        assert_eq!(type_of(Ndjson, &text), expected, "{values:?}");
    }
    for values in [
        &["1", "\"1\""][..],
        &["9007199254740993", "0.5"],
        &["18446744073709551615"],
        &["1e999"],
        &["[1, 2]", "null"],
        &["{\"b\": 1}"],
        &["true", "1"],
    ] {
        let text: String = values.iter().map(|value| format!("{{\"a\":{value}}}\n")).collect();
        let batch = column(&rows(Ndjson, &text), "a");
        assert_eq!(batch.schema().field(0).extension_type_name(), Some("arrow.json"), "{values:?}");
        let texts: Vec<_> = batch
            .column(0)
            .as_string::<i32>()
            .iter()
            .map(|it| it.unwrap_or("null").to_owned())
            .collect();
        assert_eq!(texts, values);
    }
}

#[test]
fn csv_types_come_from_the_first_rows() {
    for (cells, expected) in [
        ("1\nNA\n-2\n", DataType::Int64),
        ("1\n2.5\n", DataType::Float64),
        ("true\nNA\n", DataType::Boolean),
        ("NA\nNA\n", DataType::Utf8),
        ("1\ntrue\n", DataType::Utf8),
        ("007\n", DataType::Utf8),
    ] {
        assert_eq!(type_of(Csv, &format!("a\n{cells}")), expected, "{cells:?}");
    }
}

#[test]
fn a_stated_type_overrides_the_inferred_one() {
    let typed = |format, text: &str, value_type| {
        let rows = batches(format, text, na(&[("a", value_type)]), 9).unwrap().remove(0);
        column(&rows, "a").column(0).clone()
    };
    assert_eq!(typed(Csv, "a\n1\n", ValueType::String).as_string::<i32>().value(0), "1");
    assert_eq!(typed(Csv, "a\n007\n", ValueType::Int64).as_primitive::<Int64Type>().value(0), 7);
    assert!(
        typed(Csv, "a\nNaN\n", ValueType::Float64).as_primitive::<Float64Type>().value(0).is_nan()
    );
    assert_eq!(
        typed(Ndjson, "{\"a\":1}", ValueType::Float64).as_primitive::<Float64Type>().value(0),
        1.0
    );
    assert_eq!(typed(Ndjson, "{}", ValueType::Int64).data_type(), &DataType::Int64);
}

#[test]
fn without_a_marker_the_empty_cell_is_null() {
    let rows = batches(Csv, "a,b\n,x\n1,NA\n", ReadOptions::default(), 9).unwrap().remove(0);
    let batch = rows.project(&[Field::required("a"), Field::required("b")]).unwrap();
    assert_eq!((batch.column(0).null_count(), batch.column(0).data_type()), (1, &DataType::Int64));
    assert_eq!(batch.column(1).null_count(), 0);
}

#[test]
fn the_last_value_of_a_duplicate_key_counts() {
    let batch = column(&rows(Ndjson, "{\"a\":1,\"a\":2}"), "a");
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(0), 2);
}

#[test]
fn nested_values_may_be_deeper_than_a_parser_s_stack() {
    let deep = format!("{{\"a\":{}{}}}\n", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(written(Ndjson, &[(rows(Ndjson, &deep), None)]).unwrap(), deep);
}

/// The same row again and again, counted as it is taken.
struct Endless {
    row: &'static [u8],
    left: u64,
    taken: Arc<AtomicU64>,
}

impl io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rows = (buffer.len() / self.row.len()).min(self.left as usize);
        for chunk in buffer[..rows * self.row.len()].chunks_mut(self.row.len()) {
            chunk.copy_from_slice(self.row);
        }
        self.left -= rows as u64;
        self.taken.fetch_add((rows * self.row.len()) as u64, Ordering::Relaxed);
        Ok(rows * self.row.len())
    }
}

#[test]
fn the_reader_reads_at_most_one_buffer_ahead() {
    for (format, row) in [(Ndjson, &b"{\"a\":\"0123456789\"}\n"[..]), (Csv, b"a,b,c,d\n")] {
        let taken = Arc::new(AtomicU64::new(0));
        let source = Endless { row, left: 1_000_000, taken: taken.clone() };
        let mut reader =
            Reader::open(Source::stream("endless", source), format, ReadOptions::default())
                .unwrap();
        let mut seen = 0;
        while let Some(rows) = reader.next(500).unwrap() {
            seen += (rows.len() * row.len()) as u64;
            let ahead = taken.load(Ordering::Relaxed) - seen;
            assert!(ahead < 200_000, "{ahead} bytes ahead");
        }
        assert!(seen >= 999_999 * row.len() as u64);
    }
}

#[test]
fn long_rows_end_a_batch_early() {
    let row = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20));
    let sizes: Vec<_> =
        batches(Ndjson, row.repeat(40), na(&[]), 1_000).unwrap().iter().map(Rows::len).collect();
    assert_eq!(sizes, [16, 16, 8]);
}
