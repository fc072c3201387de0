//! The features of one batch, as a format is given them.

use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::Field;
use arrow_select::take::take_record_batch;

use crate::{Rows, RowsError};
use beamlet_values::Values;

/// The features of some rows.
pub(super) struct Features {
    /// What a header names, also where these rows come without features.
    pub(super) names: Vec<String>,
    /// The columns of these names, in their order; none for rows without features.
    pub(super) batch: Option<RecordBatch>,
    /// The columns as they were declared; none if they were not.
    pub(super) declared: Arc<[Field]>,
}

impl Features {
    /// The features of the rows at `keep`.
    pub(super) fn select(&self, keep: &[usize]) -> Result<Self, RowsError> {
        let rows = UInt32Array::from_iter_values(keep.iter().map(|row| *row as u32));
        let batch = self.batch.as_ref().map(|batch| take_record_batch(batch, &rows)).transpose()?;
        Ok(Self { batch, ..self.without() })
    }

    /// The same columns without their values.
    pub(super) fn without(&self) -> Self {
        Self { names: self.names.clone(), batch: None, declared: self.declared.clone() }
    }

    /// The columns as text.
    pub(super) fn texts(&self, rows: &Rows) -> Result<Vec<Feature<'_>>, RowsError> {
        let Some(batch) = &self.batch else { return Ok(Vec::new()) };
        let columns = batch.schema_ref().fields().iter().zip(batch.columns());
        columns
            .map(|(field, array)| match Values::new(field, array) {
                Ok(values) => Ok(Feature { name: field.name(), values }),
                Err(_) if rows.is_empty() => Err(None),
                Err(found) => Err(Some((field.name().clone(), found.to_string()))),
            })
            .filter(|feature| !matches!(feature, Err(None)))
            .map(|feature| {
                feature.map_err(|fault| {
                    let (field, found) = fault.unwrap_or_default();
                    RowsError::FeatureUnsupported { origin: rows.origin(0), field, found }
                })
            })
            .collect()
    }
}

/// A column that can be written as text.
pub(super) struct Feature<'a> {
    pub(super) name: &'a str,
    values: Values,
}

impl Feature<'_> {
    /// Appends the value as JSON.
    pub(super) fn json(&self, rows: &Rows, row: usize, out: &mut Vec<u8>) -> Result<(), RowsError> {
        self.values.json(row, out).map_err(|problem| self.fault(rows, row, problem))
    }

    /// Appends the value as the text of a cell; `false` for null.
    pub(super) fn text(
        &self,
        rows: &Rows,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, RowsError> {
        self.values.text(row, out).map_err(|problem| self.fault(rows, row, problem))
    }

    fn fault(&self, rows: &Rows, row: usize, problem: String) -> RowsError {
        RowsError::FeatureValue { origin: rows.origin(row), field: self.name.to_owned(), problem }
    }
}
