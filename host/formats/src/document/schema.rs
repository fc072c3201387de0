//! Documents as typed columns: which ones, and their values.

use arrow_array::ArrayRef;
use arrow_buffer::BooleanBuffer;

use super::column::{Column, common_type};
use super::{Documents, Scan};
use crate::{Origin, Rows, RowsError, ValueType};

/// A field of documents that become columns.
#[derive(Clone, Debug)]
pub(crate) struct TypedField {
    pub(crate) name: String,
    /// `None` while every value is null.
    pub(crate) value_type: Option<ValueType>,
    stated: bool,
}

impl TypedField {
    /// The type, which without any value is a string's.
    pub(crate) fn value_type(&self) -> ValueType {
        self.value_type.unwrap_or(ValueType::String)
    }
}

/// The fields of the first rows, in the order in which they appear, with their stated types or
/// those that hold every value; then those that only have a stated type.
pub(crate) fn inferred(batches: &[(&Rows, &Documents)]) -> Result<Vec<TypedField>, RowsError> {
    let mut keys = Scan::new(&[]);
    for (rows, documents) in batches {
        for row in 0..documents.len() {
            keys.line(documents.text(row), &mut []).map_err(|fault| fault.at(rows.origin(row)))?;
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
    for (rows, documents) in batches {
        documents.scan(
            &names,
            |row| rows.origin(row),
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

impl Documents {
    /// The columns of `fields`, each with the rows that have the field.
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
