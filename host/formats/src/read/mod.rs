//! The reader turns an input into batches of rows. Each format is a module of this folder.

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

/// A batch ends early when it has this many bytes, so that long rows do not fill the memory.
const BATCH_BYTES: usize = 16 << 20;

/// The longest row that can be allowed: offsets into a batch are 32 bits wide.
const LONGEST_ROW: usize = 1 << 30;

/// How to read an input.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// CSV: the cell that means null, compared exactly. Default: the empty cell. With another
    /// marker, the empty cell is an empty string.
    pub null: String,
    /// CSV: the delimiter between two cells. Default: the comma.
    pub delimiter: Delimiter,
    /// Fields whose type is stated and not inferred. A value of another type is an error.
    pub types: Vec<(String, ValueType)>,
    /// The longest row in bytes; a longer one is an error. Default 64 MiB, at most 1 GiB.
    pub max_row_bytes: usize,
    /// Arrow and Parquet: the uncompressed size in bytes that a batch or a page may declare; more
    /// is an error. Default 2 GiB.
    pub max_batch_bytes: u64,
    /// NDJSON and CSV: whether a faulty row is returned in
    /// [`Rows::set_aside`](crate::Rows::set_aside) instead of ending the reader with an error. Such
    /// a row is not UTF-8, is too long, has too few or too many cells, or has text after a closing
    /// quote. Default: no.
    pub set_aside: bool,
    /// NDJSON and CSV: how the input is compressed. Default: what the first bytes of each part
    /// show, otherwise what its extension names.
    pub compression: Option<Compression>,
    /// NDJSON and CSV from a pipe: how long rows that were read wait for more rows. Default:
    /// without limit.
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

/// Reads an input as batches of rows, front to back, one part after another. Memory: one batch and
/// one buffer.
pub struct Reader {
    source: Arc<str>,
    parts: std::vec::IntoIter<Part>,
    format: Box<dyn Read + Send>,
    /// Whether a batch was handed out.
    begun: bool,
    patience: Patience,
}

/// What a format implements for the reader.
trait Read {
    /// The next rows of the part, at most `max_rows` and at least one; `None` at its end.
    fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError>;

    /// Goes on with `part`, after the end of the one before.
    fn open(&mut self, part: Part) -> Result<(), RowsError>;

    /// A batch without rows, for formats in which it names the columns.
    fn empty(&self) -> Option<Rows>;
}

impl Reader {
    /// Opens `source` and reads what names the columns, such as the header of CSV. Further parts
    /// are opened when they are needed.
    ///
    /// Parquet and Arrow files need random access. An input that is not a regular file is first
    /// copied to a temporary file.
    ///
    /// # Errors
    /// The source has no parts, or parts of several formats; the first one cannot be opened, or has
    /// a header that names no columns, names one twice, or lacks one with a stated type.
    pub fn open(source: Source, format: Format, options: ReadOptions) -> Result<Self, RowsError> {
        Self::new(source, format, options, false)
    }

    /// Opens `source` as [`open`](Self::open) does, but reads a stream as Parquet or Arrow if its
    /// first bytes show that it is. They are looked at when the first rows are read.
    ///
    /// # Errors
    /// The same as for [`open`](Self::open).
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

    /// The next rows, at most `max_rows` (0 counts as 1). There are fewer at the end of a part, if
    /// they are very long, or if the wait of [`Patience`] is over. `None` after the last row, or
    /// when the reader is stopped. An input with only a header or a schema gives one batch without
    /// rows, and so can rows that are all set aside. Blocks until rows are available.
    ///
    /// # Errors
    /// Reading fails, a row in this batch is faulty, or the next part has other columns. The reader
    /// is then finished.
    pub fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError> {
        loop {
            self.patience.reset();
            let rows = match self.format.next(max_rows.max(1)) {
                // The reader was stopped; the error only says that the input is incomplete.
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

/// Whether a read ended because the wait is over, although more data may come.
fn is_late(error: &RowsError) -> bool {
    matches!(error, RowsError::Read { cause, .. } if cause.kind() == io::ErrorKind::WouldBlock)
}

/// Whether an error only means that the input ends too early.
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
