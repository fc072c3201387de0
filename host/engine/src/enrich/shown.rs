//! The columns of rows that a handler is shown: those that it reads, in types of the contract.

use super::error::EnrichError;
use crate::plugin::{ErrorKind, HandlerError, Input};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{DataType, Field, Schema};
use beamlet_values::{Normalised, normalised};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The columns that a handler is shown.
pub(super) struct Shown {
    pub(super) columns: RecordBatch,
    /// Rows with a value that the contract cannot carry exactly, and why each fails.
    pub(super) faults: BTreeMap<usize, HandlerError>,
}

impl Shown {
    /// Finds the columns by their names. An optional one that the batch lacks is null.
    pub(super) fn of(rows: &RecordBatch, inputs: &[Input]) -> Result<Self, EnrichError> {
        let mut fields = Vec::with_capacity(inputs.len());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(inputs.len());
        let mut faults = BTreeMap::new();
        for input in inputs {
            let Some((at, field)) = rows.schema_ref().column_with_name(&input.name) else {
                if input.required {
                    return Err(EnrichError::FieldMissing { field: input.name.clone() });
                }
                fields.push(Field::new(&input.name, DataType::Utf8, true));
                columns.push(Arc::new(StringArray::new_null(rows.num_rows())));
                continue;
            };
            let Normalised { field: as_shown, array, faults: found } =
                normalised(field, rows.column(at)).map_err(|problem| EnrichError::FieldType {
                    field: input.name.clone(),
                    data_type: field.data_type().clone(),
                    problem,
                })?;
            for fault in found {
                let error = || of_fault(&input.name, field.data_type(), fault.problem);
                faults.entry(fault.row).or_insert_with(error);
            }
            fields.push(as_shown);
            columns.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let schema = Arc::new(Schema::new(fields));
        let columns = RecordBatch::try_new_with_options(schema, columns, &options)?;
        Ok(Shown { columns, faults })
    }

    /// The rows without a fault.
    pub(super) fn sound(&self) -> Vec<u32> {
        let rows = 0..self.columns.num_rows();
        rows.filter(|row| !self.faults.contains_key(row)).map(|row| row as u32).collect()
    }
}

fn of_fault(field: &str, data_type: &DataType, problem: &str) -> HandlerError {
    HandlerError {
        kind: ErrorKind::InvalidInput,
        message: format!("field `{field}` ({data_type}): {problem}; a handler cannot be shown it"),
        retryable: false,
        retry_after: None,
        http_status: None,
    }
}
