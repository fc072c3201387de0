//! Rows and their features as one batch of the output's schema.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::zip::zip;

use super::fit::{Unsupported, converted, fitted};
use super::own::Own;
use super::pending::Pending;
use crate::rows::Body;
use crate::write::conform::conformed;
use crate::write::feature::Features;
use crate::{OnConflict, Origin, Rows, RowsError};
use beamlet_contract::join::{self, Column};

pub(super) struct Table {
    own: Own,
    /// The names of the features, and their columns.
    names: Vec<String>,
    features: Vec<Field>,
    columns: Vec<Column>,
    schema: SchemaRef,
    /// What the file has of it.
    fitted: SchemaRef,
    right: bool,
}

impl Table {
    /// The table for rows like those that are pending.
    pub(super) fn new(
        pending: &Pending,
        declared: &[Field],
        on_conflict: &OnConflict,
    ) -> Result<Self, RowsError> {
        let own = Own::of(pending)?;
        let fields = own.fields();
        let names = match declared {
            [] => pending.names(),
            declared => declared.iter().map(|it| it.name().clone()).collect(),
        };
        let features: Vec<_> = pending
            .features(declared)
            .into_iter()
            .zip(&names)
            .map(|(field, name)| field.unwrap_or_else(|| Field::new(name, DataType::Utf8, true)))
            .collect();
        let names_of_own = fields.iter().map(|it| it.name().as_str());
        let columns = join::columns(names_of_own, &names, on_conflict).map_err(|clash| {
            let origin = place(pending, clash.field());
            RowsError::of_clash(clash, origin)
        })?;
        let right = *on_conflict == OnConflict::Right;
        let schema = columns.iter().map(|column| match (column.own, column.feature) {
            (Some(own), feature) if feature.is_none() || !right => fields[own].clone(),
            (_, Some(feature)) => Arc::new(features[feature].clone().with_name(&column.name)),
            (_, None) => Arc::new(Field::new(&column.name, DataType::Null, true)),
        });
        let schema =
            Arc::new(Schema::new_with_metadata(schema.collect::<Vec<_>>(), own.metadata()));
        Ok(Self { own, names, features, columns, fitted: schema.clone(), schema, right })
    }

    /// The schema of the file.
    pub(super) fn file_schema(&self) -> &SchemaRef {
        &self.fitted
    }

    /// Has the file get types that Parquet holds.
    pub(super) fn fit(&mut self) -> Result<(), Unsupported> {
        let fields = self.schema.fields().iter().map(fitted).collect::<Result<Vec<_>, _>>()?;
        let metadata = self.schema.metadata().clone();
        self.fitted = Arc::new(Schema::new_with_metadata(fields, metadata));
        Ok(())
    }

    pub(super) fn batch(&self, rows: &Rows, features: &Features) -> Result<RecordBatch, RowsError> {
        let own = self.own.columns(rows)?;
        let features = self.features(rows, features)?;
        let arrays = self.columns.iter().zip(self.schema.fields()).map(|(column, field)| {
            let feature = column.feature.and_then(|at| Some(&features.as_ref()?[at]));
            match (column.own.map(|at| &own[at]), feature) {
                (Some((array, has)), Some(feature)) if !self.right => {
                    self.filled(rows, array, has.as_ref(), feature, column, field)
                }
                (_, Some(feature)) => Ok(feature.clone()),
                (Some((array, _)), None) if array.data_type() == field.data_type() => {
                    Ok(array.clone())
                }
                (_, None) => Ok(new_null_array(field.data_type(), rows.len())),
            }
        });
        let arrays = arrays.zip(self.fitted.fields());
        let arrays = arrays.map(|(array, field)| converted(rows, &array?, field));
        let arrays = arrays.collect::<Result<_, RowsError>>()?;
        let options = RecordBatchOptions::new()
            .with_row_count(Some(rows.len()))
            .with_match_field_names(false);
        Ok(RecordBatch::try_new_with_options(self.fitted.clone(), arrays, &options)?)
    }

    /// The features with the types of the output; `None` for rows without.
    fn features(
        &self,
        rows: &Rows,
        features: &Features,
    ) -> Result<Option<Vec<ArrayRef>>, RowsError> {
        let Some(batch) = &features.batch else { return Ok(None) };
        if features.names != self.names {
            let (was, now) = (self.names.join(", "), features.names.join(", "));
            return Err(RowsError::FeatureColumns { origin: rows.place(), was, now });
        }
        let columns = batch.schema_ref().fields().iter().zip(batch.columns());
        let columns = self.features.iter().zip(columns);
        columns
            .map(|(target, (field, array))| conformed(rows, target, field, array))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// The own values, and the feature's for documents that do not have the field.
    fn filled(
        &self,
        rows: &Rows,
        array: &ArrayRef,
        has: Option<&BooleanBuffer>,
        feature: &ArrayRef,
        column: &Column,
        field: &Field,
    ) -> Result<ArrayRef, RowsError> {
        let Some(has) = has.filter(|it| it.count_set_bits() < it.len()) else {
            return Ok(array.clone());
        };
        let feature_field = &self.features[column.feature.unwrap_or_default()];
        let has = BooleanArray::new(has.clone(), None);
        // What the own values hide need not fit.
        let hidden = zip(&has, &new_null_array(feature.data_type(), feature.len()), feature)?;
        let hidden = conformed(rows, field, feature_field, &hidden)?;
        Ok(zip(&has, array, &hidden)?)
    }
}

/// Where a field stands first.
fn place(pending: &Pending, field: &str) -> Origin {
    let found = pending.batches().iter().find_map(|(rows, _)| match &rows.body {
        Body::Documents(documents) => documents.first_with(field).map(|row| rows.origin(row)),
        Body::Records(records) => Some(records.header().origin().clone()),
        Body::Table(_) => Some(rows.place()),
    });
    found.unwrap_or_else(|| Origin::line("output".into(), 1))
}
