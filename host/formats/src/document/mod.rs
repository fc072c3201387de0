//! Rows of NDJSON: each line's text as it is, and what is known of its keys.

mod column;
mod keys;
mod members;
mod scan;
mod schema;

use std::sync::{Arc, OnceLock};

use arrow_array::{RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::Schema;

use self::keys::Keys;
pub(crate) use self::members::members;
pub(crate) use self::scan::Scan;
pub(crate) use self::schema::{TypedField, inferred};
use crate::positions::Positions;
use crate::{Field, Origin, RowsError, ValueType};

/// What the batches of one reader share.
#[derive(Debug)]
pub(crate) struct Shared {
    types: Vec<(String, ValueType)>,
    keys: Keys,
}

impl Shared {
    pub(crate) fn new(types: Vec<(String, ValueType)>) -> Self {
        Self { types, keys: Keys::default() }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Documents {
    texts: StringArray,
    lines: Arc<[u64]>,
    positions: Positions,
    shared: Arc<Shared>,
    /// Set when every line is known to be a JSON object, and its keys are in `shared`.
    checked: Arc<OnceLock<()>>,
}

impl Documents {
    pub(crate) fn new(texts: StringArray, lines: Arc<[u64]>, shared: Arc<Shared>) -> Self {
        let positions = Positions::first(lines.len());
        Self { texts, lines, positions, shared, checked: Arc::default() }
    }

    /// The rows at `keep`, which must ascend.
    pub(crate) fn select(&self, keep: &[usize]) -> Self {
        let checked = Arc::new((*self.checked).clone()); // fewer rows do not vouch for all
        Self { positions: self.positions.select(keep), checked, ..self.clone() }
    }

    pub(crate) fn len(&self) -> usize {
        self.positions.len()
    }

    pub(crate) fn line(&self, row: usize) -> u64 {
        self.lines[self.positions.get(row)]
    }

    /// The line's text, which ends with its closing brace once the rows are checked.
    pub(crate) fn text(&self, row: usize) -> &str {
        self.texts.value(self.positions.get(row))
    }

    /// Makes sure that every line is a JSON object.
    pub(crate) fn check(&self, origin: impl Fn(usize) -> Origin) -> Result<(), RowsError> {
        match self.checked.get() {
            Some(()) => Ok(()),
            None => self.scan(&[], origin, |_, _| Ok(())),
        }
    }

    /// Makes sure that one line is a JSON object.
    pub(crate) fn check_row(
        &self,
        row: usize,
        origin: impl Fn() -> Origin,
    ) -> Result<(), RowsError> {
        match self.checked.get() {
            Some(()) => Ok(()),
            None => {
                Scan::new(&[]).line(self.text(row), &mut []).map_err(|fault| fault.at(origin()))
            }
        }
    }

    /// Whether a checked row of this reader may have the key `name`.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.shared.keys.may_have(name)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.texts.value_data().len()
    }

    /// The first row that has the key `name`.
    pub(crate) fn first_with(&self, name: &str) -> Option<usize> {
        let mut scan = Scan::new(&[name]);
        (0..self.len()).find(|row| {
            let mut found = [None];
            scan.line(self.text(*row), &mut found).is_ok() && found[0].is_some()
        })
    }

    /// Parses each line and hands out the text of the values of `names`: `None` where the row does
    /// not have the field.
    pub(crate) fn scan<'a>(
        &'a self,
        names: &[&str],
        origin: impl Fn(usize) -> Origin,
        mut visit: impl FnMut(usize, &[Option<&'a str>]) -> Result<(), RowsError>,
    ) -> Result<(), RowsError> {
        let mut scan = Scan::new(names);
        let mut found = vec![None; names.len()];
        for row in 0..self.len() {
            found.fill(None);
            scan.line(self.text(row), &mut found).map_err(|fault| fault.at(origin(row)))?;
            visit(row, &found)?;
        }
        self.shared.keys.add(scan.keys());
        let _ = self.checked.set(()); // a second scan finds the same
        Ok(())
    }

    pub(crate) fn project(
        &self,
        fields: &[Field],
        origin: impl Fn(usize) -> Origin,
    ) -> Result<RecordBatch, RowsError> {
        let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
        let mut columns: Vec<Vec<Option<&str>>> =
            vec![Vec::with_capacity(self.len()); fields.len()];
        self.scan(&names, &origin, |row, found| {
            for ((field, column), value) in fields.iter().zip(&mut columns).zip(found) {
                if value.is_none() && field.required {
                    return Err(RowsError::FieldMissing {
                        origin: origin(row),
                        field: field.name.clone(),
                    });
                }
                column.push(value.filter(|text| *text != "null"));
            }
            Ok(())
        })?;

        let mut schema = Vec::with_capacity(fields.len());
        let mut arrays = Vec::with_capacity(fields.len());
        for (field, values) in fields.iter().zip(columns) {
            let stated = self.shared.types.iter().find(|(name, _)| *name == field.name);
            let column = column::Column::new(&values, stated.map(|(_, value_type)| *value_type))
                .map_err(|fault| {
                    let origin = origin(fault.row);
                    fault.at(origin, &field.name, true)
                })?;
            schema.push(column.field(&field.name));
            arrays.push(column.array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.len()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(schema)), arrays, &options)?)
    }
}
