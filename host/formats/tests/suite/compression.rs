//! Packed inputs and outputs: all members are read, and what is not whole is refused.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use crate::support;
use beamlet_formats::Format::{Csv, Ndjson};
use beamlet_formats::{
    Compression, Format, ReadOptions, Reader, RowsError, Source, Target, WriteOptions, Writer,
};
use insta::assert_snapshot;

const TEXT: &str = "{\"a\":1}\n{\"a\":2}\n";

fn packed(text: &str, compression: Compression) -> Vec<u8> {
    match compression {
        Compression::None => text.as_bytes().to_vec(),
        Compression::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => zstd::encode_all(text.as_bytes(), 3).unwrap(),
    }
}

fn unpacked(bytes: &[u8], compression: Compression) -> String {
    let mut text = String::new();
    match compression {
        Compression::None => text.push_str(str::from_utf8(bytes).unwrap()),
        Compression::Gzip => {
            flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
        }
        Compression::Zstd => text = String::from_utf8(zstd::decode_all(bytes).unwrap()).unwrap(),
    }
    text
}

fn read(source: Source, compression: Option<Compression>) -> Result<usize, RowsError> {
    let options = ReadOptions { compression, ..ReadOptions::default() };
    let mut reader = Reader::open(source, Ndjson, options)?;
    let mut count = 0;
    while let Some(rows) = reader.next(1)? {
        count += rows.len();
    }
    Ok(count)
}

fn write(path: &Path, format: Format) -> Writer {
    let mut writer = Writer::create(Target::path(path), format, WriteOptions::default()).unwrap();
    writer.write(&support::rows(Ndjson, TEXT), None).unwrap();
    writer
}

#[test]
fn the_extension_says_how_a_file_is_packed() {
    let directory = tempfile::tempdir().unwrap();
    for (name, compression) in [
        ("rows.ndjson", Compression::None),
        ("rows.ndjson.gz", Compression::Gzip),
        ("rows.ndjson.zst", Compression::Zstd),
    ] {
        let path = directory.path().join(name);
        let written = write(&path, Ndjson).finish().unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(written.bytes, bytes.len() as u64);
        assert_eq!(unpacked(&bytes, compression), TEXT);
        assert_eq!(read(Source::path(&path), None).unwrap(), 2);
        assert_eq!(Source::path(&path).format().unwrap(), Some(Ndjson));
    }
}

#[test]
fn an_option_says_how_a_stream_is_packed() {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let source = Source::stream("stdin", Cursor::new(packed(TEXT, compression)));
        assert_eq!(read(source, Some(compression)).unwrap(), 2);

        let sink = support::Shared::default();
        let options = WriteOptions { compression: Some(compression), ..WriteOptions::default() };
        let mut writer =
            Writer::create(Target::stream("stdout", sink.clone()), Csv, options).unwrap();
        writer.write(&support::rows(Ndjson, TEXT), None).unwrap();
        writer.finish().unwrap();
        assert_eq!(unpacked(&sink.bytes(), compression), "a\n1\n2\n");
    }
}

#[test]
fn every_member_is_read() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let two = [packed("{}\n{", compression), packed("}\n{}\n", compression)].concat();
        assert_eq!(read(Source::stream("two", Cursor::new(two)), Some(compression)).unwrap(), 3);
    }
}

#[test]
fn what_is_truncated_is_an_error_that_names_the_file() {
    let text: String =
        (0..10_000).map(|it| format!("{{\"a\":{}}}\n", it * 7919 % 10_007)).collect();
    let directory = tempfile::tempdir().unwrap();
    let mut messages = String::new();
    for (name, compression) in
        [("a.ndjson.gz", Compression::Gzip), ("a.ndjson.zst", Compression::Zstd)]
    {
        let (bytes, path) = (packed(&text, compression), directory.path().join(name));
        for length in [0, 5, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).unwrap();
            let error = read(Source::path(&path), None).unwrap_err().to_string();
            assert!(error.starts_with(path.to_str().unwrap()), "{error}");
            assert!(error.contains("is truncated; get the whole file"), "{length}: {error}");
            messages = error.replace(path.parent().unwrap().to_str().unwrap(), "") + "\n";
        }
    }
    assert_snapshot!(messages, @"/a.ndjson.zst:1: cannot be read: its zstd data is truncated; get the whole file");
}

