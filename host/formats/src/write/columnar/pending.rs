//! Rows that wait for the schema, and the columns that they bring themselves. A column of nothing
//! but nulls has no type yet.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, FieldRef, Metadata, SchemaRef};

use crate::document::{TypedField, inferred};
use crate::record::Header;
use crate::rows::Body;
use crate::write::features::Features;
use crate::{Rows, RowsError};

/// The types of documents come from this many rows, if there are as many.
const INFERRED_FROM: usize = 1_000;

/// The largest number of pending rows.
const MOST_ROWS: usize = 10_000;

/// The largest size of the pending rows, in bytes.
const MOST_BYTES: usize = 32 << 20;

#[derive(Default)]
pub(super) struct Pending {
    batches: Vec<(Rows, Features)>,
    rows: usize,
    bytes: usize,
    /// The number of rows at which the schema is checked again: twice as many as last time, so that
    /// small batches are not slow.
    look_at: usize,
}

impl Pending {
    pub(super) fn push(&mut self, rows: Rows, features: Features) {
        self.rows += rows.len();
        self.bytes += rows.bytes();
        self.batches.push((rows, features));
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn batches(&self) -> &[(Rows, Features)] {
        &self.batches
    }

    /// Whether the schema is known, or has to be fixed because too many rows are pending.
    pub(super) fn is_settled(&mut self, declared: &[Field]) -> Result<bool, RowsError> {
        if self.rows >= MOST_ROWS || self.bytes >= MOST_BYTES {
            return Ok(true);
        }
        let Some((first, _)) = self.batches.first() else { return Ok(false) };
        let is_few = matches!(first.body, Body::Documents(_)) && self.rows < INFERRED_FROM;
        if is_few || self.rows < self.look_at.max(1) {
            return Ok(false);
        }
        self.look_at = 2 * self.rows;
        if !self.features(declared).iter().all(Option::is_some) {
            return Ok(false);
        }
        Ok(Own::of(self)?.is_settled())
    }

    /// The names of the features.
    pub(super) fn names(&self) -> Vec<String> {
        let with = self.batches.iter().find(|(_, features)| features.batch.is_some());
        let names = with.or(self.batches.last()).map(|(_, features)| features.names.clone());
        names.unwrap_or_default()
    }

    /// The columns of the features; `None` for one that has had only nulls.
    pub(super) fn features(&self, declared: &[Field]) -> Vec<Option<Field>> {
        if !declared.is_empty() {
            return declared.iter().cloned().map(Some).collect();
        }
        let names = self.names();
        let field = |position: usize| {
            self.batches.iter().find_map(|(_, features)| {
                let batch = features.batch.as_ref()?;
                let (field, array) = (batch.schema_ref().field(position), batch.column(position));
                let nothing = match field.data_type() {
                    DataType::Null => true,
                    DataType::Utf8 => array.null_count() == array.len(),
                    _ => false,
                };
                (!nothing || !field.metadata().is_empty())
                    .then(|| field.clone().with_nullable(true))
            })
        };
        (0..names.len()).map(field).collect()
    }
}

/// The rows' own columns, determined from the first rows.
pub(super) enum Own {
    /// There are no rows.
    Nothing,
    Documents(Vec<TypedField>),
    Records(Arc<Header>),
    Table(SchemaRef),
}

/// The own columns of some rows. For documents, also a mask of the rows that have the field.
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
                    Body::Documents(documents) => Some((rows.source(), documents)),
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
