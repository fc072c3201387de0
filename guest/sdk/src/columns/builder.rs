//! Builds a column while an answer is parsed, without cells in between.
//!
//! A value that is not of its type, or has a rare spelling, fails without a reason. The handler then
//! reads the answer again into cells, and [`column()`] says what is wrong.

use super::cells::{Cell, column};
use crate::contract::number::narrowed;
use crate::contract::time::micros;
use crate::{Column, FieldType, Texts, Values};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, Visitor};
use std::fmt;

/// A column that takes a value with each [`seed`](ColumnBuilder::seed).
pub struct ColumnBuilder<'f, 'a> {
    name: &'f str,
    of: &'f FieldType,
    values: Building<'a>,
    nulls: Vec<u32>,
}

enum Building<'a> {
    Booleans(Vec<bool>),
    Int64s(Vec<i64>),
    Float32s(Vec<f32>),
    Float64s(Vec<f64>),
    Strings(Texts),
    Timestamps(Vec<i64>),
    /// Values of the other types: parsed one by one, and converted at the end.
    Cells(Vec<Cell<'a>>),
}

/// Bytes of room for a text, to begin with.
const TEXT: usize = 16;

impl<'f, 'a> ColumnBuilder<'f, 'a> {
    /// A column without a value, with room for so many rows.
    pub fn new(name: &'f str, of: &'f FieldType, rows: usize) -> Self {
        let values = match of {
            FieldType::Boolean => Building::Booleans(Vec::with_capacity(rows)),
            FieldType::Int64 => Building::Int64s(Vec::with_capacity(rows)),
            FieldType::Float32 => Building::Float32s(Vec::with_capacity(rows)),
            FieldType::Float64 => Building::Float64s(Vec::with_capacity(rows)),
            FieldType::String => Building::Strings(Texts::with_capacity(rows, rows * TEXT)),
            FieldType::Timestamp => Building::Timestamps(Vec::with_capacity(rows)),
            _ => Building::Cells(Vec::with_capacity(rows)),
        };
        ColumnBuilder { name, of, values, nulls: Vec::new() }
    }

    /// Deserializes the value of a row, the next one, into the column.
    pub fn seed(&mut self, row: u32) -> ColumnSeed<'_, 'f, 'a> {
        ColumnSeed { column: self, row }
    }

    /// The column; `None` where a value is not of its type.
    pub fn finish(self) -> Option<Column> {
        let values = match self.values {
            Building::Booleans(values) => Values::Booleans(values),
            Building::Int64s(values) => Values::Int64s(values),
            Building::Float32s(values) => Values::Float32s(values),
            Building::Float64s(values) => Values::Float64s(values),
            Building::Strings(values) => Values::Strings(values),
            Building::Timestamps(values) => Values::Timestamps(values),
            Building::Cells(cells) => return column(self.name, self.of, cells).ok(),
        };
        Some(Column { name: self.name.to_owned(), values, nulls: self.nulls })
    }
}

/// Takes the value of a row: [`ColumnBuilder::seed`].
pub struct ColumnSeed<'c, 'f, 'a> {
    column: &'c mut ColumnBuilder<'f, 'a>,
    row: u32,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for ColumnSeed<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if let Building::Cells(cells) = &mut self.column.values {
            cells.push(Deserialize::deserialize(deserializer)?);
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

fn other<T, E: Error>() -> Result<T, E> {
    Err(E::custom("of another type"))
}

impl<'de: 'a, 'a> Visitor<'de> for ColumnSeed<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.column.nulls.push(self.row);
        match &mut self.column.values {
            Building::Booleans(values) => values.push(false),
            Building::Int64s(values) | Building::Timestamps(values) => values.push(0),
            Building::Float32s(values) => values.push(0.0),
            Building::Float64s(values) => values.push(0.0),
            Building::Strings(values) => values.push(""),
            Building::Cells(values) => values.push(Cell::Null),
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match &mut self.column.values {
            Building::Booleans(values) => values.push(value),
            _ => return other(),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match &mut self.column.values {
            Building::Int64s(values) => values.push(value),
            Building::Float32s(values) => values.push(value as f64 as f32),
            Building::Float64s(values) => values.push(value as f64),
            _ => return other(),
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => other(),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        match &mut self.column.values {
            Building::Float32s(values) => values.push(narrowed(value).map_or_else(other, Ok)?),
            Building::Float64s(values) => values.push(value),
            _ => return other(),
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match &mut self.column.values {
            Building::Strings(values) => values.push(value),
            Building::Int64s(values) => values.push(value.parse().or_else(|_| other())?),
            Building::Timestamps(values) => values.push(micros(value).map_or_else(other, Ok)?),
            // Floats that JSON has no number for are rare: `column()` reads their names.
            _ => return other(),
        }
        Ok(())
    }
}
