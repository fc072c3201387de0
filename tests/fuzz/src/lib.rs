//! The functions that fuzzers call, one for each target. Each one panics if a promise is broken.
//!
//! As part of the tests, `tests/fuzz.rs` replays the corpus and mutates it for a while.
//! `libfuzzer/` has a program for each target, for `cargo xtask fuzz`.
#![allow(clippy::unwrap_used)] // a panic is how a fuzzer is answered

mod columnar;
mod config;
mod csv;
mod edge_body;
mod ndjson;
mod tecton_answer;

pub use self::columnar::{arrow, arrows, parquet};
pub use self::config::config;
pub use self::csv::csv;
pub use self::edge_body::edge_body;
pub use self::ndjson::ndjson;
pub use self::tecton_answer::tecton_answer;

use beamlet_formats::{Format, ReadOptions, Reader, Rows, RowsError, Source};
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

/// A function that takes any input.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Target); 8] = [
    ("csv", csv),
    ("ndjson", ndjson),
    ("parquet", parquet),
    ("arrow", arrow),
    ("arrows", arrows),
    ("config", config),
    ("tecton_answer", tecton_answer),
    ("edge_body", edge_body),
];

/// Rows of a batch: few, so that small inputs make several.
const BATCH: usize = 3;

/// The longest row: short, so that small inputs reach it.
const LIMIT: usize = 1_000;

fn read(data: &[u8], format: Format, options: ReadOptions) -> Result<Vec<Rows>, RowsError> {
    let stream = Slow { data: data.to_vec(), at: 0 };
    let mut reader = Reader::open(Source::stream("input", stream), format, options)?;
    std::iter::from_fn(|| reader.next(BATCH).transpose()).collect()
}

/// An input that comes in pieces of several lengths.
struct Slow {
    data: Vec<u8>,
    at: usize,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.data[self.at..];
        let bytes = rest.len().min(1 + self.at % 61).min(buffer.len());
        buffer[..bytes].copy_from_slice(&rest[..bytes]);
        self.at += bytes;
        Ok(bytes)
    }
}

/// A sink that can be read.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn bytes(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The rows in another format.
fn written(rows: &[Rows], format: Format, set_aside: bool) -> Result<Vec<u8>, RowsError> {
    let sink = Sink::default();
    let target = beamlet_formats::Target::stream("output", sink.clone());
    let options = beamlet_formats::WriteOptions { set_aside, ..Default::default() };
    let mut writer = beamlet_formats::Writer::create(target, format, options)?;
    for rows in rows {
        writer.write(rows, None)?;
    }
    let taken: u64 = rows.iter().map(|it| it.len() as u64).sum();
    writer.settle()?;
    let aside = writer.take_set_aside().len() as u64;
    assert_eq!(writer.finish()?.rows + aside, taken, "each row is written or set aside");
    Ok(sink.bytes())
}
