//! Files that other tools wrote: no value and no type is lost on the way.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::{batches, bytes, columns, read_back, table};
use arrow_array::cast::AsArray;
use arrow_array::types::Int8Type;
use arrow_array::{
    Array, ArrayRef, Date64Array, DictionaryArray, FixedSizeListArray, Int64Array, RecordBatch,
    StructArray, Time32SecondArray, TimestampSecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use beamlet_formats::Format::{Arrow, Arrows, Csv, Ndjson, Parquet};
use beamlet_formats::{Format, ReadOptions, Reader, Rows, RowsError, Source};
use bytes::Bytes;
use insta::assert_snapshot;
use parquet::arrow::ArrowWriter;
use parquet::basic::LogicalType;
use parquet::data_type::{ByteArray, ByteArrayType, Int96, Int96Type};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn all(source: Source, format: Format) -> Result<Vec<Rows>, RowsError> {
    let mut reader = Reader::open(source, format, ReadOptions::default())?;
    std::iter::from_fn(|| reader.next(1_000).transpose()).collect()
}

fn file(name: &str, format: Format) -> Vec<Rows> {
    all(Source::path(data(name)), format).unwrap()
}

fn text(format: Format, batches: &[Rows]) -> String {
    String::from_utf8(bytes(format, batches).unwrap()).unwrap()
}

/// An INT96 column of days since 1970 and nanoseconds in them.
fn int96(values: &[(i32, u64)]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type("message m { required int96 t; }").unwrap());
    let mut out = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut out, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let values: Vec<Int96> = values
        .iter()
        .map(|(day, nanos)| {
            let mut value = Int96::new();
            value.set_data(*nanos as u32, (nanos >> 32) as u32, (day + 2_440_588) as u32);
            value
        })
        .collect();
    column.typed::<Int96Type>().write_batch(&values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    out
}

#[test]
fn int96_keeps_instants_that_nanoseconds_do_not_hold() {
    let rows = file("int96.parquet", Parquet);
    assert_snapshot!(text(Ndjson, &rows), @r#"
    {"user_id":"u1","until":"2020-01-02T03:04:05.000006"}
    {"user_id":"u2","until":"9999-12-31T23:59:59"}
    {"user_id":"u3","until":"0001-01-01T00:00:00"}
    {"user_id":"u1","until":"1600-01-01T00:00:00"}
    {"user_id":"u2","until":null}
    "#);
    assert_snapshot!(text(Csv, &rows), @"
    user_id,until
    u1,2020-01-02T03:04:05.000006
    u2,9999-12-31T23:59:59
    u3,0001-01-01T00:00:00
    u1,1600-01-01T00:00:00
    u2,NA
    ");
    for format in [Parquet, Arrow, Arrows] {
        let again = batches(format, bytes(format, &rows).unwrap(), ReadOptions::default(), 9);
        assert_eq!(text(Ndjson, &again.unwrap()), text(Ndjson, &rows));
    }
}

#[test]
fn int96_keeps_nanoseconds_where_a_value_has_them() {
    let bytes = int96(&[(0, 1), (-1, 86_399_999_999_999)]);
    let rows = batches(Parquet, bytes, ReadOptions::default(), 9).unwrap();
    assert_snapshot!(text(Ndjson, &rows), @r#"
    {"t":"1970-01-01T00:00:00.000000001"}
    {"t":"1969-12-31T23:59:59.999999999"}
    "#);
}

#[test]
fn the_error_for_an_int96_column_that_no_type_holds_names_row_and_field() {
    // 9999-12-31 in the first row, a nanosecond in the second.
    let error = batches(Parquet, int96(&[(2_932_896, 0), (0, 1)]), ReadOptions::default(), 9);
    assert_snapshot!(error.unwrap_err(), @r#"rows.parquet:row 1: field "t" cannot be read exactly: it is too far from 1970 for nanoseconds, which other values of the column need; write its column with another type"#);
}

#[test]
fn the_error_for_int96_beyond_the_unit_of_the_first_part_names_row_and_field() {
    let folder = tempfile::tempdir().unwrap();
    let part = |name: &str, values| std::fs::write(folder.path().join(name), int96(values));
    part("a.parquet", &[(0, 1_000)]).unwrap();
    part("b.parquet", &[(2_932_896, 0)]).unwrap();
    let rows = all(Source::path(folder.path()), Parquet).unwrap();
    assert_eq!(rows.iter().map(Rows::len).sum::<usize>(), 2);
    part("c.parquet", &[(0, 0), (0, 1)]).unwrap();
    let error = all(Source::path(folder.path()), Parquet).unwrap_err().to_string();
    assert!(error.ends_with(r#"c.parquet:row 2: field "t" cannot be read exactly: it has digits below a microsecond; write its column with another type"#), "{error}");
}

#[test]
fn dictionaries_that_outgrow_their_index_type_become_one_readable_file() {
    for format in [Parquet, Arrow, Arrows] {
        let rows = all(Source::path(data("categorical-parts")), Parquet).unwrap();
        let bytes = bytes(format, &rows).unwrap();
        let again = batches(format, bytes.clone(), ReadOptions::default(), 1_000).unwrap();
        assert_eq!(text(Ndjson, &again), text(Ndjson, &rows), "{format}");
        assert_eq!(read_back(format, bytes).num_rows(), 200);
    }
}

#[test]
fn nested_dictionaries_that_outgrow_their_index_type_become_one_readable_parquet_file() {
    let part = |start: i32| {
        let values: Vec<_> = (start..start + 100).map(|it| format!("v{it}")).collect();
        let dictionary: DictionaryArray<Int8Type> = values.iter().map(|it| Some(&**it)).collect();
        let field = Field::new("d", dictionary.data_type().clone(), true);
        let array = StructArray::from(vec![(Arc::new(field), Arc::new(dictionary) as ArrayRef)]);
        columns([("s", Arc::new(array) as ArrayRef)])
    };
    let rows = [table(&part(0), 100), table(&part(100), 100)].concat();
    let again = batches(Parquet, bytes(Parquet, &rows).unwrap(), ReadOptions::default(), 1_000);
    assert_eq!(text(Ndjson, &again.unwrap()), text(Ndjson, &rows));
}

#[test]
fn a_narrow_dictionary_of_a_parquet_file_is_read_with_wider_indices() {
    // As arrow-rs writes it, and does not read it.
    let values: Vec<_> = (0..200).map(|it| format!("v{it}")).collect();
    let part = |values: &[String]| {
        let array: DictionaryArray<Int8Type> = values.iter().map(|it| Some(&**it)).collect();
        columns([("d", Arc::new(array) as ArrayRef)])
    };
    let parts = [part(&values[..100]), part(&values[100..])];
    let mut writer = ArrowWriter::try_new(Vec::new(), parts[0].schema(), None).unwrap();
    parts.iter().for_each(|it| writer.write(it).unwrap());
    let bytes = writer.into_inner().unwrap();
    let rows = batches(Parquet, bytes, ReadOptions::default(), 1_000).unwrap();
    let expected: String = values.iter().map(|it| format!("{{\"d\":\"{it}\"}}\n")).collect();
    assert_eq!(text(Ndjson, &rows), expected);
}

#[test]
fn metadata_keys_of_a_parquet_file_stay_where_other_readers_look_for_them() {
    let schema = Schema::new_with_metadata(
        vec![Field::new("g", DataType::Int64, true)],
        HashMap::from([("geo".to_owned(), "{\"version\":\"1.1.0\"}".to_owned())]),
    );
    let array = Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let batch = RecordBatch::try_new(Arc::new(schema), vec![array]).unwrap();
    let bytes = bytes(Parquet, &table(&batch, 9)).unwrap();
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let keys = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let found: Vec<_> =
        keys.iter().filter(|it| it.key == "geo").map(|it| it.value.as_deref()).collect();
    assert_eq!(found, [Some("{\"version\":\"1.1.0\"}")]);
}

#[test]
fn uuid_and_json_columns_keep_their_types() {
    let rows = file("logical-types.parquet", Parquet);
    let reader = SerializedFileReader::new(Bytes::from(bytes(Parquet, &rows).unwrap())).unwrap();
    let columns = reader.metadata().file_metadata().schema_descr();
    let logical = |at: usize| columns.column(at).logical_type_ref().cloned();
    assert_eq!(logical(1), Some(LogicalType::Uuid));
    assert_eq!(logical(2), Some(LogicalType::Json));
    for format in [Parquet, Arrow, Arrows] {
        let batch = read_back(format, bytes(format, &rows).unwrap());
        let extension =
            |at: usize| batch.schema().field(at).extension_type_name().map(str::to_owned);
        assert_eq!(extension(1).as_deref(), Some("arrow.uuid"), "{format}");
        assert_eq!(extension(2).as_deref(), Some("arrow.json"), "{format}");
    }
    let first = text(Ndjson, &rows);
    let begin = r#"{"user_id":"u1","uuid":"00000000-0000-0000-0000-000000000005","json":{"a": 1},"#;
    assert!(first.starts_with(begin), "{first}");
}

#[test]
fn a_uuid_is_projected_as_text() {
    let rows = &file("logical-types.parquet", Parquet)[0];
    let shown = rows.project(&[beamlet_formats::Field::required("uuid")]).unwrap();
    assert_eq!(shown.column(0).as_string::<i32>().value(0), "00000000-0000-0000-0000-000000000005");
}

#[test]
fn a_type_that_parquet_does_not_have_names_the_field_and_the_type() {
    assert_snapshot!(bytes(Parquet, &file("union.arrow", Arrow)).unwrap_err(), @r#"out: field "u" has the type Union(Sparse, 0: ("0": Int64), 1: ("1": Utf8)), which parquet cannot hold; write arrow instead, or convert the field"#);
    let nested = StructArray::new_empty_fields(1, None);
    let list = FixedSizeListArray::new(
        Arc::new(Field::new("item", nested.data_type().clone(), true)),
        1,
        Arc::new(nested),
        None,
    );
    let rows = table(&columns([("l", Arc::new(list) as ArrayRef)]), 9);
    assert_snapshot!(bytes(Parquet, &rows).unwrap_err(), @r#"out: field "l.item" has the type Struct(), which parquet cannot hold; write arrow instead, or convert the field"#);
}

#[test]
fn seconds_and_days_in_milliseconds_are_written_as_types_that_parquet_has() {
    let batch = columns([
        ("t", Arc::new(TimestampSecondArray::from(vec![1]).with_timezone("+02:00")) as ArrayRef),
        ("time", Arc::new(Time32SecondArray::from(vec![2]))),
        ("date", Arc::new(Date64Array::from(vec![86_400_000]))),
    ]);
    let found = read_back(Parquet, bytes(Parquet, &table(&batch, 9)).unwrap());
    let types: Vec<_> = found.schema().fields().iter().map(|it| it.data_type().clone()).collect();
    assert_eq!(
        types,
        [
            DataType::Timestamp(TimeUnit::Millisecond, Some("+02:00".into())),
            DataType::Time32(TimeUnit::Millisecond),
            DataType::Date32,
        ]
    );
}

#[test]
fn a_value_that_does_not_fit_parquet_s_type_names_row_and_field() {
    let batch =
        columns([("t", Arc::new(TimestampSecondArray::from(vec![0, i64::MAX / 10])) as ArrayRef)]);
    assert_snapshot!(bytes(Parquet, &table(&batch, 9)).unwrap_err(), @r#"rows.arrows:row 2: field "t" cannot be written: its Timestamp(s) is out of range as the Timestamp(ms) that parquet has for it"#);
    let batch = columns([("d", Arc::new(Date64Array::from(vec![1])) as ArrayRef)]);
    assert_snapshot!(bytes(Parquet, &table(&batch, 9)).unwrap_err(), @r#"rows.arrows:row 1: field "d" cannot be written: its Date64 is out of range as the Date32 that parquet has for it"#);
}

#[test]
fn json_in_parquet_that_is_not_utf8_is_an_error() {
    let message = "message m { required binary good (UTF8); required binary j (JSON); }";
    let schema = Arc::new(parse_message_type(message).unwrap());
    let mut out = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut out, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for value in [&b"{}"[..], b"\"\xff\""] {
        let mut column = group.next_column().unwrap().unwrap();
        let values = [ByteArray::from(value.to_vec())];
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    let error =
        all(Source::stream("f.parquet", Cursor::new(out)), Parquet).unwrap_err().to_string();
    assert_snapshot!(error, @r#"f.parquet: is not valid parquet data: field "j": Invalid UTF8 sequence at string index 0 (0..3): invalid utf-8 sequence of 1 bytes from index 1; write it again, or use another format"#);
}

/// Arrow IPC of one column, with another number of four bytes at a place.
fn damaged(batch: &RecordBatch, format: Format, at: impl Fn(&[u8]) -> usize, value: u32) -> String {
    let mut bytes = bytes(format, &table(batch, 10)).unwrap();
    let at = at(&bytes);
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    all(Source::stream("f", Cursor::new(bytes)), format).unwrap_err().to_string()
}

#[test]
fn arrow_data_that_declares_more_than_it_has_is_not_allocated() {
    let batch = columns([("n", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]);
    // The length of the footer stands in front of the last six bytes.
    let footer = damaged(&batch, Arrow, |bytes| bytes.len() - 10, 1 << 30);
    assert_snapshot!(footer, @"f: is not valid arrow data: its footer declares 1073741824 bytes, but the file has 634; write it again, or use another format");
    // The length of a message stands behind its mark.
    let second = |bytes: &[u8]| {
        let marks = bytes.windows(4).enumerate().filter(|(_, it)| *it == [0xff; 4]);
        marks.map(|(at, _)| at).nth(1).unwrap() + 4
    };
    let message = damaged(&batch, Arrows, second, 1 << 30);
    assert_snapshot!(message, @"f: is not valid arrows data: Io error: it ends within a message; get the complete data; write it again, or use another format");
}

#[test]
fn an_arrow_stream_that_is_cut_anywhere_within_a_message_is_an_error() {
    let batch = columns([("n", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]);
    let whole = bytes(Arrows, &table(&batch, 10)).unwrap();
    let marks = whole.windows(4).enumerate().filter(|(_, it)| *it == [0xff; 4]);
    // The schema, the batch, and the mark of the end, which need not be there.
    let starts: Vec<usize> = marks.map(|(at, _)| at).collect();
    assert_eq!(starts.len(), 3);
    for length in starts[0] + 1..whole.len() {
        let cut = all(Source::stream("f", Cursor::new(whole[..length].to_vec())), Arrows);
        assert_eq!(cut.is_ok(), starts[1..].contains(&length), "{length} of {}", whole.len());
    }
}

/// The file is pyarrow's.
#[test]
fn a_column_that_is_compressed_with_brotli_is_named() {
    let error = all(Source::path(data("brotli.parquet")), Parquet).unwrap_err().to_string();
    let error = error.replace(env!("CARGO_MANIFEST_DIR"), ".");
    assert_snapshot!(error, @r#"./tests/data/brotli.parquet: field "amount" is compressed with Brotli, which cannot be read; write the file again with zstd, snappy, gzip or lz4"#);
}
