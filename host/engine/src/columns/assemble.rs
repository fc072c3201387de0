//! The features of rows that were answered in parts: in the order of the rows, and in the types that are
//! declared.

use super::json::lists;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use beamlet_contract::FieldType;
use beamlet_contract::arrow::{self, is_json, type_name};
use std::sync::Arc;

/// Where a row's features are: in which part, and in which row of it. `None` has none: nulls.
pub type Place = Option<(u32, u32)>;

/// The features at `places`, one row each. A part without fields, as of rows that failed, is
/// nulls.
///
/// # Errors
/// The fields of two parts differ.
pub fn assemble(parts: &[RecordBatch], places: &[Place]) -> Result<RecordBatch, String> {
    let Some(first) = parts.iter().find(|part| part.num_columns() > 0) else {
        return without_fields(places.len());
    };
    let parts: Vec<&RecordBatch> = parts.iter().collect();
    let in_order = in_order(&parts, places);
    if let ([only], true) = (parts.as_slice(), in_order) {
        return Ok((*only).clone());
    }
    let names = same_names(first, &parts)?;
    // Behind the parts stands a row of nulls, for rows without features.
    let indices: Vec<(usize, usize)> = match in_order {
        true => Vec::new(),
        false => places
            .iter()
            .map(|place| {
                place.map_or((parts.len(), 0), |(part, row)| (part as usize, row as usize))
            })
            .collect(),
    };
    let mut fields: Vec<FieldRef> = Vec::with_capacity(names);
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(names);
    for at in 0..names {
        let (field, mut arrays) = one_type(&parts, at)?;
        let column = if in_order {
            let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            arrow_select::concat::concat(&arrays)
        } else {
            arrays.push(new_null_array(field.data_type(), 1));
            let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            arrow_select::interleave::interleave(&arrays, &indices)
        };
        columns.push(column.map_err(|error| error.to_string())?);
        fields.push(field);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(|error| error.to_string())
}

/// Whether the places are all rows of the parts, one behind the other.
fn in_order(parts: &[&RecordBatch], places: &[Place]) -> bool {
    let rows: usize = parts.iter().map(|part| part.num_rows()).sum();
    if rows != places.len() {
        return false;
    }
    let mut places = places.iter();
    (0u32..).zip(parts).all(|(at, part)| {
        (0..part.num_rows() as u32).all(|row| places.next() == Some(&Some((at, row))))
    })
}

/// How many fields there are; all parts name the same ones.
fn same_names(first: &RecordBatch, parts: &[&RecordBatch]) -> Result<usize, String> {
    let schema = first.schema_ref();
    for part in parts.iter().filter(|part| part.num_columns() > 0) {
        let other = part.schema_ref();
        if Arc::ptr_eq(schema, other) {
            continue;
        }
        for (field, other) in schema.fields().iter().zip(other.fields()) {
            if field.name() != other.name() {
                return Err(format!(
                    "field `{}` came, then `{}` in its place",
                    field.name(),
                    other.name()
                ));
            }
        }
        let (few, many) = match schema.fields().len() < other.fields().len() {
            true => (schema, other),
            false => (other, schema),
        };
        if let Some(more) = many.fields().get(few.fields().len()) {
            return Err(format!("field `{}` came for some rows only", more.name()));
        }
    }
    Ok(schema.fields().len())
}

/// One field of all parts, in one type. A column of nulls takes the type of the others. Lists that came
/// as JSON, because nulls are in them, become lists where others are.
fn one_type(parts: &[&RecordBatch], at: usize) -> Result<(FieldRef, Vec<ArrayRef>), String> {
    let field = |part: &RecordBatch| part.schema_ref().fields()[at].clone();
    let there = || parts.iter().filter(|part| part.num_columns() > 0);
    let known = || there().filter(|part| part.column(at).null_count() < part.num_rows());
    let is_list = |part: &&&RecordBatch| matches!(field(part).data_type(), DataType::List(_));
    let first = known().next().or_else(|| there().next()).ok_or("no part has fields")?;
    let target = match is_json(&field(first)) {
        true => field(there().find(is_list).unwrap_or(first)),
        false => field(first),
    };
    let column = |part: &&RecordBatch| {
        if part.num_columns() == 0 {
            return Ok(new_null_array(target.data_type(), part.num_rows()));
        }
        let (own, column) = (field(part), part.column(at));
        if own == target {
            return Ok(column.clone());
        }
        if column.null_count() == column.len() {
            return Ok(new_null_array(target.data_type(), part.num_rows()));
        }
        let of_json = match target.data_type() {
            DataType::List(element) if is_json(&own) => lists(column, element.data_type()),
            _ => None,
        };
        of_json.ok_or_else(|| {
            let name = target.name();
            format!("field `{name}` came as {}, then as {}", type_name(&target), type_name(&own))
        })
    };
    let columns = parts.iter().map(column).collect::<Result<_, _>>()?;
    Ok((target, columns))
}

/// The column of a declared field. Lists of booleans, `int64`, floats and strings are Arrow lists; other
/// lists, maps and structs are JSON texts.
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
        FieldType::Array(element) if is_flat(element) => arrow::field(name, of),
        FieldType::Array(_) | FieldType::Map(_) | FieldType::Struct(_) => {
            arrow::json(Field::new(name, DataType::Utf8, true))
        }
        of => arrow::field(name, of),
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

/// Columns of these names without a row. They are strings, as no type is known.
pub fn without_rows<'a>(names: impl Iterator<Item = &'a str>) -> RecordBatch {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    RecordBatch::new_empty(Arc::new(Schema::new(names.map(text).collect::<Vec<_>>())))
}

