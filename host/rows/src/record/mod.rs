//! Rows of CSV: text cells behind one header, kept row by row as the file has them.

mod block;
mod column;
mod header;

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::Schema;

pub(crate) use self::block::{Block, Cells};
pub(crate) use self::column::Misfit;
pub(crate) use self::header::{Column, Header};
use crate::{Field, Origin, RowsError};

#[derive(Clone, Debug)]
pub(crate) struct Records {
    header: Arc<Header>,
    cells: Arc<Cells>,
    start: usize,
    len: usize,
}

impl Records {
    pub(crate) fn new(header: Arc<Header>, cells: Cells) -> Self {
        let len = cells.len();
        Self { header, cells: Arc::new(cells), start: 0, len }
    }

    pub(crate) fn with_header(self, header: Arc<Header>) -> Self {
        Self { header, ..self }
    }

    /// The first `rows`, and the rest if there is one.
    pub(crate) fn split(self, rows: usize) -> (Self, Option<Self>) {
        if rows >= self.len {
            return (self, None);
        }
        let rest = Self { start: self.start + rows, len: self.len - rows, ..self.clone() };
        (Self { len: rows, ..self }, Some(rest))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn line(&self, row: usize) -> u64 {
        assert!(row < self.len, "row {row} of {}", self.len);
        self.cells.line(self.start + row)
    }

    pub(crate) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// The cell as written.
    pub(crate) fn cell(&self, row: usize, column: usize) -> &str {
        self.cells.get(self.start + row, column)
    }

    /// The cell, or `None` where it is the null marker.
    pub(crate) fn value(&self, row: usize, column: usize) -> Option<&str> {
        Some(self.cell(row, column)).filter(|cell| *cell != self.header.null())
    }

    pub(crate) fn values(&self, column: usize) -> impl ExactSizeIterator<Item = Option<&str>> {
        (0..self.len).map(move |row| self.value(row, column))
    }

    pub(crate) fn project(
        &self,
        fields: &[Field],
        source: &Arc<str>,
    ) -> Result<RecordBatch, RowsError> {
        let mut schema = Vec::with_capacity(fields.len());
        let mut arrays = Vec::with_capacity(fields.len());
        for field in fields {
            let array: ArrayRef = match self.header.position(&field.name) {
                Some(column) => column::cast(self, column).map_err(|misfit| {
                    let origin = Origin { source: source.clone(), line: self.line(misfit.row) };
                    self.header.misfit(origin, column, misfit)
                })?,
                None if field.required => {
                    let origin = self.header.origin().clone();
                    return Err(RowsError::ColumnMissing { origin, field: field.name.clone() });
                }
                None => Arc::new(StringArray::new_null(self.len)),
            };
            schema.push(arrow_schema::Field::new(&field.name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.len));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(schema)), arrays, &options)?)
    }

    fn strings(&self, column: usize) -> StringArray {
        let mut builder = StringBuilder::with_capacity(self.len, 16 * self.len);
        for value in self.values(column) {
            builder.append_option(value);
        }
        builder.finish()
    }
}
