//! Parquet and Arrow: one schema for all rows, which the first of them settle.

mod dictionaries;
mod encode;
mod fit;
mod held;
mod own;
mod table;

use std::sync::Arc;

use arrow_schema::Field;

use self::encode::Encode;
use self::fit::Unsupported;
use self::held::Held;
use self::table::Table;
use super::Write;
use super::feature::Features;
use crate::guard::guarded;
use crate::{Format, OnConflict, Rows, RowsError};

pub(super) struct Columnar {
    name: Arc<str>,
    format: Format,
    on_conflict: OnConflict,
    held: Held,
    /// There once the schema is settled.
    open: Option<Open>,
}

struct Open {
    table: Table,
    encoder: Box<dyn Encode + Send>,
}

impl Columnar {
    pub(super) fn new(name: Arc<str>, format: Format, on_conflict: OnConflict) -> Self {
        Self { name, format, on_conflict, held: Held::default(), open: None }
    }

    /// Settles the schema, and writes what was held back.
    fn open(&mut self, declared: &[Field], out: &mut Vec<u8>) -> Result<(), RowsError> {
        let held = std::mem::take(&mut self.held);
        let mut table = Table::new(&held, declared, &self.on_conflict)?;
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
        held.batches().iter().try_for_each(|(rows, features)| self.encode(rows, features, out))
    }

    fn encode(
        &mut self,
        rows: &Rows,
        features: &Features,
        out: &mut Vec<u8>,
    ) -> Result<(), RowsError> {
        let Some(Open { table, encoder }) = &mut self.open else { return Ok(()) };
        let batch = table.batch(rows, features)?;
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
    ) -> Result<(), RowsError> {
        if self.open.is_some() {
            return self.encode(rows, &features, out);
        }
        let declared = features.declared.clone();
        self.held.push(rows.clone(), features);
        if self.held.is_settled(&declared)? { self.open(&declared, out) } else { Ok(()) }
    }

    fn finish(&mut self, declared: &[Field], out: &mut Vec<u8>) -> Result<(), RowsError> {
        if self.open.is_none() {
            self.open(declared, out)?;
        }
        let Some(mut open) = self.open.take() else { return Ok(()) };
        guarded(|| open.encoder.finish(out)).map_err(|problem| self.fault(problem))
    }
}
