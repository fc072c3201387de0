//! Features of one row as bytes, and many of them as columns again.

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, SchemaRef};
use std::sync::{Arc, Mutex, PoisonError};

/// The names and types of features, and how their values are written as bytes: in Arrow's row
/// format, which keeps every bit.
pub(super) struct Shape {
    schema: SchemaRef,
    /// `None` for rows without features.
    converter: Option<RowConverter>,
}

impl Shape {
    fn new(schema: SchemaRef) -> Result<Self, ArrowError> {
        let fields = schema.fields().iter();
        let fields: Vec<_> =
            fields.map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = match fields.is_empty() {
            true => None,
            false => Some(RowConverter::new(fields)?),
        };
        Ok(Shape { schema, converter })
    }

    /// The rows of a batch of this shape, one after the other.
    pub(super) fn rows(&self, batch: &RecordBatch) -> Result<Vec<Box<[u8]>>, ArrowError> {
        let Some(converter) = &self.converter else {
            return Ok(vec![Box::default(); batch.num_rows()]);
        };
        let rows = converter.convert_columns(batch.columns())?;
        Ok(rows.iter().map(|row| row.data().into()).collect())
    }

    /// Rows of this shape as a batch.
    pub(super) fn batch<'a>(
        &self,
        rows: impl ExactSizeIterator<Item = &'a [u8]>,
    ) -> Result<RecordBatch, ArrowError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let columns = match &self.converter {
            None => Vec::new(),
            Some(converter) => {
                let parser = converter.parser();
                converter.convert_rows(rows.map(|row| parser.parse(row)))?
            }
        };
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
    }
}

/// The shapes that there have been: a handful at most.
#[derive(Default)]
pub(super) struct Shapes(Mutex<Vec<Arc<Shape>>>);

impl Shapes {
    pub(super) fn of(&self, schema: &SchemaRef) -> Result<Arc<Shape>, ArrowError> {
        let mut shapes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shapes.iter().find(|known| known.schema == *schema) {
            return Ok(known.clone());
        }
        let new = Arc::new(Shape::new(schema.clone())?);
        shapes.push(new.clone());
        Ok(new)
    }
}
