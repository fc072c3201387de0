//! Some rows of an input, between the reader, the handler and the writer.

use std::sync::Arc;

use arrow_array::RecordBatch;

use crate::document::Documents;
use crate::record::Records;
use crate::table::Table;
use crate::{BadRow, Field, Origin, Original, RowsError};

/// Consecutive rows of one input, as they were written there. A clone shares them.
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

/// How the rows are held: as close to the input's text as the format allows, because a row's own
/// fields leave as they came.
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

    /// With rows that were read between these and cannot be one of them.
    pub(crate) fn with_set_aside(self, rows: Vec<BadRow>) -> Self {
        Self { set_aside: rows.into(), ..self }
    }

    /// The rows that were read between these and are at fault; see
    /// [`ReadOptions::set_aside`](crate::ReadOptions::set_aside). They count in none of the other
    /// functions, and a [selection](Self::select) has none.
    pub fn set_aside(&self) -> &[BadRow] {
        &self.set_aside
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match &self.body {
            Body::Documents(documents) => documents.len(),
            Body::Records(records) => records.len(),
            Body::Table(table) => table.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the row at position `row` stands in its input.
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

    /// The place of the rows' first line or row, for what is wrong with all of them.
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

    /// The bytes that the rows hold, or about as many.
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

    /// The rows at the positions `keep`, and no others; their origins stay right. Shares the text.
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

    /// The line of a document as it stands, be it JSON or not; `None` for rows that are no lines
    /// of their own.
    ///
    /// # Panics
    /// If `row` is not less than [`len`](Self::len).
    pub fn text(&self, row: usize) -> Option<&str> {
        match &self.body {
            Body::Documents(documents) => Some(documents.text(row)),
            Body::Records(_) | Body::Table(_) => None,
        }
    }

    /// Appends one row to `out` as a JSON object without a line end: a document as its text stands,
    /// the cells of a CSV row with the types of their columns, the
    /// columns of Parquet and Arrow as the NDJSON writer has them. A row that is set aside may be
    /// one that is at fault: a cell that does not have its column's type comes as the string that
    /// it is, and a value of Parquet or Arrow that has no JSON as null.
    ///
    /// # Errors
    /// A line that is no JSON object. Nothing is appended then.
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

    /// The row at position `row` as one that cannot be written because of `error`.
    pub(crate) fn bad_row(&self, row: usize, error: RowsError) -> BadRow {
        let mut json = Vec::new();
        let original = match (self.json(row, &mut json), String::from_utf8(json)) {
            (Ok(()), Ok(json)) => Original::Json(json),
            _ => Original::Text(self.text(row).unwrap_or_default().to_owned()),
        };
        BadRow { error, origin: self.origin(row), original }
    }

    /// The columns of `fields`, in their order, and no others. All of them are nullable.
    ///
    /// A column's type comes from the rows. CSV: string, int64, float64 or boolean, as stated or
    /// inferred from the file's first rows. NDJSON: as stated; else the one type of all values in
    /// these rows (strings, integers within `i64`, numbers that a double holds, booleans); else
    /// one JSON text a value, marked with the Arrow extension type `arrow.json`. A column of
    /// nothing but nulls is a string column. Parquet and Arrow: the column's, if a handler can be
    /// shown it; else one that holds every value exactly: wider integers and floats, microseconds,
    /// text for decimals (marked [`DECIMAL`](beamlet_contract::arrow::DECIMAL)) and times of day, one JSON text a
    /// value for nested types. Of a key that a document has twice, the last counts.
    ///
    /// # Errors
    /// A line that is no JSON object, also when no field is asked for; a required field that is
    /// missing; a value that does not have the field's type, or cannot be shown exactly.
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
