//! The writer joins feature columns to their rows and writes one output. Each format is a module of
//! this folder. Own fields come first, then features. If both have the same name, the own field
//! wins (Beam's `cross_join`), unless the options say otherwise.

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
    /// CSV: the cell that means null, for own fields and features. Default: the empty cell. A
    /// string equal to it reads back as null.
    pub null: String,
    /// CSV: the delimiter between two cells. Default: the comma.
    pub delimiter: Delimiter,
    /// What happens to a feature with the same name as a field of the row.
    pub on_conflict: OnConflict,
    /// NDJSON and CSV: how to compress the output. Default: as the target's extension says; a
    /// stream is not compressed.
    pub compression: Option<Compression>,
    /// Whether a row that cannot be written goes to [`Writer::take_set_aside`] instead of failing
    /// its batch. Default: no.
    pub set_aside: bool,
    /// The features and their types, if they are known, as for [`Writer::declare`].
    pub features: Option<Vec<(String, String)>>,
}

/// What a writer has written when it is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The number of rows, without a CSV header.
    pub rows: u64,
    /// The bytes of the output, compressed, with the header.
    pub bytes: u64,
}

/// Writes batches of rows in their order. Memory: the text of one batch; for Parquet a row group of
/// up to 64 MiB; for Parquet and Arrow also the pending rows.
///
/// A file gets its name in [`finish`](Self::finish). A writer that is dropped before that leaves
/// nothing behind and does not change an existing file.
pub struct Writer {
    output: Output,
    format: Box<dyn Write + Send>,
    features: Known,
    text: Vec<u8>,
    aside: Aside,
    /// The number of rows accepted, including those that are pending or set aside.
    taken: u64,
}

/// What a format implements for the writer.
trait Write {
    /// Appends the text of `rows` to `out`. Documents are already checked.
    fn write(
        &mut self,
        rows: &Rows,
        features: Features,
        out: &mut Vec<u8>,
        aside: &mut Aside,
    ) -> Result<(), RowsError>;

    /// The number of rows that wait for the schema.
    fn pending(&self) -> usize {
        0
    }

    /// Appends the pending rows.
    fn settle(
        &mut self,
        _declared: &[Field],
        _out: &mut Vec<u8>,
        _aside: &mut Aside,
    ) -> Result<(), RowsError> {
        Ok(())
    }

    /// Appends the end of the file, after all rows are written.
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

    /// Declares the features, in the order in which they are written: their names, and their types
    /// as a handler declares them (`boolean`, `int8` to `int64`, `float32`, `float64`, `string`,
    /// `bytes`, `date`, `timestamp`, `decimal`, `json`, `array<T>`, `struct<name: T, …>`,
    /// `map<string, T>`). Call it before the first batch.
    ///
    /// With a declaration, the schema of a Parquet or Arrow output and the header of a CSV output
    /// are known before the first row. A batch may omit a column, which is then null. A feature
    /// that comes with another type is converted if that is exact. A decimal is text, marked
    /// [`DECIMAL`](beamlet_contract::arrow::DECIMAL).
    ///
    /// # Errors
    /// A type is unknown and the format is Parquet or Arrow. Text formats accept any type.
    pub fn declare(&mut self, features: Vec<(String, String)>) -> Result<(), RowsError> {
        self.features.declare(features)
    }

    /// Writes `rows`, each with the feature row at the same position. With `None`, the rows are
    /// written without features: documents as they are, rows of a table with nulls in the feature
    /// columns.
    ///
    /// Every batch must have the same feature columns with the same types. A string column with
    /// only nulls matches any type. The first batch defines the header of a CSV file. In JSON,
    /// timestamps are RFC 3339 in UTC, bytes are base64, decimals are strings, and floats that are
    /// not finite are `"NaN"`, `"Infinity"` or `"-Infinity"`, as in protobuf's JSON.
    ///
    /// Parquet and Arrow have one schema. Columns of Parquet and Arrow keep their types and
    /// metadata. CSV columns have the types of [`Rows::project`]. The fields of documents get their
    /// types from the first 1,000 rows, with JSON texts for arrays, objects and values of several
    /// types. While a field of documents or an undeclared feature has only nulls, rows are kept in
    /// memory, up to 10,000 rows or 32 MiB; then it becomes a string. A row without features has
    /// nulls in the feature columns or, with [`OnConflict::Right`], its own value if that has the
    /// feature's type.
    ///
    /// # Errors
    /// A line is not a JSON object (if the rows were not projected); CSV has no column for an own
    /// field; from CSV to NDJSON, a cell does not have its column's type; the feature columns do
    /// not match the rows or earlier batches; or the output cannot be written. Nothing of the batch
    /// is written then, unless writing the output itself failed.
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

    /// The number of rows written: those accepted, without those that are pending or were set
    /// aside.
    pub fn rows(&self) -> u64 {
        self.taken - self.format.pending() as u64 - self.aside.count()
    }

    /// Writes the pending rows, which fixes the schema of Parquet and Arrow.
    ///
    /// # Errors
    /// The same as for [`write`](Self::write).
    pub fn settle(&mut self) -> Result<(), RowsError> {
        self.text.clear();
        self.format.settle(&self.features.declared(), &mut self.text, &mut self.aside)?;
        self.output.write(&self.text)
    }

    /// Writes the pending rows and puts a file under its name. Rows that are set aside in this call
    /// are lost: call [`settle`](Self::settle) and take them first.
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
