//! Rows of NDJSON: the text of each line as it was read, and the keys that were seen in them.

mod column;
mod scan;

use std::sync::{Arc, OnceLock};

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::Schema;

pub(crate) use self::column::TypedField;
use self::column::{Column, common_type};
use self::scan::Keys;
pub(crate) use self::scan::{Scan, members};
use crate::origin::Positions;
use crate::{Field, Origin, RowsError, ValueType};

/// State that the batches of one reader share.
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
        let checked = Arc::new((*self.checked).clone()); // a check of fewer rows does not cover all of them
        Self { positions: self.positions.select(keep), checked, ..self.clone() }
    }

    pub(crate) fn len(&self) -> usize {
        self.positions.len()
    }

    /// Where a row stands in its source.
    pub(crate) fn origin(&self, source: &Arc<str>, row: usize) -> Origin {
        Origin::line(source.clone(), self.line(row))
    }

    fn line(&self, row: usize) -> u64 {
        self.lines[self.positions.get(row)]
    }

    /// The line's text. It ends with the closing brace once the rows are checked.
    pub(crate) fn text(&self, row: usize) -> &str {
        self.texts.value(self.positions.get(row))
    }

    /// Checks that every line is a JSON object.
    pub(crate) fn check(&self, origin: impl Fn(usize) -> Origin) -> Result<(), RowsError> {
        match self.checked.get() {
            Some(()) => Ok(()),
            None => self.scan(&[], origin, |_, _| Ok(())),
        }
    }

    /// Checks that one line is a JSON object.
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

    /// Parses each line, and passes the texts of the values of `names` to `visit`: `None` where the
    /// row does not have the field.
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
            let column = Column::new(&values, stated.map(|(_, value_type)| *value_type)).map_err(
                |fault| {
                    let origin = origin(fault.row);
                    fault.at(origin, &field.name, true)
                },
            )?;
            schema.push(column.field(&field.name));
            arrays.push(column.array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.len()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(schema)), arrays, &options)?)
    }

    /// The columns of `fields`, each with a mask of the rows that have the field.
    pub(crate) fn columns(
        &self,
        fields: &[TypedField],
        origin: impl Fn(usize) -> Origin,
    ) -> Result<Vec<(ArrayRef, BooleanBuffer)>, RowsError> {
        let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
        let mut scan = Scan::new(&names);
        let mut found = vec![None; names.len()];
        let mut columns: Vec<Vec<Option<&str>>> = vec![Vec::with_capacity(self.len()); names.len()];
        for row in 0..self.len() {
            found.fill(None);
            scan.line(self.text(row), &mut found).map_err(|fault| fault.at(origin(row)))?;
            if let Some(key) = scan.unwanted() {
                let (origin, field) = (origin(row), key.to_owned());
                return Err(RowsError::LateField { origin, field });
            }
            columns.iter_mut().zip(&found).for_each(|(column, value)| column.push(*value));
        }
        let columns = fields.iter().zip(columns).map(|(field, values)| {
            let present = values.iter().map(Option::is_some).collect();
            let values: Vec<_> =
                values.into_iter().map(|it| it.filter(|text| *text != "null")).collect();
            let column = if field.stated {
                Column::new(&values, field.value_type)
            } else {
                Column::like_before(&values, field.value_type())
            };
            let column = column.map_err(|fault| {
                let origin = origin(fault.row);
                fault.at(origin, &field.name, field.stated)
            })?;
            Ok((column.array, present))
        });
        columns.collect()
    }
}

/// The fields of the first rows, in the order in which they appear, each with its stated type or
/// the type that holds every value. Fields that only have a stated type follow.
pub(crate) fn inferred(batches: &[(&Arc<str>, &Documents)]) -> Result<Vec<TypedField>, RowsError> {
    let mut keys = Scan::new(&[]);
    for (source, documents) in batches {
        for row in 0..documents.len() {
            keys.line(documents.text(row), &mut [])
                .map_err(|fault| fault.at(documents.origin(source, row)))?;
        }
    }
    let stated: &[_] = batches.first().map_or(&[], |(_, it)| &it.shared.types);
    let mut names: Vec<&str> = keys.keys().collect();
    for (name, _) in stated {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut columns: Vec<Vec<Option<&str>>> = vec![Vec::new(); names.len()];
    for (source, documents) in batches {
        documents.scan(
            &names,
            |row| documents.origin(source, row),
            |_, found| {
                for (column, value) in columns.iter_mut().zip(found) {
                    column.push(value.filter(|text| *text != "null"));
                }
                Ok(())
            },
        )?;
    }
    let fields = names.into_iter().zip(columns).map(|(name, values)| {
        let stated = stated.iter().find(|(field, _)| field == name).map(|(_, it)| *it);
        let value_type = stated.or_else(|| common_type(&values));
        TypedField { name: name.to_owned(), value_type, stated: stated.is_some() }
    });
    Ok(fields.collect())
}
