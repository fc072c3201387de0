//! What all batches of features agree on: their names and types.

use arrow_array::{Array, RecordBatch};
use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, Field, SchemaRef};

use super::feature::Feature;
use crate::json_text::ARROW_JSON;
use crate::{Rows, RowsError};

/// The key in a feature column's metadata that names a type which Arrow spells as a string.
pub const TYPE_KEY: &str = "beamlet:type";

/// The value of [`TYPE_KEY`] for a decimal number of any precision.
pub const DECIMAL: &str = "decimal";

/// The columns of the batches so far.
#[derive(Default)]
pub(super) struct Features {
    columns: Option<Vec<Known>>,
    /// A schema that was found to be right.
    schema: Option<SchemaRef>,
}

struct Known {
    name: String,
    /// `None` while every value is null in a column of strings.
    type_name: Option<String>,
}

impl Features {
    /// The columns of `batch`, if they go with `rows` and with the batches before.
    pub(super) fn admit<'a>(
        &mut self,
        rows: &Rows,
        batch: Option<&'a RecordBatch>,
    ) -> Result<Vec<Feature<'a>>, RowsError> {
        if rows.is_empty() {
            // Without rows there is nothing to agree on but the names, which a header wants.
            let columns = batch
                .filter(|batch| batch.num_rows() == 0)
                .into_iter()
                .flat_map(|batch| batch.schema_ref().fields().iter().zip(batch.columns()));
            return Ok(columns
                .filter_map(|(field, array)| Feature::new(field, array).ok())
                .collect());
        }
        if let Some(batch) = batch.filter(|batch| batch.num_rows() != rows.len()) {
            let (origin, features) = (rows.origin(0), batch.num_rows());
            return Err(RowsError::FeatureRows { origin, rows: rows.len(), features });
        }
        self.agree(rows, batch)?;
        let Some(batch) = batch else { return Ok(Vec::new()) };
        let columns = batch.schema_ref().fields().iter().zip(batch.columns());
        let features = columns.map(|(field, array)| {
            Feature::new(field, array).map_err(|data_type| RowsError::FeatureUnsupported {
                origin: rows.origin(0),
                field: field.name().clone(),
                found: data_type.to_string(),
            })
        });
        features.collect()
    }

    fn agree(&mut self, rows: &Rows, batch: Option<&RecordBatch>) -> Result<(), RowsError> {
        if let (Some(known), Some(batch)) = (&self.schema, batch)
            && known == batch.schema_ref()
        {
            return Ok(());
        }
        let fields: Vec<_> =
            batch.iter().flat_map(|it| it.schema_ref().fields().iter().zip(it.columns())).collect();
        let Some(columns) = &mut self.columns else {
            for (position, (field, _)) in fields.iter().enumerate() {
                if fields[..position].iter().any(|(before, _)| before.name() == field.name()) {
                    return Err(RowsError::FeatureTwice {
                        origin: rows.origin(0),
                        field: field.name().clone(),
                    });
                }
            }
            let known = fields.into_iter().map(|(field, array)| Known {
                name: field.name().clone(),
                type_name: type_name(field, array),
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
            match (&known.type_name, type_name(field, array)) {
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
            self.schema = batch.map(|it| it.schema());
        }
        Ok(())
    }
}

/// Whether two types are one in a file of text: a list with a null in it comes as JSON, others of
/// its column as lists.
fn go_together(was: &str, now: &str) -> bool {
    let json_and_list = |one: &str, other: &str| one == "json" && other.starts_with("list");
    was == now || json_and_list(was, now) || json_and_list(now, was)
}

/// The type as a message names it; `None` for strings that are all null.
fn type_name(field: &Field, array: &dyn Array) -> Option<String> {
    let of = |key: &str| field.metadata().get(key).map(String::as_str);
    if of(EXTENSION_TYPE_NAME_KEY) == Some(ARROW_JSON) {
        return Some("json".to_owned());
    }
    if of(TYPE_KEY) == Some(DECIMAL) {
        return Some("decimal".to_owned());
    }
    match field.data_type() {
        DataType::Null => None,
        DataType::Utf8 if array.null_count() == array.len() => None,
        DataType::Utf8 | DataType::LargeUtf8 => Some("string".to_owned()),
        other => Some(other.to_string().to_ascii_lowercase()),
    }
}
