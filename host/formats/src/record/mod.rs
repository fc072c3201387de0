//! Rows of CSV: text cells with one header, stored row by row as in the file.

mod cells;
mod header;

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::Schema;
use beamlet_values::json;

pub(crate) use self::cells::{Cell, Cells};
use self::header::Column;
pub(crate) use self::header::{Header, Misfit};
use crate::field::{boolean, date, timestamp};
use crate::origin::Positions;
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
    /// The cell, or `None` if it is the null marker.
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

    /// The first `rows` rows, and the rest if there are more.
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

    /// The header with inferred types that hold every cell of these rows. Stated types are kept.
    pub(crate) fn inferred_header(&self) -> Header {
        let infer = |(position, column): (usize, &Column)| {
            let mut column = column.clone();
            if !column.stated {
                let types = self.values(position).flatten().map(ValueType::of);
                column.value_type = types.reduce(ValueType::or).unwrap_or(ValueType::String);
            }
            column
        };
        let columns = self.header.columns().iter().enumerate().map(infer);
        self.header.with_columns(columns.collect())
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

    /// A column, converted to its type.
    pub(crate) fn column(&self, column: usize, source: &Arc<str>) -> Result<ArrayRef, RowsError> {
        cast(self, column).map_err(|misfit| {
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

    /// Appends a row as a JSON object. A cell that does not have its column's type is a string.
    pub(crate) fn json(&self, row: usize, out: &mut Vec<u8>) {
        let record = self.row(row);
        for (position, column) in self.header.columns().iter().enumerate() {
            out.push(if position == 0 { b'{' } else { b',' });
            json::string(&column.name, out);
            out.push(b':');
            match record.value(position) {
                None => out.extend_from_slice(b"null"),
                Some(cell) => {
                    if !column.json(cell, out) {
                        json::string(cell, out);
                    }
                }
            }
        }
        out.push(b'}'); // a header has at least one column
    }
}

fn cast(records: &Records, position: usize) -> Result<ArrayRef, Misfit> {
    let column = records.header().column(position);
    macro_rules! parsed {
        ($builder:expr, $parse:expr) => {{
            let mut builder = $builder;
            for (row, cell) in records.values(position).enumerate() {
                match cell {
                    None => builder.append_null(),
                    Some(cell) => {
                        builder.append_value($parse(cell).ok_or_else(|| Misfit::new(row, cell))?)
                    }
                }
            }
            Arc::new(builder.finish())
        }};
    }
    Ok(match column.value_type {
        ValueType::String => Arc::new(records.strings(position)),
        ValueType::Int64 => {
            parsed!(Int64Builder::with_capacity(records.len()), |cell| column.int64(cell))
        }
        ValueType::Float64 => {
            parsed!(Float64Builder::with_capacity(records.len()), |cell| column.float64(cell))
        }
        ValueType::Boolean => parsed!(BooleanBuilder::with_capacity(records.len()), boolean),
        ValueType::Timestamp => {
            let array: ArrayRef =
                parsed!(TimestampMicrosecondBuilder::with_capacity(records.len()), timestamp);
            Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("UTC"))
        }
        ValueType::Date => parsed!(Date32Builder::with_capacity(records.len()), date),
        ValueType::Json => parsed!(StringBuilder::new(), is_json),
    })
}

/// The cell, if it is valid JSON.
fn is_json(cell: &str) -> Option<&str> {
    serde_json::from_str::<serde::de::IgnoredAny>(cell).ok().map(|_| cell)
}
