//! The reader: a file's text comes in, batches of rows go out. Each format is a file of this folder.

mod columnar;
mod csv;
mod input;
mod ndjson;

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::format::Magic;
use crate::source::Part;
use crate::{Compression, Delimiter, Format, Patience, Rows, RowsError, Source, ValueType};

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
    /// CSV: what stands between two cells. Default: the comma.
    pub delimiter: Delimiter,
    /// Fields whose type is stated rather than inferred. A value of another type is an error.
    pub types: Vec<(String, ValueType)>,
    /// The longest row in bytes; a longer one is an error. Default 64 MiB, at most 1 GiB.
    pub max_row_bytes: usize,
    /// Arrow and Parquet: the most bytes that a batch or a page may say it has when it is unpacked;
    /// more is an error. Default 2 GiB.
    pub max_batch_bytes: u64,
    /// NDJSON and CSV: whether a row that alone is at fault comes with
    /// [`Rows::set_aside`](crate::Rows::set_aside), rather than as an error that ends the reader: it
    /// is not UTF-8, too long, has too few or too many cells, or text behind a quote. Default: no.
    pub set_aside: bool,
    /// NDJSON and CSV: how the input is packed. Default: as the first bytes of each part say, else as
    /// its extension does.
    pub compression: Option<Compression>,
    /// NDJSON and CSV from a pipe: how long rows that are read wait for others. Default: for ever.
    pub patience: Patience,
}

impl ReadOptions {
    fn limit(&self) -> usize {
        self.max_row_bytes.min(LONGEST_ROW)
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            null: String::new(),
            delimiter: Delimiter::default(),
            types: Vec::new(),
            max_row_bytes: 64 << 20,
            max_batch_bytes: 2 << 30,
            set_aside: false,
            compression: None,
            patience: Patience::default(),
        }
    }
}

/// Reads an input as batches of rows, front to back, one part after the other. Memory: one batch and
/// one buffer.
pub struct Reader {
    source: Arc<str>,
    parts: std::vec::IntoIter<Part>,
    format: Box<dyn Read + Send>,
    /// Whether a batch was handed out.
    begun: bool,
    patience: Patience,
}

/// What a format does for the reader.
trait Read {
    /// The next rows of the part, at most `max_rows` and at least one; `None` at its end.
    fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError>;

    /// Goes on with `part`, after the end of the one before.
    fn open(&mut self, part: Part) -> Result<(), RowsError>;

    /// A batch without rows, which is worth passing on where it names columns.
    fn empty(&self) -> Option<Rows>;
}

impl Reader {
    /// Opens `source`. What tells the columns, such as the header of CSV, is read at once. Further
    /// parts are opened when their turn comes.
    ///
    /// A part of Parquet, and one of an Arrow file, has to be read from any place: what is no file
    /// is first copied to a temporary one.
    ///
    /// # Errors
    /// The source has no parts, or parts of several formats; the first one cannot be opened, or has
    /// a header that names no columns, names one twice, or lacks one with a stated type.
    pub fn open(source: Source, format: Format, options: ReadOptions) -> Result<Self, RowsError> {
        Self::new(source, format, options, false)
    }

    /// Opens `source` as [`open`](Self::open) does, but a stream that begins as Parquet or Arrow
    /// data do is read as what it is. That is seen with the first rows.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn detect(
        source: Source,
        fallback: Format,
        options: ReadOptions,
    ) -> Result<Self, RowsError> {
        let detect = source.is_stream();
        Self::new(source, fallback, options, detect)
    }

    fn new(
        source: Source,
        format: Format,
        options: ReadOptions,
        detect: bool,
    ) -> Result<Self, RowsError> {
        let name = source.name().clone();
        let patience = options.patience.clone();
        let parts = source.parts(&patience)?;
        for part in &parts {
            format.check(part.compression(options.compression), part.name())?;
        }
        let mut parts = parts.into_iter();
        let first = parts.next().ok_or(RowsError::NoInput)?;
        let format: Box<dyn Read + Send> = if detect {
            Box::new(Detect::new(first, format, options))
        } else {
            format_reader(first, format, options)?
        };
        Ok(Self { source: name, parts, format, begun: false, patience })
    }

    /// The next rows: up to `max_rows` (0 counts as 1), fewer at the end of a part or where they are
    /// very long or the [`Patience`] is over; `None` after the last one, or when it is stopped. An
    /// input of nothing but a header or a schema gives one batch without rows, and so may rows that
    /// are all set aside. Blocks until they are there.
    ///
    /// # Errors
    /// The input cannot be read on, a row in this batch is at fault, or the next part has other
    /// columns. The reader is finished then.
    pub fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError> {
        loop {
            self.patience.reset();
            let rows = match self.format.next(max_rows.max(1)) {
                // It has not failed: it was not to read on.
                Err(error) if self.patience.has_refused() && is_unfinished(&error) => None,
                rows => rows?,
            };
            if let Some(rows) = rows {
                self.begun = true;
                return Ok(Some(rows));
            }
            if self.patience.is_stopped() {
                return Ok(None);
            }
            if let Some(part) = self.parts.next() {
                self.format.open(part)?;
                continue;
            }
            let rows = if self.begun { None } else { self.format.empty() };
            self.begun = true;
            return Ok(rows);
        }
    }
}

/// A stream whose format is not stated: its first bytes say whether it is Parquet or Arrow. They are
/// read with the first rows, so that opening a pipe does not wait.
struct Detect {
    /// There until the first rows are read.
    unread: Option<(Part, ReadOptions)>,
    fallback: Format,
    format: Option<Box<dyn Read + Send>>,
}

impl Detect {
    fn new(part: Part, fallback: Format, options: ReadOptions) -> Self {
        Self { unread: Some((part, options)), fallback, format: None }
    }
}

impl Read for Detect {
    fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError> {
        if let Some((mut part, options)) = self.unread.take() {
            let format = match part.magic()? {
                Some(Magic::Columnar(format)) => format,
                _ => self.fallback,
            };
            self.format = Some(format_reader(part, format, options)?);
        }
        self.format.as_mut().map_or(Ok(None), |format| format.next(max_rows))
    }

    fn open(&mut self, part: Part) -> Result<(), RowsError> {
        self.format.as_mut().map_or(Ok(()), |format| format.open(part))
    }

    fn empty(&self) -> Option<Rows> {
        self.format.as_ref().and_then(|format| format.empty())
    }
}

fn format_reader(
    part: Part,
    format: Format,
    options: ReadOptions,
) -> Result<Box<dyn Read + Send>, RowsError> {
    Ok(match format {
        Format::Ndjson => Box::new(ndjson::Ndjson::new(part, options)?),
        Format::Csv => Box::new(csv::Csv::new(part, options)?),
        Format::Parquet | Format::Arrow | Format::Arrows => {
            Box::new(columnar::Columnar::new(part, format, options)?)
        }
    })
}

/// Whether a read ended because the time was over, and there may be more.
fn is_late(error: &RowsError) -> bool {
    matches!(error, RowsError::Read { cause, .. } if cause.kind() == io::ErrorKind::WouldBlock)
}

/// Whether an error is but that there was no more to read.
fn is_unfinished(error: &RowsError) -> bool {
    match error {
        RowsError::Read { cause, .. }
        | RowsError::Open { cause, .. }
        | RowsError::Spool { cause, .. } => cause.kind() == io::ErrorKind::WouldBlock,
        RowsError::BadFile { .. } => true,
        _ => false,
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("source", &self.source).finish_non_exhaustive()
    }
}
