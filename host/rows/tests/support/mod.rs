//! Helpers that make a case visible in three lines.
#![allow(dead_code, unreachable_pub)] // each suite uses some of them

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, RecordBatch};
use beamlet_rows::{
    Format, ReadOptions, Reader, Rows, RowsError, Source, Target, ValueType, WriteOptions, Writer,
};

/// `NA` is null, and these fields have stated types.
pub fn na(types: &[(&str, ValueType)]) -> ReadOptions {
    let types = types.iter().map(|(name, value_type)| ((*name).to_owned(), *value_type)).collect();
    ReadOptions { null: "NA".to_owned(), types, ..ReadOptions::default() }
}

pub fn name(format: Format) -> &'static str {
    match format {
        Format::Csv => "rows.csv",
        _ => "rows.ndjson",
    }
}

pub fn reader(
    format: Format,
    text: impl Into<Vec<u8>>,
    options: ReadOptions,
) -> Result<Reader, RowsError> {
    let text = io::Cursor::new(text.into());
    Reader::open(Source::stream(name(format), text), format, options)
}

/// All rows in batches of `size`.
pub fn batches(
    format: Format,
    text: impl Into<Vec<u8>>,
    options: ReadOptions,
    size: usize,
) -> Result<Vec<Rows>, RowsError> {
    let mut reader = reader(format, text, options)?;
    std::iter::from_fn(|| reader.next(size).transpose()).collect()
}

/// All rows of a well-formed text in one batch; `NA` is null.
pub fn rows(format: Format, text: &str) -> Rows {
    let mut batches = batches(format, text, na(&[]), 1 << 20).unwrap();
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

/// What is written of `batches`; `NA` is null.
pub fn written(
    format: Format,
    batches: &[(Rows, Option<RecordBatch>)],
) -> Result<String, RowsError> {
    let sink = Shared::default();
    let options = WriteOptions { null: "NA".to_owned() };
    let mut writer = Writer::create(Target::stream("out", sink.clone()), format, options)?;
    for (rows, features) in batches {
        writer.write(rows, features.as_ref())?;
    }
    let written = writer.finish()?;
    let text = sink.text();
    assert_eq!(written.bytes, text.len() as u64);
    assert_eq!(written.rows, batches.iter().map(|(rows, _)| rows.len() as u64).sum::<u64>());
    Ok(text)
}

pub fn columns<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
        .unwrap()
}

/// A sink whose text can be looked at afterwards.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap()
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
