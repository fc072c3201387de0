//! The columns of a CSV file: their names and types, and whether a type is stated or inferred.

use std::collections::HashMap;

use crate::delimiter::LikelyDelimiter;
use crate::field::{date, float64, int64, timestamp};
use crate::{Delimiter, Origin, RowsError, ValueType};
use beamlet_values::json;

#[derive(Debug)]
pub(crate) struct Header {
    columns: Vec<Column>,
    positions: HashMap<String, usize>,
    origin: Origin,
    null: String,
    delimiter: Delimiter,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) value_type: ValueType,
    /// Whether the user stated the type. Otherwise it is inferred.
    pub(crate) stated: bool,
}

impl Column {
    // A stated type accepts every spelling of a number that Rust parses. An inferred type accepts
    // only the spellings from which it is inferred.
    pub(crate) fn int64(&self, cell: &str) -> Option<i64> {
        if self.stated { cell.parse().ok() } else { int64(cell) }
    }

    pub(crate) fn float64(&self, cell: &str) -> Option<f64> {
        if self.stated { cell.parse().ok() } else { float64(cell) }
    }
}

impl Column {
    /// Appends `cell` as JSON of the column's type. Returns `false` and appends nothing if the cell
    /// does not have that type.
    #[inline]
    pub(crate) fn json(&self, cell: &str, out: &mut Vec<u8>) -> bool {
        if self.value_type == ValueType::String {
            json::string(cell, out);
            return true;
        }
        if matches!(self.value_type, ValueType::Timestamp | ValueType::Date | ValueType::Json) {
            return self.spelled(cell, out);
        }
        match (self.value_type, ValueType::of(cell)) {
            // A number in JSON's spelling is copied, so that no digit is lost.
            (expected, found) if expected.or(found) == expected => {
                out.extend_from_slice(cell.as_bytes());
                true
            }
            (ValueType::Int64, _) => self.int64(cell).map(|it| json::integer(it, out)).is_some(),
            (ValueType::Float64, _) => {
                self.float64(cell).map(|it| json::float64(it, out)).is_some()
            }
            _ => false,
        }
    }

    /// Timestamps, dates and JSON texts keep their spelling.
    #[cold]
    fn spelled(&self, cell: &str, out: &mut Vec<u8>) -> bool {
        match self.value_type {
            ValueType::Timestamp => timestamp(cell).map(|_| json::string(cell, out)).is_some(),
            ValueType::Date => date(cell).map(|_| json::string(cell, out)).is_some(),
            _ => json::embedded(cell, out).is_ok(),
        }
    }
}

/// A cell that does not have its column's type.
pub(crate) struct Misfit {
    pub(crate) row: usize,
    /// The type that the cell's text has.
    pub(crate) found: ValueType,
}

impl Misfit {
    pub(crate) fn new(row: usize, cell: &str) -> Self {
        Self { row, found: ValueType::of(cell) }
    }
}

impl Header {
    pub(crate) fn new(
        names: Vec<String>,
        origin: Origin,
        null: String,
        delimiter: Delimiter,
        types: Vec<(String, ValueType)>,
    ) -> Result<Self, RowsError> {
        let mut columns = Vec::with_capacity(names.len());
        let mut positions = HashMap::with_capacity(names.len());
        for (position, name) in names.into_iter().enumerate() {
            if let Some(first) = positions.insert(name.clone(), position) {
                return Err(RowsError::HeaderTwice {
                    origin,
                    field: name,
                    first: first + 1,
                    second: position + 1,
                });
            }
            columns.push(Column { name, value_type: ValueType::String, stated: false });
        }
        let mut header = Self { columns, positions, origin, null, delimiter };
        for (field, value_type) in types {
            let Some(position) = header.position(&field) else {
                let (origin, looks) = (header.origin.clone(), header.looks(Some(&field)));
                return Err(RowsError::TypeWithoutColumn { origin, field, looks });
            };
            let column = &mut header.columns[position];
            (column.value_type, column.stated) = (value_type, true);
        }
        Ok(header)
    }

