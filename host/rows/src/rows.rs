//! Some rows of an input, between the reader, the handler and the writer.

use std::sync::Arc;

use arrow_array::RecordBatch;

use crate::document::Documents;
use crate::record::Records;
use crate::{Field, Origin, RowsError};

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
}

/// How the rows are held: as close to the input's text as the format allows, because a row's own
/// fields leave as they came.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Documents(Documents),
    Records(Records),
}

impl Rows {
    pub(crate) fn new(source: Arc<str>, body: Body) -> Self {
        Self { source, body }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match &self.body {
            Body::Documents(documents) => documents.len(),
            Body::Records(records) => records.len(),
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
        let line = match &self.body {
            Body::Documents(documents) => documents.line(row),
            Body::Records(records) => records.line(row),
        };
        Origin { source: self.source.clone(), line }
    }

    /// The columns of `fields`, in their order, and no others. All of them are nullable.
    ///
    /// A column's type comes from the rows. CSV: string, int64, float64 or boolean, as stated or
    /// inferred from the file's first rows. NDJSON: as stated; else the one type of all values in
    /// these rows (strings, integers within `i64`, numbers that a double holds, booleans); else
    /// one JSON text a value, marked with the Arrow extension type `arrow.json`. A column of
    /// nothing but nulls is a string column. Of a key that a document has twice, the last counts.
    ///
    /// # Errors
    /// A line that is no JSON object, also when no field is asked for; a required field that is
    /// missing; a value that does not have the field's type.
    pub fn project(&self, fields: &[Field]) -> Result<RecordBatch, RowsError> {
        for (position, field) in fields.iter().enumerate() {
            if fields[..position].iter().any(|before| before.name == field.name) {
                return Err(RowsError::ProjectedTwice { field: field.name.clone() });
            }
        }
        match &self.body {
            Body::Documents(documents) => documents.project(fields, |row| self.origin(row)),
            Body::Records(records) => records.project(fields, &self.source),
        }
    }
}
