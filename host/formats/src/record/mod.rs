//! Rows of CSV: text cells behind one header, kept row by row as the file has them.

mod block;
mod column;
mod header;
mod json;

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::Schema;

pub(crate) use self::block::{Cell, Cells};
pub(crate) use self::column::Misfit;
pub(crate) use self::header::{Column, Header};
use crate::positions::Positions;
use crate::{Field, Origin, RowsError, ValueType};

#[derive(Clone, Debug)]
pub(crate) struct Records {
    header: Arc<Header>,
    cells: Arc<Cells>,
    positions: Positions,
}

/// The cells of one row.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    cells: &'a Cells,
    null: &'a str,
    row: usize,
}

impl<'a> Record<'a> {
    /// The cell, or `None` where it is the null marker.
    #[inline]
    pub(crate) fn value(self, column: usize) -> Option<&'a str> {
        Some(self.cells.get(self.row, column)).filter(|cell| *cell != self.null)
    }
}

impl Records {
    pub(crate) fn new(header: Arc<Header>, cells: Cells) -> Self {
        let positions = Positions::first(cells.len());
        Self { header, cells: Arc::new(cells), positions }
    }

    pub(crate) fn with_header(self, header: Arc<Header>) -> Self {
        Self { header, ..self }
    }

    /// The first `rows`, and the rest if there is one.
    pub(crate) fn split(self, rows: usize) -> (Self, Option<Self>) {
        let (first, rest) = self.positions.split(rows);
        let rest = rest.map(|positions| Self {
            header: self.header.clone(),
            cells: self.cells.clone(),
            positions,
        });
        (Self { positions: first, ..self }, rest)
    }

    /// The rows at `keep`, which must ascend.
    pub(crate) fn select(&self, keep: &[usize]) -> Self {
        Self { positions: self.positions.select(keep), ..self.clone() }
    }

    pub(crate) fn len(&self) -> usize {
        self.positions.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.cells.bytes()
    }

    pub(crate) fn line(&self, row: usize) -> u64 {
        self.cells.line(self.positions.get(row))
    }

    pub(crate) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// One row.
    pub(crate) fn row(&self, row: usize) -> Record<'_> {
        Record { cells: &self.cells, null: self.header.null(), row: self.positions.get(row) }
    }

    pub(crate) fn values(&self, column: usize) -> impl ExactSizeIterator<Item = Option<&str>> {
        (0..self.len()).map(move |row| self.row(row).value(column))
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
                Some(column) => self.column(column, source)?,
                None if field.required => {
                    return Err(self.header.missing(&field.name));
                }
                None => Arc::new(StringArray::new_null(self.len())),
            };
            let value_type = self.header.position(&field.name).map(|at| self.header.column(at));
            let value_type = value_type.map_or(ValueType::String, |column| column.value_type);
            schema.push(value_type.field(&field.name));
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.len()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(schema)), arrays, &options)?)
    }

    /// A column with its type.
    pub(crate) fn column(&self, column: usize, source: &Arc<str>) -> Result<ArrayRef, RowsError> {
        column::cast(self, column).map_err(|misfit| {
            let origin = Origin::line(source.clone(), self.line(misfit.row));
            self.header.misfit(origin, column, misfit)
        })
    }

    fn strings(&self, column: usize) -> StringArray {
        let mut builder = StringBuilder::with_capacity(self.len(), 16 * self.len());
        for value in self.values(column) {
            builder.append_option(value);
        }
        builder.finish()
    }
}
