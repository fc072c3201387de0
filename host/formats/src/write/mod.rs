//! The writer: rows and their feature columns come in, one file goes out. Each format is a file of
//! this folder; own fields stand first, features after them, and of two with one name the own field
//! wins (Beam's `cross_join`) unless the options say otherwise.

mod aside;
mod columnar;
mod convert;
mod csv;
mod features;
mod ndjson;

use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::Field;

use self::aside::Aside;
use self::features::{Features, Known};
use crate::rows::Body;
use crate::target::Output;
use crate::{BadRow, Compression, Delimiter, Format, OnConflict, Rows, RowsError, Target};

/// How to write an output.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// CSV: the cell that stands for null, of own fields and features alike. Default: the empty
    /// cell. A string that equals it reads back as null.
    pub null: String,
    /// CSV: what stands between two cells. Default: the comma.
    pub delimiter: Delimiter,
    /// What happens to a feature whose name the row has itself.
    pub on_conflict: OnConflict,
    /// NDJSON and CSV: how to pack the output. Default: as the target's extension says, and a stream
    /// not at all.
    pub compression: Option<Compression>,
    /// Whether a row that alone cannot be written goes to [`Writer::take_set_aside`], rather than
    /// being an error of its batch. Default: no.
    pub set_aside: bool,
    /// The features that will come and their types, as [`Writer::declare`] takes them.
    pub features: Option<Vec<(String, String)>>,
}

/// What a finished writer wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows, without a CSV header.
    pub rows: u64,
    /// Bytes that reached the output, with the header, packed.
    pub bytes: u64,
}

/// Writes batches of rows, in the order in which they come. Memory: the text of one batch; for Parquet
/// a row group of up to 64 MiB, and for Parquet and Arrow the rows that are held back.
///
/// A file gets its name in [`finish`](Self::finish); a writer that is dropped before leaves nothing
/// behind, and a file of that name as it was.
pub struct Writer {
    output: Output,
    format: Box<dyn Write + Send>,
    features: Known,
    text: Vec<u8>,
    aside: Aside,
    /// Rows taken, those that are set aside or held back among them.
    taken: u64,
}

/// What a format does for the writer.
trait Write {
    /// Appends the text of `rows` to `out`. Documents are checked before.
    fn write(
        &mut self,
        rows: &Rows,
        features: Features,
        out: &mut Vec<u8>,
        aside: &mut Aside,
    ) -> Result<(), RowsError>;

    /// Rows that wait for their columns.
    fn pending(&self) -> usize {
        0
    }

    /// Appends the rows that wait.
    fn settle(
        &mut self,
        _declared: &[Field],
        _out: &mut Vec<u8>,
        _aside: &mut Aside,
    ) -> Result<(), RowsError> {
        Ok(())
    }