#[test]
fn what_is_not_packed_at_all_is_an_error_that_names_the_file() {
    let read = |compression| {
        read(Source::stream("rows", TEXT.as_bytes()), Some(compression)).unwrap_err().to_string()
    };
    assert_snapshot!(read(Compression::Gzip), @"rows:1: cannot be read: it is no sound gzip data: invalid gzip header");
    assert_snapshot!(read(Compression::Zstd), @"rows:1: cannot be read: it is no sound zstd data: Unknown frame descriptor");
}

#[test]
fn a_packed_output_that_is_not_finished_does_not_pass_for_complete() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let sink = support::Shared::default();
        let options = WriteOptions { compression: Some(compression), ..WriteOptions::default() };
        let mut writer =
            Writer::create(Target::stream("stdout", sink.clone()), Ndjson, options).unwrap();
        writer.write(&support::rows(Ndjson, TEXT), None).unwrap();
        drop(writer);
        let source = Source::stream("stdin", Cursor::new(sink.bytes()));
        assert!(read(source, Some(compression)).is_err());
    }
}

#[test]
fn a_packed_file_that_is_not_finished_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    drop(write(&directory.path().join("rows.ndjson.gz"), Ndjson));
    drop(write(&directory.path().join("rows.ndjson.zst"), Ndjson));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_format_that_is_packed_inside_is_not_packed_again() {
    let options = ReadOptions { compression: Some(Compression::Gzip), ..ReadOptions::default() };
    let error = Reader::open(Source::path("rows.parquet"), Format::Parquet, options).unwrap_err();
    assert_snapshot!(error, @"rows.parquet: parquet is compressed inside; leave gzip away");
    let error =
        Writer::create(Target::path("rows.arrow.zst"), Format::Arrow, WriteOptions::default())
            .unwrap_err();
    assert_snapshot!(error, @"rows.arrow.zst: arrow is compressed inside; leave zstd away");
}

#[test]
fn packed_data_is_read_whatever_its_name() {
    let directory = tempfile::tempdir().unwrap();
    for compression in [Compression::Gzip, Compression::Zstd] {
        for name in ["rows.ndjson", "rows.ndjson.gz", "rows.ndjson.zst"] {
            let path = directory.path().join(name);
            fs::write(&path, packed(TEXT, compression)).unwrap();
            assert_eq!(read(Source::path(&path), None).unwrap(), 2, "{compression:?} {name}");
        }
        let slow = support::Slow::new(packed(TEXT, compression), 1);
        assert_eq!(read(Source::stream("stdin", slow), None).unwrap(), 2);
    }
}

#[test]
fn zeros_behind_the_last_member_are_no_data() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/padded.ndjson.gz");
    assert_eq!(read(Source::path(path), None).unwrap(), 2);
    // As `cat` makes it of two padded files.
    let padded = [packed(TEXT, Compression::Gzip), vec![0; 300_000]].concat().repeat(2);
    assert_eq!(read(Source::stream("two", Cursor::new(padded)), None).unwrap(), 4);
}

#[test]
fn other_data_behind_the_last_member_is_an_error() {
    let bytes = [packed(TEXT, Compression::Gzip), b"\0\0{}\n".to_vec()].concat();
    let error = read(Source::stream("rows", Cursor::new(bytes)), None).unwrap_err();
    assert_snapshot!(error, @"rows:3: cannot be read: it is no sound gzip data: data that is not gzip follows its last member");
}

#[test]
fn a_stated_compression_that_the_data_does_not_have_is_an_error_that_says_what_it_is() {
    let stream = Source::stream("rows", Cursor::new(packed(TEXT, Compression::Gzip)));
    let error = read(stream, Some(Compression::None)).unwrap_err();
    assert_snapshot!(error, @"rows:1: cannot be read: it is gzip data; state --compression gzip, or no compression at all");
}
