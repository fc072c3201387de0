//! Parquet and Arrow: one schema for all rows, determined by the first rows.

mod encode;
mod pending;
mod table;

use std::sync::Arc;

use arrow_schema::Field;

use self::encode::Encode;
use self::pending::Pending;
use self::table::{Table, Unsupported};
use super::Write;
use super::aside::Aside;
use super::features::Features;
use crate::guard::guarded;
use crate::{Format, OnConflict, Rows, RowsError};

pub(super) struct Columnar {
    name: Arc<str>,
    format: Format,
    on_conflict: OnConflict,
    pending: Pending,
    /// `Some` once the schema is fixed.
    open: Option<Open>,
}

struct Open {
    table: Table,
    encoder: Box<dyn Encode + Send>,
}

impl Columnar {
    pub(super) fn new(name: Arc<str>, format: Format, on_conflict: OnConflict) -> Self {
        Self { name, format, on_conflict, pending: Pending::default(), open: None }
    }

    /// Fixes the schema, and writes the pending rows.
    fn open(
        &mut self,
        declared: &[Field],
        out: &mut Vec<u8>,
        aside: &mut Aside,
    ) -> Result<(), RowsError> {
        let pending = std::mem::take(&mut self.pending);
        let mut table = Table::new(&pending, declared, &self.on_conflict)?;
        if self.format == Format::Parquet {
            table.fit().map_err(|Unsupported { field, found }| RowsError::ColumnUnsupported {
                name: self.name.clone(),
                format: self.format,
                field,
                found,
            })?;
        }
        let encoder = guarded(|| encode::encoder(self.format, table.file_schema()))
            .map_err(|problem| self.fault(problem))?;
        self.open = Some(Open { table, encoder });
        let mut batches = pending.batches().iter();
        batches.try_for_each(|(rows, features)| self.encode(rows, features, out, aside))
    }

    fn encode(
        &mut self,
        rows: &Rows,
        features: &Features,
        out: &mut Vec<u8>,
        aside: &mut Aside,
    ) -> Result<(), RowsError> {
        let Some(Open { table, encoder }) = &mut self.open else { return Ok(()) };
        let batch = match table.batch(rows, features) {
            Err(error) if aside.takes(&error) => {
                let without = features.without();
                let good = aside.sift(rows, |rows| table.batch(rows, &without).map(drop));
                table.batch(&rows.select(&good), &features.select(&good)?)?
            }
            batch => batch?,
        };
        if batch.num_rows() == 0 {
            return Ok(());
        }
        guarded(|| encoder.write(&batch, out)).map_err(|problem| RowsError::Columns {
            name: self.name.clone(),
            format: self.format,
            problem,
        })
    }

    fn fault(&self, problem: String) -> RowsError {
        RowsError::Columns { name: self.name.clone(), format: self.format, problem }
    }
}

impl Write for Columnar {
    fn write(
        &mut self,
        rows: &Rows,
        features: Features,
        out: &mut Vec<u8>,
        aside: &mut Aside,
    ) -> Result<(), RowsError> {
        if self.open.is_some() {
            return self.encode(rows, &features, out, aside);
        }
        let declared = features.declared.clone();
        self.pending.push(rows.clone(), features);
        if self.pending.is_settled(&declared)? { self.open(&declared, out, aside) } else { Ok(()) }
    }

    fn pending(&self) -> usize {
        self.pending.rows()
    }

    fn settle(
        &mut self,
        declared: &[Field],
        out: &mut Vec<u8>,
        aside: &mut Aside,
    ) -> Result<(), RowsError> {
        if self.open.is_some() { Ok(()) } else { self.open(declared, out, aside) }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), RowsError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        guarded(|| open.encoder.finish(out)).map_err(|problem| self.fault(problem))
    }
}
