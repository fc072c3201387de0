//! The reader: a file's text comes in, batches of rows go out. Each format is a file of this folder.

mod csv;
mod input;
mod ndjson;

use std::fmt;
use std::sync::Arc;

use self::input::Input;
use crate::{Format, Rows, RowsError, Source, ValueType};

/// A batch ends early when it holds this many bytes, so that long rows do not fill the memory.
const BATCH_BYTES: usize = 16 << 20;

/// The longest row that can be allowed: offsets into a batch are 32 bits wide.
const LONGEST_ROW: usize = 1 << 30;

/// How to read an input.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// CSV: the cell that stands for null, whole and exact. Default: the empty cell. With another
    /// marker the empty cell is an empty string.
    pub null: String,
    /// Fields whose type is stated rather than inferred. A value of another type is an error.
    pub types: Vec<(String, ValueType)>,
    /// The longest row in bytes; a longer one is an error. Default 64 MiB, at most 1 GiB.
    pub max_row_bytes: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { null: String::new(), types: Vec::new(), max_row_bytes: 64 << 20 }
    }
}

/// Reads an input as batches of rows, front to back. Memory: one batch and one buffer.
pub struct Reader {
    source: Arc<str>,
    format: Box<dyn Read + Send>,
}

/// What a format does for the reader.
trait Read {
    /// The next rows, at most `max_rows` and at least one; `None` at the end.
    fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError>;
}

impl Reader {
    /// Opens `source`. Of CSV the header is read at once.
    ///
    /// # Errors
    /// The source cannot be opened, or has a header that names no columns, names one twice, or
    /// lacks one with a stated type.
    pub fn open(source: Source, format: Format, options: ReadOptions) -> Result<Self, RowsError> {
        let (source, stream) = source.open()?;
        let limit = options.max_row_bytes.min(LONGEST_ROW);
        let input = Input::new(stream);
        let format: Box<dyn Read + Send> = match format {
            Format::Ndjson => Box::new(ndjson::Ndjson::new(source.clone(), input, limit, options)),
            Format::Csv => Box::new(csv::Csv::open(source.clone(), input, limit, options)?),
        };
        Ok(Self { source, format })
    }

    /// The next rows: up to `max_rows` (0 counts as 1), fewer at the end of the input or where
    /// they are very long; `None` after the last one. A CSV of nothing but a header gives one batch
    /// without rows. Blocks until they are there.
    ///
    /// # Errors
    /// The input cannot be read on, or a row in this batch is at fault. The reader is finished then.
    pub fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError> {
        self.format.next(max_rows.max(1))
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("source", &self.source).finish_non_exhaustive()
    }
}
