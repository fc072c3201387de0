//! The columns of a CSV file: their names, their types, and who says so.

use std::collections::HashMap;

use super::{Misfit, Records};
use crate::{Origin, RowsError, ValueType};

#[derive(Debug)]
pub(crate) struct Header {
    columns: Vec<Column>,
    positions: HashMap<String, usize>,
    origin: Origin,
    null: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) value_type: ValueType,
    /// The user stated the type; otherwise it is inferred.
    pub(crate) stated: bool,
}

impl Header {
    pub(crate) fn new(
        names: Vec<String>,
        origin: Origin,
        null: String,
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
        for (field, value_type) in types {
            let Some(position) = positions.get(&field) else {
                return Err(RowsError::TypeWithoutColumn { origin, field });
            };
            let column: &mut Column = &mut columns[*position];
            (column.value_type, column.stated) = (value_type, true);
        }
        Ok(Self { columns, positions, origin, null })
    }

    /// The header with the types that hold every cell of `rows`.
    pub(crate) fn inferred(&self, rows: &Records) -> Self {
        let infer = |(position, column): (usize, &Column)| {
            let mut column = column.clone();
            if !column.stated {
                let types = rows.values(position).flatten().map(ValueType::of);
                column.value_type = types.reduce(ValueType::or).unwrap_or(ValueType::String);
            }
            column
        };
        Self {
            columns: self.columns.iter().enumerate().map(infer).collect(),
            positions: self.positions.clone(),
            origin: self.origin.clone(),
            null: self.null.clone(),
        }
    }

    /// The same columns in another part.
    pub(crate) fn at(&self, origin: Origin) -> Self {
        Self {
            columns: self.columns.clone(),
            positions: self.positions.clone(),
            origin,
            null: self.null.clone(),
        }
    }

    /// What `names` have that is not the header's, for a message.
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

    /// The error for a row with `got` fields, which is not the header's count.
    pub(crate) fn miscounted(&self, origin: Origin, got: usize) -> RowsError {
        let expected = self.columns.len();
        match self.columns.get(got) {
            Some(missing) => {
                RowsError::TooFewFields { origin, expected, got, missing: missing.name.clone() }
            }
            None => {
                let last = self.columns.last().map(|it| it.name.clone()).unwrap_or_default();
                RowsError::TooManyFields { origin, expected, got, last }
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