    /// The same header with other types; `columns` has the same names.
    pub(crate) fn with_columns(&self, columns: Vec<Column>) -> Self {
        Self {
            columns,
            positions: self.positions.clone(),
            origin: self.origin.clone(),
            null: self.null.clone(),
            delimiter: self.delimiter,
        }
    }

    /// The same columns, for a header at another place.
    pub(crate) fn at(&self, origin: Origin) -> Self {
        Self {
            columns: self.columns.clone(),
            positions: self.positions.clone(),
            origin,
            null: self.null.clone(),
            delimiter: self.delimiter,
        }
    }

    /// The first difference between `names` and the header, for a message.
    pub(crate) fn difference(&self, names: &[String]) -> Option<String> {
        let columns = self.columns.iter().zip(names).enumerate();
        for (position, (column, name)) in columns {
            if column.name != *name {
                let (column, number) = (&column.name, position + 1);
                return Some(format!("column {number} is {name:?} and not {column:?}"));
            }
        }
        let (expected, got) = (self.columns.len(), names.len());
        (expected != got).then(|| format!("{got} columns and not {expected}"))
    }

    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn column(&self, position: usize) -> &Column {
        &self.columns[position]
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    pub(crate) fn same_names(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || self.columns.iter().map(|it| &it.name).eq(other.columns.iter().map(|it| &it.name))
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn null(&self) -> &str {
        &self.null
    }

    /// Another delimiter that the header seems to use: one that splits the header where the file's
    /// own delimiter does not, or that gives the `wanted` field.
    fn looks(&self, wanted: Option<&str>) -> LikelyDelimiter {
        let names: Vec<_> = self.columns.iter().map(|it| it.name.as_str()).collect();
        let text = names.join(&char::from(self.delimiter.byte()).to_string());
        let parts = |other: Delimiter| {
            let parts = text.split(char::from(other.byte()));
            parts.map(|it| it.trim().trim_matches('"')).collect::<Vec<_>>()
        };
        let others = Delimiter::USUAL.into_iter().filter(|it| *it != self.delimiter);
        let others = others.map(|it| (it, parts(it))).filter(|(_, parts)| parts.len() > 1);
        let brings = |parts: &[&str]| wanted.is_some_and(|wanted| parts.contains(&wanted));
        let likely = others.filter(|(_, parts)| self.columns.len() == 1 || brings(parts));
        LikelyDelimiter(
            likely.max_by_key(|(_, parts)| (brings(parts), parts.len())).map(|(it, _)| it),
        )
    }

    /// The error for a required field without a column.
    pub(crate) fn missing(&self, field: &str) -> RowsError {
        let (origin, looks) = (self.origin.clone(), self.looks(Some(field)));
        RowsError::ColumnMissing { origin, field: field.to_owned(), looks }
    }

    /// The error for a row with `got` fields, which differs from the header's number of columns.
    pub(crate) fn miscounted(&self, origin: Origin, got: usize) -> RowsError {
        let (expected, looks) = (self.columns.len(), self.looks(None));
        match self.columns.get(got) {
            Some(missing) => {
                let missing = missing.name.clone();
                RowsError::TooFewFields { origin, expected, got, missing, looks }
            }
            None => {
                let last = self.columns.last().map(|it| it.name.clone()).unwrap_or_default();
                let delimiter = self.delimiter;
                RowsError::TooManyFields { origin, expected, got, last, delimiter, looks }
            }
        }
    }

    pub(crate) fn misfit(&self, origin: Origin, position: usize, misfit: Misfit) -> RowsError {
        let column = &self.columns[position];
        RowsError::FieldType {
            origin,
            field: column.name.clone(),
            expected: column.value_type,
            found: misfit.found.article(),
            reason: if column.stated { "its stated type" } else { "the type of the first rows" },
            advice: format!(
                "state a type with --type {}={}",
                column.name,
                column.value_type.or(misfit.found)
            ),
        }
    }
}
