//! NDJSON: features are put in before a document's closing brace; what stands before is copied.

mod conflicts;
mod objects;
mod splice;

use super::Write;
use super::aside::Aside;
use super::feature::Features;
use crate::rows::Body;
use crate::{OnConflict, Rows, RowsError};
use beamlet_values::json;

pub(super) struct Ndjson {
    on_conflict: OnConflict,
}

impl Ndjson {
    pub(super) fn new(on_conflict: OnConflict) -> Self {
        Self { on_conflict }
    }
}

impl Ndjson {
    fn append(&self, rows: &Rows, features: &Features, out: &mut Vec<u8>) -> Result<(), RowsError> {
        if rows.is_empty() {
            return Ok(());
        }
        let texts = features.texts(rows)?;
        match &rows.body {
            Body::Documents(documents) => {
                splice::write(rows, documents, &texts, &self.on_conflict, out)
            }
            Body::Records(records) => {
                objects::records(rows, records, features, &self.on_conflict, out)
            }
            Body::Table(table) => objects::table(rows, table, features, &self.on_conflict, out),
        }
    }
}

impl Write for Ndjson {
    fn write(
        &mut self,
        rows: &Rows,
        features: Features,
        out: &mut Vec<u8>,
        aside: &mut Aside,
    ) -> Result<(), RowsError> {
        let start = out.len();
        match self.append(rows, &features, out) {
            Err(error) if aside.takes(&error) => {
                let without = features.without();
                let check = |rows: &Rows| self.append(rows, &without, &mut Vec::new());
                let good = aside.sift(rows, check);
                out.truncate(start);
                self.append(&rows.select(&good), &features.select(&good)?, out)
            }
            done => done,
        }
    }
}

/// `,"name":`, for a member behind another.
fn key(name: &str) -> Vec<u8> {
    let mut key = vec![b','];
    json::string(name, &mut key);
    key.push(b':');
    key
}
