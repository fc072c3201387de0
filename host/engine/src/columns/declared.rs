//! Columns of the types that are declared, whatever came.

use super::json_list::lists;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{DataType, Field, SchemaRef};
use beamlet_contract::FieldType;
use beamlet_contract::arrow::{field, is_json, json, type_name};

/// The column of a declared field. Lists of booleans, `int64`, floats and strings are Arrow's lists;
/// what has other parts is JSON texts.
pub(crate) fn declared(name: &str, of: &FieldType) -> Field {
    let is_flat = |element: &FieldType| {
        matches!(
            element,
            FieldType::Boolean
                | FieldType::Int64
                | FieldType::Float32
                | FieldType::Float64
                | FieldType::String
        )
    };
    match of {
        FieldType::Array(element) if is_flat(element) => field(name, of),
        FieldType::Array(_) | FieldType::Map(_) | FieldType::Struct(_) => {
            json(Field::new(name, DataType::Utf8, true))
        }
        of => field(name, of),
    }
}

/// The columns of a batch as a schema has them; a batch without columns is nulls.
///
/// # Errors
/// A column came as another type: its name, and both.
pub(crate) fn with_schema(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, String> {
    if batch.schema_ref() == schema {
        return Ok(batch);
    }
    let (rows, none) = (batch.num_rows(), batch.num_columns() == 0);
    let column = |(at, target): (usize, &Field)| -> Result<ArrayRef, String> {
        if none {
            return Ok(new_null_array(target.data_type(), rows));
        }
        let own = batch.schema_ref().fields().get(at).filter(|own| own.name() == target.name());
        let own = own.ok_or_else(|| format!("field `{}` did not come", target.name()))?;
        let column = batch.column(at);
        if own.data_type() == target.data_type() && is_json(own) == is_json(target) {
            return Ok(column.clone());
        }
        if column.null_count() == column.len() {
            return Ok(new_null_array(target.data_type(), rows));
        }
        let of_json = match target.data_type() {
            DataType::List(element) if is_json(own) => lists(column, element.data_type()),
            _ => None,
        };
        of_json.ok_or_else(|| {
            let (name, came) = (target.name(), type_name(own));
            format!("field `{name}` is declared {}, and came as {came}", type_name(target))
        })
    };
    let fields = schema.fields().iter().map(AsRef::as_ref).enumerate();
    let columns = fields.map(column).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|error| error.to_string())
}
