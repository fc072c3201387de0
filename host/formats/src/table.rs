//! Rows of Parquet and Arrow: columns with the types of the file.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, UInt32Array};
use arrow_schema::{Schema, SchemaRef};

use crate::origin::Positions;
use crate::{Field, Origin, RowsError};
use beamlet_values::json;
use beamlet_values::{Fault, Normalised, Values, normalised};

#[derive(Clone, Debug)]
pub(crate) struct Table {
    batch: RecordBatch,
    /// The number of the batch's first row in its file, from 1.
    first: u64,
    /// The positions of these rows in that batch.
    positions: Positions,
}

impl Table {
    pub(crate) fn new(batch: RecordBatch, first: u64) -> Self {
        let positions = Positions::first(batch.num_rows());
        Self { batch, first, positions }
    }

    pub(crate) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// The number of a row, from 1.
    pub(crate) fn number(&self, row: usize) -> u64 {
        self.first + self.positions.get(row) as u64
    }

    pub(crate) fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        self.batch.schema_ref()
    }

    /// The rows at `keep`, which must ascend.
    pub(crate) fn select(&self, keep: &[usize]) -> Self {
        let positions = self.positions.select(keep);
        let rows = UInt32Array::from_iter_values(keep.iter().map(|row| *row as u32));
        let batch = arrow_select::take::take_record_batch(&self.batch, &rows)
            .expect("the positions are within the batch, and every type can be taken of");
        Self { batch, first: self.first, positions }
    }

    /// Appends a row as a JSON object. A value without a JSON form is written as null.
    pub(crate) fn json(&self, row: usize, out: &mut Vec<u8>) {
        let start = out.len();
        for (field, array) in self.schema().fields().iter().zip(self.batch.columns()) {
            out.push(if out.len() == start { b'{' } else { b',' });
            json::string(field.name(), out);
            out.push(b':');
            let before = out.len();
            // Slices one value, so that a dictionary or a time is not converted for all rows.
            let value = array.slice(row, 1);
            let written = Values::new(field, &value).is_ok_and(|it| it.json(0, out).is_ok());
            if !written {
                out.truncate(before);
                out.extend_from_slice(b"null");
            }
        }
        if out.len() == start {
            out.push(b'{');
        }
        out.push(b'}');
    }

    /// The values of each column.
    pub(crate) fn values(&self, origin: &Origin) -> Result<Vec<Values>, RowsError> {
        let columns = self.schema().fields().iter().zip(self.batch.columns());
        columns
            .map(|(field, array)| {
                Values::new(field, array).map_err(|found| unwritable(origin, field, &found))
            })
            .collect()
    }

    pub(crate) fn project(
        &self,
        fields: &[Field],
        origin: impl Fn(usize) -> Origin,
        source: &Arc<str>,
    ) -> Result<RecordBatch, RowsError> {
        let mut schema = Vec::with_capacity(fields.len());
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(fields.len());
        for field in fields {
            let Some((position, own)) = self.schema().column_with_name(&field.name) else {
                if field.required {
                    let (name, field) = (source.clone(), field.name.clone());
                    return Err(RowsError::NotInSchema { name, field });
                }
                arrays.push(Arc::new(StringArray::new_null(self.len())));
                schema.push(arrow_schema::Field::new(
                    &field.name,
                    arrow_schema::DataType::Utf8,
                    true,
                ));
                continue;
            };
            let array = self.batch.column(position);
            let not_exact = |fault: Fault| RowsError::NotExact {
                origin: origin(fault.row),
                field: field.name.clone(),
                found: own.data_type().to_string(),
                problem: fault.problem,
            };
            let Normalised { field: own, array, mut faults } =
                normalised(own, array).map_err(|problem| not_exact(Fault { row: 0, problem }))?;
            if !faults.is_empty() {
                return Err(not_exact(faults.swap_remove(0)));
            }
            schema.push(own);
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.len()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(schema)), arrays, &options)?)
    }
}

pub(crate) fn unwritable(
    origin: &Origin,
    field: &arrow_schema::Field,
    found: &arrow_schema::DataType,
) -> RowsError {
    RowsError::FieldUnsupported {
        origin: origin.clone(),
        field: field.name().clone(),
        found: found.to_string(),
    }
}

pub(crate) fn bad_value(
    origin: &Origin,
    field: &arrow_schema::Field,
    problem: String,
) -> RowsError {
    RowsError::FieldValue { origin: origin.clone(), field: field.name().clone(), problem }
}
