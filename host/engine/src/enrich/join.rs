//! Joins features to the columns of their rows.

use super::error::JoinError;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{FieldRef, Schema};
use beamlet_contract::join::{OnConflict, columns};
use std::sync::Arc;

/// `has_features` says for each row whether the store answered for it.
pub(super) fn join(
    rows: &RecordBatch,
    features: &RecordBatch,
    has_features: &[bool],
    on_conflict: &OnConflict,
) -> Result<RecordBatch, JoinError> {
    let (own, of_features) = (rows.schema_ref(), features.schema_ref());
    let names: Vec<String> = of_features.fields().iter().map(|it| it.name().clone()).collect();
    let own_names = own.fields().iter().map(|field| field.name().as_str());
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for column in columns(own_names, &names, on_conflict)? {
        let own = column.own.map(|at| (&own.fields()[at], rows.column(at)));
        let feature = column.feature.map(|at| (&of_features.fields()[at], features.column(at)));
        let (field, array): (FieldRef, ArrayRef) = match (own, feature) {
            (Some(own), Some(feature)) if *on_conflict == OnConflict::Right => {
                right(own, feature, has_features)?
            }
            (Some((field, array)), _) => (field.clone(), array.clone()),
            (None, Some((field, array))) if *field.name() == column.name => {
                (field.clone(), array.clone())
            }
            (None, Some((field, array))) => {
                (Arc::new(field.as_ref().clone().with_name(&column.name)), array.clone())
            }
            (None, None) => continue,
        };
        fields.push(field);
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, own.metadata().clone()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
}

/// The feature in place of the own column; a row without features keeps its own value.
fn right(
    (own_field, own): (&FieldRef, &ArrayRef),
    (field, feature): (&FieldRef, &ArrayRef),
    has_features: &[bool],
) -> Result<(FieldRef, ArrayRef), JoinError> {
    let keeps_own = |row: usize| !has_features[row] && own.is_valid(row);
    if !(0..own.len()).any(keeps_own) {
        return Ok((field.clone(), feature.clone()));
    }
    if own.data_type() != feature.data_type() {
        return Err(JoinError::Types {
            field: field.name().clone(),
            own: own_field.data_type().clone(),
            feature: field.data_type().clone(),
        });
    }
    let mask = BooleanArray::from(has_features.to_vec());
    Ok((field.clone(), arrow_select::zip::zip(&mask, feature, own)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Int64Array, StringArray};

    fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
        let columns = columns.iter().map(|(name, array)| (*name, array.clone(), true));
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    fn numbers(values: &[Option<i64>]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn joined(on_conflict: &OnConflict) -> Result<RecordBatch, JoinError> {
        let rows = batch(&[("a", numbers(&[Some(1), Some(2)])), ("b", numbers(&[None, None]))]);
        let features = batch(&[("a", numbers(&[Some(7), None])), ("f", numbers(&[Some(9), None]))]);
        join(&rows, &features, &[true, false], on_conflict)
    }

    fn column(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
        batch.column_by_name(name).unwrap().as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn a_shared_name_is_what_the_conflict_rule_says() {
        let left = joined(&OnConflict::Left).unwrap();
        assert_eq!((left.num_columns(), column(&left, "a")), (3, vec![Some(1), Some(2)]));
        let right = joined(&OnConflict::Right).unwrap();
        assert_eq!(column(&right, "a"), [Some(7), Some(2)]);
        let suffix = joined(&OnConflict::Suffix("_f".to_owned())).unwrap();
        assert_eq!(column(&suffix, "a_f"), [Some(7), None]);
        let error = joined(&OnConflict::Error).unwrap_err();
        assert!(matches!(error, JoinError::Conflict { field } if field == "a"));
    }

    #[test]
    fn another_type_takes_the_place_only_where_no_row_keeps_its_own() {
        let rows = batch(&[("a", Arc::new(StringArray::from(vec!["x", "y"])))]);
        let features = batch(&[("a", numbers(&[Some(7), None]))]);
        let all = join(&rows, &features, &[true, true], &OnConflict::Right).unwrap();
        assert_eq!(column(&all, "a"), [Some(7), None]);
        let error = join(&rows, &features, &[true, false], &OnConflict::Right).unwrap_err();
        assert!(matches!(error, JoinError::Types { .. }), "{error}");
    }
}