fn without_fields(rows: usize) -> Result<RecordBatch, String> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Float64Array, Int64Array, StringArray};

    fn part(name: &str, column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable([(name, column, true)]).unwrap()
    }

    fn numbers(values: &[Option<i64>]) -> RecordBatch {
        part("n", Arc::new(Int64Array::from(values.to_vec())))
    }

    fn in_row_order(parts: &[RecordBatch]) -> Vec<Place> {
        let rows = |(at, part): (u32, &RecordBatch)| {
            (0..part.num_rows() as u32).map(move |row| Some((at, row)))
        };
        (0..).zip(parts).flat_map(rows).collect()
    }

    fn values(batch: &RecordBatch) -> Vec<Option<i64>> {
        batch.column(0).as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn rows_come_in_the_order_of_their_places_as_often_as_they_are_named() {
        let parts = [numbers(&[Some(1), Some(2)]), numbers(&[Some(3)])];
        let places = [Some((1, 0)), None, Some((0, 1)), Some((1, 0))];
        let all = assemble(&parts, &places).unwrap();
        assert_eq!(values(&all), [Some(3), None, Some(2), Some(3)]);
    }

    #[test]
    fn parts_one_behind_the_other_are_put_together() {
        let parts = [numbers(&[Some(1)]), without_fields(2).unwrap(), numbers(&[Some(2)])];
        let all = assemble(&parts, &in_row_order(&parts)).unwrap();
        assert_eq!(values(&all), [Some(1), None, None, Some(2)]);
    }

    #[test]
    fn a_column_of_nulls_takes_the_type_of_the_others() {
        let nulls = part("n", Arc::new(StringArray::new_null(2)));
        let parts = [nulls, numbers(&[Some(7)])];
        let all = assemble(&parts, &in_row_order(&parts)).unwrap();
        assert_eq!(values(&all), [None, None, Some(7)]);
    }

    #[test]
    fn fields_that_differ_are_an_error() {
        let floats = part("n", Arc::new(Float64Array::from(vec![1.0])));
        let other = part("m", Arc::new(Int64Array::from(vec![1])));
        let error = |parts: &[RecordBatch]| assemble(parts, &in_row_order(parts)).unwrap_err();
        let number = numbers(&[Some(1)]);
        assert_eq!(error(&[number.clone(), floats]), "field `n` came as int64, then as float64");
        assert_eq!(error(&[number, other]), "field `n` came, then `m` in its place");
    }

    #[test]
    fn rows_without_any_field_are_rows_all_the_same() {
        assert_eq!(assemble(&[], &[None, None]).unwrap().num_rows(), 2);
    }
}
