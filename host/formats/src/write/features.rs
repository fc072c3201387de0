//! The features of one batch as a format gets them, and what all batches agree on: their names and
//! types.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::take::take_record_batch;
use beamlet_contract::FieldType;
use beamlet_contract::arrow::{self, is_decimal, is_json};
use beamlet_values::Values;

use super::convert::conformed;
use crate::{Rows, RowsError};

/// The features of some rows.
pub(super) struct Features {
    /// The names for a header, even if these rows have no features.
    pub(super) names: Vec<String>,
    /// The columns with these names, in their order; `None` for rows without features.
    pub(super) batch: Option<RecordBatch>,
    /// The declared columns; empty if there is no declaration.
    pub(super) declared: Arc<[Field]>,
}

impl Features {
    /// The features of the rows at `keep`.
    pub(super) fn select(&self, keep: &[usize]) -> Result<Self, RowsError> {
        let rows = UInt32Array::from_iter_values(keep.iter().map(|row| *row as u32));
        let batch = self.batch.as_ref().map(|batch| take_record_batch(batch, &rows)).transpose()?;
        Ok(Self { batch, ..self.without() })
    }

    /// The same columns without values.
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

/// The columns of the batches so far, or the declared columns.
pub(super) struct Known {
    declared: Option<Vec<Declared>>,
    fields: Arc<[Field]>,
    columns: Option<Vec<Column>>,
    /// A schema that is known to match.
    schema: Option<SchemaRef>,
    /// Whether the output is text, which accepts JSON texts and lists as they are.
    text: bool,
}

struct Declared {
    name: String,
    /// `None` if the output is text and the type is unknown.
    field: Option<Field>,
}

struct Column {
    name: String,
    /// `None` while every value is null in a column of strings.
    type_name: Option<String>,
}

impl Known {
    pub(super) fn new(text: bool) -> Self {
        Self { declared: None, fields: Arc::new([]), columns: None, schema: None, text }
    }

    /// Declares the columns.
    pub(super) fn declare(&mut self, features: Vec<(String, String)>) -> Result<(), RowsError> {
        let declared = features.into_iter().map(|(name, type_name)| {
            let field = match type_name.parse::<FieldType>() {
                Ok(of) => Some(arrow::field(&name, &of)),
                Err(_) if self.text => None,
                Err(why) => return Err(RowsError::FeatureTypeUnknown { field: name, why }),
            };
            Ok(Declared { name, field })
        });
        let declared = declared.collect::<Result<Vec<_>, _>>()?;
        self.fields = declared.iter().filter_map(|it| it.field.clone()).collect();
        self.declared = Some(declared);
        Ok(())
    }

    /// The declared columns.
    pub(super) fn declared(&self) -> Arc<[Field]> {
        self.fields.clone()
    }

    /// The columns of `batch`, if they match `rows` and earlier batches.
    pub(super) fn admit(
        &mut self,
        rows: &Rows,
        batch: Option<&RecordBatch>,
    ) -> Result<Features, RowsError> {
        let Some(batch) = batch.filter(|it| !rows.is_empty() || it.num_rows() == 0) else {
            return Ok(self.features(self.names(), None));
        };
        if batch.num_rows() != rows.len() {
            let (origin, features) = (rows.origin(0), batch.num_rows());
            return Err(RowsError::FeatureRows { origin, rows: rows.len(), features });
        }
        if let Some(declared) = &self.declared {
            let names = self.names();
            // Without rows, only the names matter.
            let batch =
                if rows.is_empty() { None } else { Some(self.align(rows, declared, batch)?) };
            return Ok(self.features(names, batch));
        }
        if !rows.is_empty() {
            self.agree(rows, batch)?;
        }
        let names = batch.schema_ref().fields().iter().map(|it| it.name().clone()).collect();
        Ok(self.features(names, (!rows.is_empty()).then(|| batch.clone())))
    }

    fn features(&self, names: Vec<String>, batch: Option<RecordBatch>) -> Features {
        Features { names, batch, declared: self.fields.clone() }
    }

    fn names(&self) -> Vec<String> {
        match &self.declared {
            Some(declared) => declared.iter().map(|it| it.name.clone()).collect(),
            None => self.columns.iter().flatten().map(|it| it.name.clone()).collect(),
        }
    }

