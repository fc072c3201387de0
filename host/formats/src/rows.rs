//! Rows of an input, passed from the reader to the handler and the writer.

use std::sync::Arc;

use arrow_array::RecordBatch;

use crate::document::Documents;
use crate::record::Records;
use crate::table::Table;
use crate::{BadRow, Field, Origin, Original, RowsError};

/// Consecutive rows of one input, as they are in the input. A clone shares the data.
///
/// ```text
/// Reader ──Rows──▶ project ──RecordBatch──▶ handler ──features──▶ Writer
///            └──────────────────────────────────────────────────────▲
/// ```
#[derive(Clone, Debug)]
pub struct Rows {
    source: Arc<str>,
    pub(crate) body: Body,
    set_aside: Arc<[BadRow]>,
}

/// How the rows are stored: as close to the input as the format allows, because a row's own fields
/// are written as they were read.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Documents(Documents),
    Records(Records),
    Table(Table),
}

impl Rows {
    pub(crate) fn new(source: Arc<str>, body: Body) -> Self {
        Self { source, body, set_aside: Arc::default() }
    }

    /// Adds faulty rows that were read between these.
    pub(crate) fn with_set_aside(self, rows: Vec<BadRow>) -> Self {
        Self { set_aside: rows.into(), ..self }
    }

    /// The faulty rows that were read between these; see
    /// [`ReadOptions::set_aside`](crate::ReadOptions::set_aside). No other function counts them,
    /// and a [selection](Self::select) drops them.
    pub fn set_aside(&self) -> &[BadRow] {
        &self.set_aside
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match &self.body {
            Body::Documents(documents) => documents.len(),
            Body::Records(records) => records.len(),
            Body::Table(table) => table.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the row at position `row` is in its input.
    ///
    /// # Panics
    /// If `row` is not less than [`len`](Self::len).
    pub fn origin(&self, row: usize) -> Origin {
        match &self.body {
            Body::Documents(documents) => documents.origin(&self.source, row),
            Body::Records(records) => Origin::line(self.source.clone(), records.line(row)),
            Body::Table(table) => Origin::row(self.source.clone(), table.number(row)),
        }
    }

    /// The place of the first row, for errors that concern all rows.
    pub(crate) fn place(&self) -> Origin {
        if !self.is_empty() {
            return self.origin(0);
        }
        match &self.body {
            Body::Records(records) => records.header().origin().clone(),
            Body::Documents(_) => Origin::line(self.source.clone(), 1),
            Body::Table(_) => Origin::row(self.source.clone(), 1),
        }
    }

    /// The approximate size of the rows in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.body {
            Body::Documents(documents) => documents.bytes(),
            Body::Records(records) => records.bytes(),
            Body::Table(table) => table.batch().get_array_memory_size(),
        }
    }

    pub(crate) fn source(&self) -> &Arc<str> {
        &self.source
    }

    /// The rows at the positions `keep` only, with their origins. Shares the data.
    ///
    /// # Panics
    /// If the positions do not ascend, or one is not less than [`len`](Self::len).
    pub fn select(&self, keep: &[usize]) -> Self {
        let body = match &self.body {
            Body::Documents(documents) => Body::Documents(documents.select(keep)),
            Body::Records(records) => Body::Records(records.select(keep)),
            Body::Table(table) => Body::Table(table.select(keep)),
        };
        Self::new(self.source.clone(), body)
    }

    /// The line of an NDJSON row, even if it is not valid JSON; `None` for the other formats.
    ///
    /// # Panics
    /// If `row` is not less than [`len`](Self::len).
    pub fn text(&self, row: usize) -> Option<&str> {
        match &self.body {
            Body::Documents(documents) => Some(documents.text(row)),
            Body::Records(_) | Body::Table(_) => None,
        }
    }

    /// Appends one row to `out` as a JSON object without a line end. An NDJSON row is copied, the
    /// cells of a CSV row get the types of their columns, and columns of Parquet and Arrow are
    /// written as in the NDJSON writer. Faulty rows are possible: a cell that does not have its
    /// column's type is written as a string, and a value of Parquet or Arrow without a JSON form as
    /// null.
    ///
    /// # Errors
    /// The line is not a JSON object. Nothing is appended then.
    ///
    /// # Panics
    /// If `row` is not less than [`len`](Self::len).
    pub fn json(&self, row: usize, out: &mut Vec<u8>) -> Result<(), RowsError> {
        match &self.body {
            Body::Documents(documents) => {
                documents.check_row(row, || self.origin(row))?;
                out.extend_from_slice(documents.text(row).as_bytes());
            }
            Body::Records(records) => records.json(row, out),
            Body::Table(table) => table.json(row, out),
        }
        Ok(())
    }

    /// The row at position `row`, set aside because `error` prevents writing it.
    pub(crate) fn bad_row(&self, row: usize, error: RowsError) -> BadRow {
        let mut json = Vec::new();
        let original = match (self.json(row, &mut json), String::from_utf8(json)) {
            (Ok(()), Ok(json)) => Original::Json(json),
            _ => Original::Text(self.text(row).unwrap_or_default().to_owned()),
        };
        BadRow { error, origin: self.origin(row), original }
    }

    /// Reads the columns of `fields`, in their order. All of them are nullable.
    ///
    /// The type of a column depends on the format. CSV: the stated type, or string, int64, float64
    /// or boolean as inferred from the file's first rows. NDJSON: the stated type; otherwise the
    /// type that all values in these rows share (strings, integers within `i64`, numbers that a
    /// double holds, booleans); otherwise one JSON text for each value, marked with the Arrow
    /// extension type `arrow.json`. A column with only nulls is a string column. Parquet and Arrow:
    /// the type of the column, if the contract has it; otherwise one that holds every value
    /// exactly: wider integers and floats, microseconds, text for decimals (marked
    /// [`DECIMAL`](beamlet_contract::arrow::DECIMAL)) and times of day, one JSON text for each
    /// value of a nested type. If a document has a key twice, the last value counts.
    ///
    /// # Errors
    /// A line is not a JSON object (checked even if `fields` is empty), a required field is
    /// missing, or a value does not have the field's type or cannot be converted exactly.
    pub fn project(&self, fields: &[Field]) -> Result<RecordBatch, RowsError> {
        for (position, field) in fields.iter().enumerate() {
            if fields[..position].iter().any(|before| before.name == field.name) {
                return Err(RowsError::ProjectedTwice { field: field.name.clone() });
            }
        }
        match &self.body {
            Body::Documents(documents) => documents.project(fields, |row| self.origin(row)),
            Body::Records(records) => records.project(fields, &self.source),
            Body::Table(table) => table.project(fields, |row| self.origin(row), &self.source),
        }
    }
}
