//! The columns that rows bring themselves.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::BooleanBuffer;
use arrow_schema::{Field, FieldRef, Metadata, SchemaRef};

use super::pending::Pending;
use crate::document::{TypedField, inferred};
use crate::record::Header;
use crate::rows::Body;
use crate::{Rows, RowsError};

/// What the first rows say of all.
pub(super) enum Own {
    /// No row came.
    Nothing,
    Documents(Vec<TypedField>),
    Records(Arc<Header>),
    Table(SchemaRef),
}

/// The own columns of some rows; of documents, also which rows have the field.
pub(super) type Columns = Vec<(ArrayRef, Option<BooleanBuffer>)>;

impl Own {
    pub(super) fn of(pending: &Pending) -> Result<Self, RowsError> {
        let batches = pending.batches();
        let Some((first, _)) = batches.first() else { return Ok(Self::Nothing) };
        Ok(match &first.body {
            Body::Table(table) => Self::Table(table.schema().clone()),
            Body::Records(records) => Self::Records(records.header().clone()),
            Body::Documents(_) => {
                let documents = batches.iter().filter_map(|(rows, _)| match &rows.body {
                    Body::Documents(documents) => Some((rows, documents)),
                    _ => None,
                });
                Self::Documents(inferred(&documents.collect::<Vec<_>>())?)
            }
        })
    }

    /// Whether every column has its type.
    pub(super) fn is_settled(&self) -> bool {
        match self {
            Self::Documents(fields) => fields.iter().all(|it| it.value_type.is_some()),
            _ => true,
        }
    }

    pub(super) fn fields(&self) -> Vec<FieldRef> {
        let field = |field: Field| Arc::new(field);
        match self {
            Self::Nothing => Vec::new(),
            Self::Table(schema) => schema.fields().iter().cloned().collect(),
            Self::Records(header) => {
                header.columns().iter().map(|it| field(it.value_type.field(&it.name))).collect()
            }
            Self::Documents(fields) => {
                fields.iter().map(|it| field(it.value_type().field(&it.name))).collect()
            }
        }
    }

    pub(super) fn metadata(&self) -> Metadata {
        match self {
            Self::Table(schema) => schema.metadata().clone(),
            _ => Metadata::default(),
        }
    }

    /// The columns of `rows`.
    pub(super) fn columns(&self, rows: &Rows) -> Result<Columns, RowsError> {
        match (self, &rows.body) {
            (Self::Documents(fields), Body::Documents(documents)) => {
                let columns = documents.columns(fields, |row| rows.origin(row))?;
                Ok(columns.into_iter().map(|(array, has)| (array, Some(has))).collect())
            }
            (Self::Records(header), Body::Records(records))
                if header.same_names(records.header()) =>
            {
                let columns = 0..header.len();
                columns.map(|at| Ok((records.column(at, rows.source())?, None))).collect()
            }
            (Self::Table(schema), Body::Table(table))
                if schema.fields() == table.schema().fields() =>
            {
                Ok(table.batch().columns().iter().map(|array| (array.clone(), None)).collect())
            }
            _ => Err(RowsError::OtherColumns { origin: rows.place() }),
        }
    }
}
