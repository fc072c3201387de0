//! The writer: rows and their feature columns come in, one file goes out. Each format is a file of
//! this folder; own fields stand first, features after them, and an own field wins over a feature
//! of its name (Beam's `cross_join`).

mod csv;
mod feature;
mod features;
mod json;
mod ndjson;

use std::fmt;

use arrow_array::RecordBatch;

use self::feature::Feature;
use self::features::Features;
use crate::rows::Body;
use crate::target::Output;
use crate::{Format, Rows, RowsError, Target};

pub use self::features::{DECIMAL, TYPE_KEY};

/// How to write an output.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// CSV: the cell that stands for null, of own fields and features alike. Default: the empty
    /// cell. A string that equals it reads back as null.
    pub null: String,
}

/// What a finished writer wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows, without a CSV header.
    pub rows: u64,
    /// Bytes, with the header.
    pub bytes: u64,
}

/// Writes batches of rows, in the order in which they come. Memory: the text of one batch.
///
/// A file gets its name in [`finish`](Self::finish); a writer that is dropped before leaves nothing
/// behind, and a file of that name as it was.
pub struct Writer {
    output: Output,
    format: Box<dyn Write + Send>,
    features: Features,
    text: Vec<u8>,
    written: Written,
}

/// What a format does for the writer.
trait Write {
    /// Appends the text of `rows` to `out`. Documents are checked before.
    fn write(
        &mut self,
        rows: &Rows,
        features: &[Feature<'_>],
        out: &mut Vec<u8>,
    ) -> Result<(), RowsError>;
}

impl Writer {
    /// Opens `target`.
    ///
    /// # Errors
    /// The target's directory does not exist, or the file cannot be created in it.
    pub fn create(
        target: Target,
        format: Format,
        options: WriteOptions,
    ) -> Result<Self, RowsError> {
        let format: Box<dyn Write + Send> = match format {
            Format::Ndjson => Box::new(ndjson::Ndjson),
            Format::Csv => Box::new(csv::Csv::new(options.null)),
        };
        let written = Written { rows: 0, bytes: 0 };
        Ok(Self {
            output: target.open()?,
            format,
            features: Features::default(),
            text: Vec::new(),
            written,
        })
    }

    /// Writes `rows`, each with the feature row of its position; `None` stands for no columns.
    ///
    /// Every batch has the same feature columns with the same types; a column of strings that are
    /// all null goes with any type. The first batch gives a CSV file its header. In JSON text,
    /// timestamps stand as RFC 3339 in UTC, bytes as base64, decimals as strings, and a float that
    /// is no number as `"NaN"`, `"Infinity"` or `"-Infinity"`, as protobuf's JSON has it.
    ///
    /// # Errors
    /// A line that is no JSON object, if the rows were not projected; an own field for which CSV
    /// has no column, or, on the way from CSV to NDJSON, a cell that does not have its column's
    /// type; feature columns that do not go with the rows or with the batches before; the output
    /// cannot be written. Nothing of the batch is written then, unless the output is at fault.
    pub fn write(&mut self, rows: &Rows, features: Option<&RecordBatch>) -> Result<(), RowsError> {
        if let Body::Documents(documents) = &rows.body {
            documents.check(|row| rows.origin(row))?;
        }
        let features = self.features.admit(rows, features)?;
        self.text.clear();
        self.format.write(rows, &features, &mut self.text)?;
        self.output.write(&self.text)?;
        self.written.rows += rows.len() as u64;
        self.written.bytes += self.text.len() as u64;
        Ok(())
    }

    /// Writes what is left and puts a file under its name.
    ///
    /// # Errors
    /// The output cannot be written or named.
    pub fn finish(self) -> Result<Written, RowsError> {
        self.output.finish()?;
        Ok(self.written)
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("written", &self.written).finish_non_exhaustive()
    }
}
