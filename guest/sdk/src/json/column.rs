//! The fields that a handler reads, as columns.

use super::row::{BadRow, Row};
use crate::{Batch, Column, Texts, Values};
use serde_json::Value;

/// The columns of the inputs, each a name and whether a row has to have it, and of no others.
///
/// # Errors
/// The first row that lacks a field it has to have.
pub fn to_batch(rows: &[Row<'_>], inputs: &[(&str, bool)]) -> Result<Batch, BadRow> {
    let column = |&(name, required): &(&str, bool)| {
        let mut values = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            values.push(match row.get(name) {
                None if required => {
                    return Err(BadRow { row: at, what: format!("has no field `{name}`") });
                }
                None => Value::Null,
                // The row was read, so this is JSON.
                Some(text) => serde_json::from_str(text).unwrap_or_default(),
            });
        }
        Ok(to_column(name, &values))
    };
    let columns = inputs.iter().map(column).collect::<Result<_, _>>()?;
    Ok(Batch { rows: rows.len() as u32, columns })
}

/// A column of the narrowest type that holds all values exactly.
fn to_column(name: &str, values: &[Value]) -> Column {
    fn all<T: Default>(values: &[Value], read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        values
            .iter()
            .map(|value| if value.is_null() { Some(T::default()) } else { read(value) })
            .collect()
    }
    fn texts(values: &[Value]) -> Option<Texts> {
        fn text(value: &Value) -> Option<&str> {
            if value.is_null() { Some("") } else { value.as_str() }
        }
        values
            .iter()
            .all(|value| text(value).is_some())
            .then(|| values.iter().filter_map(text).collect())
    }
    let typed = texts(values)
        .map(Values::Strings)
        .or_else(|| all(values, Value::as_i64).map(Values::Int64s))
        .or_else(|| all(values, |v| v.as_f64().filter(|_| v.is_f64())).map(Values::Float64s))
        .or_else(|| all(values, Value::as_bool).map(Values::Booleans))
        .unwrap_or_else(|| Values::Json(values.iter().map(ToString::to_string).collect()));
    let null = values.iter().enumerate().filter(|(_, value)| value.is_null());
    Column { name: name.to_owned(), values: typed, nulls: null.map(|(at, _)| at as u32).collect() }
}
