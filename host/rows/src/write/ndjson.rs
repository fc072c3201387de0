//! NDJSON: features are put in before a document's closing brace; what stands before is copied.

mod conflicts;
mod objects;
mod splice;

use super::Write;
use super::feature::Features;
use crate::rows::Body;
use crate::{OnConflict, Rows, RowsError, json};

pub(super) struct Ndjson {
    on_conflict: OnConflict,
}

impl Ndjson {
    pub(super) fn new(on_conflict: OnConflict) -> Self {
        Self { on_conflict }
    }
}

impl Write for Ndjson {
    fn write(
        &mut self,
        rows: &Rows,
        features: Features,
        out: &mut Vec<u8>,
    ) -> Result<(), RowsError> {
        if rows.is_empty() {
            return Ok(());
        }
        let texts = features.texts(rows)?;
        match &rows.body {
            Body::Documents(documents) => {
                splice::write(rows, documents, &texts, &self.on_conflict, out)
            }
            Body::Records(records) => {
                objects::records(rows, records, &features, &self.on_conflict, out)
            }
            Body::Table(table) => objects::table(rows, table, &features, &self.on_conflict, out),
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
