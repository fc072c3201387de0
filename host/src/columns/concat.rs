//! The features of consecutive answers as one batch.

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{DataType, Field, Schema};
use std::sync::Arc;

/// Puts batches one behind the other. One without fields, as of rows that failed, is nulls.
///
/// # Errors
/// The fields of two batches differ.
pub(crate) fn concat(batches: &[&RecordBatch]) -> Result<RecordBatch, String> {
    let rows = batches.iter().map(|batch| batch.num_rows()).sum();
    let Some(first) = batches.iter().find(|batch| batch.num_columns() > 0) else {
        return empty(rows);
    };
    if let [only] = batches {
        return Ok((*only).clone());
    }
    let schema = first.schema();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let mut parts: Vec<ArrayRef> = Vec::with_capacity(batches.len());
        for batch in batches {
            parts.push(if batch.num_columns() == 0 {
                new_null_array(field.data_type(), batch.num_rows())
            } else {
                match batch.schema().fields().get(at) {
                    Some(other) if other == field => batch.column(at).clone(),
                    Some(other) => return Err(differ(field, other)),
                    None => {
                        return Err(format!("field `{}` came for some rows only", field.name()));
                    }
                }
            });
        }
        let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
        columns.push(arrow_select::concat::concat(&parts).map_err(|error| error.to_string())?);
    }
    if let Some(longer) = batches.iter().find(|batch| batch.num_columns() > schema.fields().len()) {
        let name = longer.schema().field(schema.fields().len()).name().clone();
        return Err(format!("field `{name}` came for some rows only"));
    }
    RecordBatch::try_new(schema, columns).map_err(|error| error.to_string())
}

/// Columns of those names without a row. Strings go with whatever may come.
pub(crate) fn without_rows<'a>(names: impl Iterator<Item = &'a str>) -> RecordBatch {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    RecordBatch::new_empty(Arc::new(Schema::new(names.map(text).collect::<Vec<_>>())))
}

fn differ(one: &Field, other: &Field) -> String {
    if one.name() == other.name() {
        let (a, b) = (one.data_type(), other.data_type());
        return format!("field `{}` came as {a}, then as {b}", one.name());
    }
    format!("field `{}` came, then `{}` in its place", one.name(), other.name())
}

fn empty(rows: usize) -> Result<RecordBatch, String> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)
        .map_err(|error| error.to_string())
}
