//! The features of consecutive answers as one batch.

use super::json_list::{is_json, lists};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use std::sync::Arc;

/// Puts batches one behind the other. One without fields, as of rows that failed, is nulls. Lists
/// that came as JSON in one of them, and as lists in another, are lists.
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
    let width = first.num_columns();
    let mut fields: Vec<FieldRef> = Vec::with_capacity(width);
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(width);
    for at in 0..width {
        let field = field(batches, at)?;
        let mut parts: Vec<ArrayRef> = Vec::with_capacity(batches.len());
        for batch in batches {
            parts.push(if batch.num_columns() == 0 {
                new_null_array(field.data_type(), batch.num_rows())
            } else {
                part(batch, at, &field)?
            });
        }
        let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
        columns.push(arrow_select::concat::concat(&parts).map_err(|error| error.to_string())?);
        fields.push(field);
    }
    if let Some(longer) = batches.iter().find(|batch| batch.num_columns() > width) {
        return Err(some_only(longer.schema().field(width)));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| error.to_string())
}

/// The field of a position: that of the first batch, unless it came as JSON there and as a list
/// later.
fn field(batches: &[&RecordBatch], at: usize) -> Result<FieldRef, String> {
    let there = || batches.iter().filter(|batch| batch.num_columns() > 0);
    let of = |batch: &&RecordBatch| batch.schema_ref().fields().get(at).cloned();
    let first = there().next().and_then(of);
    let is_list = |field: &FieldRef| matches!(field.data_type(), DataType::List(_));
    let list = match &first {
        Some(first) if is_json(first) => there().filter_map(of).find(is_list),
        _ => None,
    };
    list.or(first).ok_or_else(|| format!("field {at} came for some rows only"))
}

/// A batch's column, as the field is.
fn part(batch: &RecordBatch, at: usize, field: &FieldRef) -> Result<ArrayRef, String> {
    let fields = batch.schema_ref().fields();
    let other = fields.get(at).ok_or_else(|| some_only(field))?;
    if other == field {
        return Ok(batch.column(at).clone());
    }
    let of_json = match field.data_type() {
        DataType::List(element) if is_json(other) && other.name() == field.name() => {
            lists(batch.column(at), element.data_type())
        }
        _ => None,
    };
    of_json.ok_or_else(|| differ(field, other))
}

/// Columns of those names without a row. Strings go with whatever may come.
pub(crate) fn without_rows<'a>(names: impl Iterator<Item = &'a str>) -> RecordBatch {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    RecordBatch::new_empty(Arc::new(Schema::new(names.map(text).collect::<Vec<_>>())))
}

fn some_only(field: &Field) -> String {
    format!("field `{}` came for some rows only", field.name())
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