    /// Appends what stands behind the last row, once all are settled.
    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<(), RowsError> {
        Ok(())
    }
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
        let is_text = matches!(format, Format::Ndjson | Format::Csv);
        let compression = target.compression(options.compression);
        format.check(compression, target.name())?;
        let format: Box<dyn Write + Send> = match format {
            Format::Ndjson => Box::new(ndjson::Ndjson::new(options.on_conflict)),
            Format::Csv => {
                Box::new(csv::Csv::new(options.null, options.delimiter, options.on_conflict))
            }
            Format::Parquet | Format::Arrow | Format::Arrows => {
                let name = target.name().clone();
                Box::new(columnar::Columnar::new(name, format, options.on_conflict))
            }
        };
        let mut features = Known::new(is_text);
        if let Some(declared) = options.features {
            features.declare(declared)?;
        }
        let aside = Aside::new(options.set_aside);
        let (output, text) = (target.open(compression)?, Vec::new());
        Ok(Self { output, format, features, text, aside, taken: 0 })
    }

    /// Says which features come, in the order in which they are written: names, and types as a handler
    /// declares them (`boolean`, `int8` to `int64`, `float32`, `float64`, `string`, `bytes`, `date`,
    /// `timestamp`, `decimal`, `json`, `array<T>`, `struct<name: T, …>`, `map<string, T>`). To be
    /// called before the first batch.
    ///
    /// Then a Parquet or Arrow output has its schema from the first row, a CSV its whole header, and
    /// a batch may leave out a column, which is null. A feature that comes with another type is
    /// converted where that is exact. A decimal is text, marked [`DECIMAL`](beamlet_contract::arrow::DECIMAL).
    ///
    /// # Errors
    /// Parquet and Arrow: a type that is none. Text has no use for types, and takes any.
    pub fn declare(&mut self, features: Vec<(String, String)>) -> Result<(), RowsError> {
        self.features.declare(features)
    }

    /// Writes `rows`, each with the feature row of its position. `None` keeps the rows without
    /// features: documents as they are, rows of a table with nulls in the features' columns.
    ///
    /// Every batch of features has the same feature columns with the same types; a column of strings that are
    /// all null goes with any type. The first batch gives a CSV file its header. In JSON text,
    /// timestamps stand as RFC 3339 in UTC, bytes as base64, decimals as strings, and a float that
    /// is no number as `"NaN"`, `"Infinity"` or `"-Infinity"`, as protobuf's JSON has it.
    ///
    /// Parquet and Arrow have one schema. Columns of Parquet and Arrow keep their types and metadata,
    /// CSV columns have the types of [`Rows::project`], and documents those of the first 1,000 rows,
    /// with JSON texts for arrays, objects and values of several types. As long as a field of
    /// documents or a feature without a declaration had nothing but nulls, rows are held back: up to
    /// 10,000 of them or 32 MiB, then it is a string. A row without features has nulls there; under
    /// [`OnConflict::Right`] its own value, if that has the feature's type.
    ///
    /// # Errors
    /// A line that is no JSON object, if the rows were not projected; an own field for which CSV
    /// has no column, or, on the way from CSV to NDJSON, a cell that does not have its column's
    /// type; feature columns that do not go with the rows or with the batches before; the output
    /// cannot be written. Nothing of the batch is written then, unless the output is at fault.
    pub fn write(&mut self, rows: &Rows, features: Option<&RecordBatch>) -> Result<(), RowsError> {
        let features = self.features.admit(rows, features)?;
        self.taken += rows.len() as u64;
        self.text.clear();
        let check = |rows: &Rows| match &rows.body {
            Body::Documents(documents) => documents.check(|row| rows.origin(row)),
            _ => Ok(()),
        };
        match check(rows) {
            Ok(()) => self.format.write(rows, features, &mut self.text, &mut self.aside)?,
            Err(error) if self.aside.takes(&error) => {
                let good = self.aside.sift(rows, check);
                let (rows, features) = (rows.select(&good), features.select(&good)?);
                check(&rows)?;
                self.format.write(&rows, features, &mut self.text, &mut self.aside)?;
            }
            Err(error) => return Err(error),
        }
        self.output.write(&self.text)
    }

    /// The rows that were set aside since the last call.
    pub fn take_set_aside(&mut self) -> Vec<BadRow> {
        self.aside.take()
    }

    /// Rows written: those taken, less those that are held back or were set aside.
    pub fn rows(&self) -> u64 {
        self.taken - self.format.pending() as u64 - self.aside.count()
    }

    /// Writes the rows that are held back, which settles the columns of Parquet and Arrow.
    ///
    /// # Errors
    /// As of [`write`](Self::write).
    pub fn settle(&mut self) -> Result<(), RowsError> {
        self.text.clear();
        self.format.settle(&self.features.declared(), &mut self.text, &mut self.aside)?;
        self.output.write(&self.text)
    }

    /// Writes what is left and puts a file under its name. Rows that are set aside here are lost:
    /// [`settle`](Self::settle) and take them before.
    ///
    /// # Errors
    /// The output cannot be written or named.
    pub fn finish(mut self) -> Result<Written, RowsError> {
        self.settle()?;
        let rows = self.rows();
        let Self { mut output, mut format, mut text, .. } = self;
        text.clear();
        format.finish(&mut text)?;
        output.write(&text)?;
        Ok(Written { rows, bytes: output.finish()? })
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("taken", &self.taken).finish_non_exhaustive()
    }
}