    /// The declared columns, in their order and with their types. A column that `batch` lacks is
    /// null.
    fn align(
        &self,
        rows: &Rows,
        declared: &[Declared],
        batch: &RecordBatch,
    ) -> Result<RecordBatch, RowsError> {
        let given = batch.schema_ref().fields();
        for (position, field) in given.iter().enumerate() {
            let (origin, name) = (|| rows.origin(0), field.name());
            if given[..position].iter().any(|before| before.name() == name) {
                return Err(RowsError::FeatureTwice { origin: origin(), field: name.clone() });
            }
            if !declared.iter().any(|it| it.name == *name) {
                return Err(RowsError::FeatureUndeclared { origin: origin(), field: name.clone() });
            }
        }
        let mut fields = Vec::with_capacity(declared.len());
        let mut arrays = Vec::with_capacity(declared.len());
        for Declared { name, field: target } in declared {
            let found = batch.schema_ref().column_with_name(name);
            let (field, array) = match (found, target) {
                (None, Some(target)) => {
                    (target.clone(), new_null_array(target.data_type(), rows.len()))
                }
                (None, None) => {
                    let null = new_null_array(&DataType::Null, rows.len());
                    (Field::new(name, DataType::Null, true), null)
                }
                (Some((position, field)), Some(target)) if !self.as_it_is(field, target) => {
                    let array = batch.column(position);
                    (target.clone(), conformed(rows, target, field, array)?)
                }
                (Some((position, field)), _) => (field.clone(), batch.column(position).clone()),
            };
            fields.push(field);
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
    }

    /// In text, a JSON text and the value that it represents are spelled the same.
    fn as_it_is(&self, field: &Field, target: &Field) -> bool {
        self.text && (is_json(field) || is_json(target))
    }

    fn agree(&mut self, rows: &Rows, batch: &RecordBatch) -> Result<(), RowsError> {
        if let Some(known) = &self.schema
            && known == batch.schema_ref()
        {
            return Ok(());
        }
        let fields: Vec<_> = batch.schema_ref().fields().iter().zip(batch.columns()).collect();
        let Some(columns) = &mut self.columns else {
            for (position, (field, _)) in fields.iter().enumerate() {
                if fields[..position].iter().any(|(before, _)| before.name() == field.name()) {
                    return Err(RowsError::FeatureTwice {
                        origin: rows.origin(0),
                        field: field.name().clone(),
                    });
                }
            }
            let known = fields.into_iter().map(|(field, array)| Column {
                name: field.name().clone(),
                type_name: type_name_of(field, array),
            });
            self.columns = Some(known.collect());
            return Ok(());
        };
        if !columns.iter().map(|it| &it.name).eq(fields.iter().map(|(field, _)| field.name())) {
            let was: Vec<_> = columns.iter().map(|it| it.name.as_str()).collect();
            let now: Vec<_> = fields.iter().map(|(field, _)| field.name().as_str()).collect();
            let (was, now) = (was.join(", "), now.join(", "));
            return Err(RowsError::FeatureColumns { origin: rows.origin(0), was, now });
        }
        let mut settled = true;
        for (known, (field, array)) in columns.iter_mut().zip(fields) {
            match (&known.type_name, type_name_of(field, array)) {
                (Some(was), Some(now)) if !go_together(was, &now) => {
                    let (origin, field, was) = (rows.origin(0), known.name.clone(), was.clone());
                    return Err(RowsError::FeatureType { origin, field, was, now });
                }
                (Some(_), Some(_)) => {}
                (Some(_), None) => settled = false,
                (None, now) => {
                    settled &= now.is_some();
                    known.type_name = now;
                }
            }
        }
        if settled {
            self.schema = Some(batch.schema());
        }
        Ok(())
    }
}

/// Whether two types are the same in a text format: a list that contains a null comes as JSON,
/// other lists of the same column as lists.
fn go_together(was: &str, now: &str) -> bool {
    let json_and_list = |one: &str, other: &str| one == "json" && other.starts_with("list");
    was == now || json_and_list(was, now) || json_and_list(now, was)
}

/// The type as a message names it; `None` for strings that are all null.
fn type_name_of(field: &Field, array: &dyn Array) -> Option<String> {
    match field.data_type() {
        DataType::Utf8
            if array.null_count() == array.len()
                && type_name(field).is_none_or(|it| it == "string") =>
        {
            None
        }
        _ => type_name(field),
    }
}

/// The type as a message names it; `None` for Arrow's null type.
fn type_name(field: &Field) -> Option<String> {
    if is_json(field) {
        return Some("json".to_owned());
    }
    if is_decimal(field) {
        return Some("decimal".to_owned());
    }
    match field.data_type() {
        DataType::Null => None,
        DataType::Utf8 | DataType::LargeUtf8 => Some("string".to_owned()),
        other => Some(other.to_string().to_ascii_lowercase()),
    }
}
