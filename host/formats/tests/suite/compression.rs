//! Compressed inputs and outputs: all members are read, and truncated data is rejected.

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
fn the_extension_sets_the_compression_of_a_file() {
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
fn an_option_sets_the_compression_of_a_stream() {
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
fn every_member_of_a_gzip_file_is_read() {
    for compression in [Compression::Gzip, Compression::Zstd] {
        let two = [packed("{}\n{", compression), packed("}\n{}\n", compression)].concat();
        assert_eq!(read(Source::stream("two", Cursor::new(two)), Some(compression)).unwrap(), 3);
    }
}

#[test]
fn the_error_for_truncated_data_names_the_file() {
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
fn the_error_for_uncompressed_data_names_the_file() {
    let read = |compression| {
        read(Source::stream("rows", TEXT.as_bytes()), Some(compression)).unwrap_err().to_string()
    };
    assert_snapshot!(read(Compression::Gzip), @"rows:1: cannot be read: it is not valid gzip data: invalid gzip header");
    assert_snapshot!(read(Compression::Zstd), @"rows:1: cannot be read: it is not valid zstd data: Unknown frame descriptor");
}

#[test]
fn an_unfinished_compressed_stream_is_visibly_incomplete() {
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
fn an_unfinished_compressed_file_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    drop(write(&directory.path().join("rows.ndjson.gz"), Ndjson));
    drop(write(&directory.path().join("rows.ndjson.zst"), Ndjson));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_format_that_compresses_itself_cannot_be_compressed_again() {
    let options = ReadOptions { compression: Some(Compression::Gzip), ..ReadOptions::default() };
    let error = Reader::open(Source::path("rows.parquet"), Format::Parquet, options).unwrap_err();
    assert_snapshot!(error, @"rows.parquet: parquet compresses its data itself; leave out gzip");
    let error =
        Writer::create(Target::path("rows.arrow.zst"), Format::Arrow, WriteOptions::default())
            .unwrap_err();
    assert_snapshot!(error, @"rows.arrow.zst: arrow compresses its data itself; leave out zstd");
}

#[test]
fn compressed_data_is_detected_whatever_its_name() {
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
fn zeros_after_the_last_member_are_ignored() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/padded.ndjson.gz");
    assert_eq!(read(Source::path(path), None).unwrap(), 2);
    // As `cat` makes it of two padded files.
    let padded = [packed(TEXT, Compression::Gzip), vec![0; 300_000]].concat().repeat(2);
    assert_eq!(read(Source::stream("two", Cursor::new(padded)), None).unwrap(), 4);
}

#[test]
fn other_data_after_the_last_member_is_an_error() {
    let bytes = [packed(TEXT, Compression::Gzip), b"\0\0{}\n".to_vec()].concat();
    let error = read(Source::stream("rows", Cursor::new(bytes)), None).unwrap_err();
    assert_snapshot!(error, @"rows:3: cannot be read: it is not valid gzip data: data that is not gzip follows its last member");
}

#[test]
fn the_error_for_a_wrong_stated_compression_names_the_file() {
    let stream = Source::stream("rows", Cursor::new(packed(TEXT, Compression::Gzip)));
    let error = read(stream, Some(Compression::None)).unwrap_err();
    assert_snapshot!(error, @"rows:1: cannot be read: it is gzip data; use --compression gzip, or leave it out");
}
