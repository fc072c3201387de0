//! Rows that wait for the schema: a column of nothing but nulls has no type yet.

use arrow_schema::{DataType, Field};

use super::own::Own;
use crate::rows::Body;
use crate::write::feature::Features;
use crate::{Rows, RowsError};

/// The types of documents come from this many rows, if there are as many.
const INFERRED_FROM: usize = 1_000;

/// No more rows than this are pending back.
const MOST_ROWS: usize = 10_000;

/// Nor more bytes.
const MOST_BYTES: usize = 32 << 20;

#[derive(Default)]
pub(super) struct Pending {
    batches: Vec<(Rows, Features)>,
    rows: usize,
    bytes: usize,
    /// As many rows it takes to look again: twice as many as last time, so that small batches do
    /// not make it slow.
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

    /// Whether the schema can be told, or has to be.
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

    /// The columns of the features; `None` for one that had nothing but nulls.
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
