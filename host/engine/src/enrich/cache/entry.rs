//! What is kept of one row: its outcome, and its features as bytes, which become columns again.

use super::super::answers::Outcome;
use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_row::{RowConverter, SortField};
use arrow_schema::{ArrowError, SchemaRef};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What is kept of one row: its outcome, and its features as bytes of a shape.
pub(in crate::enrich) struct Entry {
    pub(in crate::enrich) outcome: Outcome,
    pub(super) features: Box<[u8]>,
    pub(super) shape: Arc<Shape>,
    /// Until when it is fresh.
    pub(super) fresh_until: Instant,
    /// Until when it is kept, to be served if the store fails.
    pub(super) kept_until: Instant,
}

impl Entry {
    /// As fresh or stale.
    pub(super) fn known(self: Arc<Self>, now: Instant) -> Known {
        if now < self.fresh_until { Known::Fresh(self) } else { Known::Stale(self) }
    }

    /// The features of some entries, a batch for each shape among them: with the positions of
    /// the batch's rows in `entries`.
    pub(in crate::enrich) fn features(
        entries: &[Arc<Entry>],
    ) -> Result<Vec<(RecordBatch, Vec<usize>)>, ArrowError> {
        let mut shapes: Vec<(&Arc<Shape>, Vec<usize>)> = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            match shapes.iter_mut().find(|(shape, _)| Arc::ptr_eq(shape, &entry.shape)) {
                Some((_, positions)) => positions.push(at),
                None => shapes.push((&entry.shape, vec![at])),
            }
        }
        let batch = |(shape, positions): (&Arc<Shape>, Vec<usize>)| {
            let batch = shape.batch(positions.iter().map(|at| &*entries[*at].features))?;
            Ok((batch, positions))
        };
        shapes.into_iter().map(batch).collect()
    }
}

/// An entry, shared by the caches and the answers.
pub(in crate::enrich) type Kept = Arc<Entry>;

/// What the cache knows of a row.
pub(in crate::enrich) enum Known {
    /// An answer to be served.
    Fresh(Kept),
    /// An answer to be served if the store fails.
    Stale(Kept),
}

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
