//! Reads a view's CSV: finds columns by name, and reports a bad cell with its line.

use csv::StringRecord;

use super::Place;
use crate::data_type::DataType;
use crate::repository::{RepositoryError, Rows, Source};
use crate::value::{Value, read_cell};

/// A CSV in memory, with its header read.
pub(super) struct Table {
    name: String,
    null: String,
    header: StringRecord,
    rows: Vec<StringRecord>,
}

/// The position of a column in a [`Table`].
#[derive(Clone, Copy)]
pub(super) struct Column(usize);

impl Table {
    pub(super) fn read(source: &Source, place: &Place<'_>) -> Result<Self, RepositoryError> {
        let (name, text) = match &source.rows {
            Rows::Text(text) => ("its text".to_owned(), text.clone()),
            Rows::File(path) => {
                let path = place.folder().join(path);
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| RepositoryError::Read { path: path.clone(), source })?;
                (path.display().to_string(), text)
            }
        };
        let problem = |error: csv::Error| place.problem(format!("{name}: {error}"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().map_err(problem)?.clone();
        let rows = reader.records().collect::<Result<_, _>>().map_err(problem)?;
        Ok(Self { name, null: source.null.clone(), header, rows })
    }

    pub(super) fn column(&self, name: &str, place: &Place<'_>) -> Result<Column, RepositoryError> {
        let found = self.header.iter().position(|column| column == name);
        found.map(Column).ok_or_else(|| {
            let columns: Vec<_> = self.header.iter().collect();
            place.problem(format!(
                "{} has no column `{name}`; it has {}",
                self.name,
                columns.join(", ")
            ))
        })
    }

    /// The number of rows, without the header.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The cell of a row, from 0, as a value of the type.
    pub(super) fn value(
        &self,
        row: usize,
        column: Column,
        data_type: &DataType,
        place: &Place<'_>,
    ) -> Result<Value, RepositoryError> {
        let text = self.rows[row].get(column.0).unwrap_or_default();
        if text == self.null {
            return Ok(Value::Null);
        }
        read_cell(text, data_type).map_err(|_| {
            self.bad_cell(
                row,
                column,
                format!("`{text}` is no {data_type}; the null marker is `{}`", self.null),
                place,
            )
        })
    }

    pub(super) fn bad_cell(
        &self,
        row: usize,
        column: Column,
        problem: String,
        place: &Place<'_>,
    ) -> RepositoryError {
        RepositoryError::Cell {
            place: place.to_string(),
            source_name: self.name.clone(),
            line: self.rows[row].position().map_or(0, csv::Position::line),
            column: self.header.get(column.0).unwrap_or_default().to_owned(),
            problem,
        }
    }
}
