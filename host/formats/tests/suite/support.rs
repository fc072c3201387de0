//! Helpers that make a case visible in three lines.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, RecordBatch};
use beamlet_formats::{
    Format, ReadOptions, Reader, Rows, RowsError, Source, Target, ValueType, WriteOptions, Writer,
};

/// `NA` is null, and these fields have stated types.
pub(crate) fn na(types: &[(&str, ValueType)]) -> ReadOptions {
    let types = types.iter().map(|(name, value_type)| ((*name).to_owned(), *value_type)).collect();
    ReadOptions { null: "NA".to_owned(), types, ..ReadOptions::default() }
}

pub(crate) fn name(format: Format) -> &'static str {
    match format {
        Format::Ndjson => "rows.ndjson",
        Format::Csv => "rows.csv",
        Format::Parquet => "rows.parquet",
        Format::Arrow => "rows.arrow",
        _ => "rows.arrows",
    }
}

pub(crate) fn reader(
    format: Format,
    text: impl Into<Vec<u8>>,
    options: ReadOptions,
) -> Result<Reader, RowsError> {
    let text = io::Cursor::new(text.into());
    Reader::open(Source::stream(name(format), text), format, options)
}

/// All rows in batches of `size`.
pub(crate) fn batches(
    format: Format,
    text: impl Into<Vec<u8>>,
    options: ReadOptions,
    size: usize,
) -> Result<Vec<Rows>, RowsError> {
    let mut reader = reader(format, text, options)?;
    std::iter::from_fn(|| reader.next(size).transpose()).collect()
}

/// All rows of a well-formed text in one batch; `NA` is null.
pub(crate) fn rows(format: Format, text: &str) -> Rows {
    let mut batches = batches(format, text, na(&[]), 1 << 20).unwrap();
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

/// What is written of `batches`; `NA` is null.
pub(crate) fn written(
    format: Format,
    batches: &[(Rows, Option<RecordBatch>)],
) -> Result<String, RowsError> {
    let options = WriteOptions { null: "NA".to_owned(), ..WriteOptions::default() };
    written_with(format, options, batches)
}

/// What is written of `batches` as `options` say.
pub(crate) fn written_with(
    format: Format,
    options: WriteOptions,
    batches: &[(Rows, Option<RecordBatch>)],
) -> Result<String, RowsError> {
    Ok(String::from_utf8(bytes_with(format, options, batches)?).unwrap())
}

/// The bytes that are written of `batches` as `options` say.
pub(crate) fn bytes_with(
    format: Format,
    options: WriteOptions,
    batches: &[(Rows, Option<RecordBatch>)],
) -> Result<Vec<u8>, RowsError> {
    let sink = Shared::default();
    let mut writer = Writer::create(Target::stream("out", sink.clone()), format, options)?;
    for (rows, features) in batches {
        writer.write(rows, features.as_ref())?;
    }
    let written = writer.finish()?;
    let bytes = sink.bytes();
    assert_eq!(written.bytes, bytes.len() as u64);
    assert_eq!(written.rows, batches.iter().map(|(rows, _)| rows.len() as u64).sum::<u64>());
    Ok(bytes)
}

/// The bytes of `batches` without features; `NA` is null.
pub(crate) fn bytes(format: Format, batches: &[Rows]) -> Result<Vec<u8>, RowsError> {
    let options = WriteOptions { null: "NA".to_owned(), ..WriteOptions::default() };
    let batches: Vec<_> = batches.iter().map(|rows| (rows.clone(), None)).collect();
    bytes_with(format, options, &batches)
}

/// An Arrow stream of `batch`.
pub(crate) fn stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// `batch` as rows in batches of `size`.
pub(crate) fn table(batch: &RecordBatch, size: usize) -> Vec<Rows> {
    batches(Format::Arrows, stream(batch), ReadOptions::default(), size).unwrap()
}

/// All of a Parquet or Arrow output as one batch.
pub(crate) fn read_back(format: Format, bytes: Vec<u8>) -> RecordBatch {
    let bytes = std::io::Cursor::new(bytes);
    let mut found = Vec::new();
    let schema = match format {
        Format::Parquet => {
            let bytes = bytes::Bytes::from(bytes.into_inner());
            let reader =
                parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes)
                    .unwrap();
            let schema = reader.schema().clone();
            found.extend(
                reader.build().unwrap().map(|it| it.unwrap().with_schema(schema.clone()).unwrap()),
            );
            schema
        }
        Format::Arrow => {
            let reader = arrow_ipc::reader::FileReader::try_new(bytes, None).unwrap();
            let schema = reader.schema();
            found.extend(reader.map(Result::unwrap));
            schema
        }
        _ => {
            let reader = arrow_ipc::reader::StreamReader::try_new(bytes, None).unwrap();
            let schema = reader.schema();
            found.extend(reader.map(Result::unwrap));
            schema
        }
    };
    arrow_select::concat::concat_batches(&schema, &found).unwrap()
}

pub(crate) fn columns<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// A sink whose text can be looked at afterwards.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A text that comes a few bytes at a time.
pub(crate) struct Slow {
    text: Vec<u8>,
    at: usize,
    size: usize,
}

impl Slow {
    pub(crate) fn new(text: impl Into<Vec<u8>>, size: usize) -> Self {
        Self { text: text.into(), at: 0, size }
    }
}

impl io::Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.text[self.at..];
        let bytes = rest.len().min(self.size).min(buffer.len());
        buffer[..bytes].copy_from_slice(&rest[..bytes]);
        self.at += bytes;
        Ok(bytes)
    }
}
