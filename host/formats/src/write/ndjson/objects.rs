//! Rows with a header or a schema become objects of its keys.

use super::key;
use crate::record::{Misfit, Records};
use crate::table::{Table, bad_value};
use crate::write::feature::{Feature, Features};
use crate::{OnConflict, Origin, Rows, RowsError};
use beamlet_contract::join::{self, Column};

pub(super) fn records(
    rows: &Rows,
    records: &Records,
    features: &Features,
    on_conflict: &OnConflict,
    out: &mut Vec<u8>,
) -> Result<(), RowsError> {
    let header = records.header();
    let own = header.columns().iter().map(|it| it.name.as_str());
    let objects = Objects::new(own, header.origin(), rows, features, on_conflict)?;
    let row_at = |row| records.row(row);
    objects.write(out, row_at, |row, record, position, out| {
        let Some(cell) = record.value(position) else {
            out.extend_from_slice(b"null");
            return Ok(());
        };
        if header.column(position).json(cell, out) {
            return Ok(());
        }
        Err(header.misfit(rows.origin(row), position, Misfit::new(row, cell)))
    })
}

pub(super) fn table(
    rows: &Rows,
    table: &Table,
    features: &Features,
    on_conflict: &OnConflict,
    out: &mut Vec<u8>,
) -> Result<(), RowsError> {
    let values = table.values(&rows.origin(0))?;
    let own = table.schema().fields().iter().map(|it| it.name().as_str());
    let objects = Objects::new(own, &rows.origin(0), rows, features, on_conflict)?;
    objects.write(
        out,
        |_| (),
        |row, (), position, out| {
            values[position].json(row, out).map_err(|problem| {
                bad_value(&rows.origin(row), table.schema().field(position), problem)
            })
        },
    )
}

struct Objects<'a> {
    rows: &'a Rows,
    columns: Vec<Column>,
    keys: Vec<Vec<u8>>,
    features: Vec<Feature<'a>>,
    /// A feature stands in the place of an own value of its name.
    right: bool,
}

impl<'a> Objects<'a> {
    fn new<'n>(
        own: impl Iterator<Item = &'n str>,
        origin: &Origin,
        rows: &'a Rows,
        features: &'a Features,
        on_conflict: &OnConflict,
    ) -> Result<Self, RowsError> {
        let columns = join::columns(own, &features.names, on_conflict)
            .map_err(|clash| RowsError::of_clash(clash, origin.clone()))?;
        let keys = columns.iter().map(|it| key(&it.name)).collect();
        let features = features.texts(rows)?;
        Ok(Self { rows, columns, keys, features, right: *on_conflict == OnConflict::Right })
    }

    /// Writes all rows; `record` finds one, and `own` appends its value at a position.
    fn write<R: Copy>(
        &self,
        out: &mut Vec<u8>,
        record: impl Fn(usize) -> R,
        own: impl Fn(usize, R, usize, &mut Vec<u8>) -> Result<(), RowsError>,
    ) -> Result<(), RowsError> {
        let ends: Vec<_> = self
            .columns
            .iter()
            .zip(&self.keys)
            .map(|(column, key)| {
                let feature = column.feature.and_then(|at| self.features.get(at));
                (key, column.own.filter(|_| feature.is_none() || !self.right), feature)
            })
            .collect();
        for row in 0..self.rows.len() {
            let start = out.len();
            let record = record(row);
            for (key, position, feature) in &ends {
                match (position, feature) {
                    (Some(position), _) => {
                        out.extend_from_slice(key);
                        own(row, record, *position, out)?;
                    }
                    (_, Some(feature)) => {
                        out.extend_from_slice(key);
                        feature.json(self.rows, row, out)?;
                    }
                    // A row that comes without features gets none.
                    (_, None) => {}
                }
            }
            if out.len() == start {
                out.push(b'{');
            }
            out[start] = b'{'; // the comma of the first key
            out.extend_from_slice(b"}\n");
        }
        Ok(())
    }
}
