//! Rows and their features as one batch of the output's schema, with types that Parquet and its
//! readers know.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_buffer::BooleanBuffer;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};
use arrow_select::zip::zip;
use beamlet_contract::join::{self, Column};

use super::pending::{Own, Pending};
use crate::rows::Body;
use crate::write::convert::conformed;
use crate::write::features::Features;
use crate::{OnConflict, Origin, Rows, RowsError};

pub(super) struct Table {
    own: Own,
    /// The names of the features.
    names: Vec<String>,
    features: Vec<Field>,
    columns: Vec<Column>,
    schema: SchemaRef,
    /// The schema of the file, with types that the format supports.
    fitted: SchemaRef,
    right: bool,
}

impl Table {
    /// The table for the schema of the pending rows.
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

    /// Changes the schema of the file to types that Parquet supports.
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

    /// The features with the types of the output; `None` for rows without features.
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

    /// The own values, and the feature's values for documents that do not have the field.
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
        // Feature values that own values replace need not be convertible.
        let hidden = zip(&has, &new_null_array(feature.data_type(), feature.len()), feature)?;
        let hidden = conformed(rows, field, feature_field, &hidden)?;
        Ok(zip(&has, array, &hidden)?)
    }
}

/// Where a field first occurs.
fn place(pending: &Pending, field: &str) -> Origin {
    let found = pending.batches().iter().find_map(|(rows, _)| match &rows.body {
        Body::Documents(documents) => documents.first_with(field).map(|row| rows.origin(row)),
        Body::Records(records) => Some(records.header().origin().clone()),
        Body::Table(_) => Some(rows.place()),
    });
    found.unwrap_or_else(|| Origin::line("output".into(), 1))
}

/// A type that Parquet does not support, and its field.
pub(super) struct Unsupported {
    pub(super) field: String,
    pub(super) found: String,
}

/// `field` with a type that Parquet supports.
///
/// Parquet has no seconds and no dates in milliseconds: if they are written as they are, other
/// readers take them for integers. The indices of a dictionary get 32 bits, because a row group can
/// have more values than a narrower index can count, and then no reader can read them.
fn fitted(field: &FieldRef) -> Result<FieldRef, Unsupported> {
    let data_type = data_type(field.data_type(), field.name())?;
    if data_type == *field.data_type() {
        return Ok(field.clone());
    }
    Ok(Arc::new(Field::clone(field).with_data_type(data_type)))
}

fn data_type(data_type: &DataType, path: &str) -> Result<DataType, Unsupported> {
    let inner = |field: &FieldRef| {
        let inner = self::data_type(field.data_type(), &format!("{path}.{}", field.name()))?;
        Ok(Arc::new(Field::clone(field).with_data_type(inner)))
    };
    Ok(match data_type {
        DataType::Timestamp(TimeUnit::Second, zone) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
        }
        DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Date64 => DataType::Date32,
        DataType::Dictionary(keys, values) => {
            let narrow = keys.primitive_width().is_none_or(|bytes| bytes < 4);
            let keys = if narrow { Box::new(DataType::Int32) } else { keys.clone() };
            DataType::Dictionary(keys, Box::new(self::data_type(values, path)?))
        }
        DataType::List(item) => DataType::List(inner(item)?),
        DataType::LargeList(item) => DataType::LargeList(inner(item)?),
        DataType::ListView(item) => DataType::ListView(inner(item)?),
        DataType::LargeListView(item) => DataType::LargeListView(inner(item)?),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item)?, *size),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries)?, *sorted),
        DataType::Struct(fields) if !fields.is_empty() => {
            DataType::Struct(fields.iter().map(inner).collect::<Result<Fields, _>>()?)
        }
        DataType::RunEndEncoded(ends, values) => {
            DataType::RunEndEncoded(ends.clone(), inner(values)?)
        }
        DataType::Union(..)
        | DataType::Struct(_)
        | DataType::Interval(IntervalUnit::MonthDayNano) => {
            return Err(Unsupported { field: path.to_owned(), found: data_type.to_string() });
        }
        other => other.clone(),
    })
}

/// Converts `array` to a column of `to`. Fails with the first row whose value would change.
fn converted(rows: &Rows, array: &ArrayRef, to: &Field) -> Result<ArrayRef, RowsError> {
    if array.data_type() == to.data_type() {
        return Ok(array.clone());
    }
    if let Some(converted) = exactly(array, to.data_type()) {
        return Ok(converted);
    }
    let row = (0..array.len()).find(|row| exactly(&array.slice(*row, 1), to.data_type()).is_none());
    let origin = if rows.is_empty() { rows.place() } else { rows.origin(row.unwrap_or(0)) };
    Err(RowsError::FieldValue {
        origin,
        field: to.name().clone(),
        problem: format!(
            "its {} is out of range as the {} that parquet has for it",
            array.data_type(),
            to.data_type()
        ),
    })
}

/// The array as `to`, if converting back gives the same values.
fn exactly(array: &ArrayRef, to: &DataType) -> Option<ArrayRef> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let there = cast_with_options(array, to, &strict).ok()?;
    let back = cast_with_options(&there, array.data_type(), &strict).ok()?;
    (back.to_data() == array.to_data()).then_some(there)
}
