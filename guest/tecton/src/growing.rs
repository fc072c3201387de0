//! Columns that grow while an answer is parsed: what the features are is known from the answer
//! before, and no tree of cells stands between the text and the columns.
//!
//! What is not as it was, or not as it should be, fails without a word: the answer is read again
//! then, cell by cell, by who finds the words.

use crate::data_type::DataType;
use crate::features::{Cell, column, micros, narrowed};
use beamlet_guest::{Column, Texts, Values};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The columns of an answer.
pub(crate) struct Columns<'f, 'a> {
    columns: Vec<Growing<'f, 'a>>,
    rows: u32,
}

/// One feature's column.
struct Growing<'f, 'a> {
    name: &'f str,
    of: &'f DataType,
    values: Grown<'a>,
    nulls: Vec<u32>,
}

/// Bytes to make room for a text; more are made where they are needed.
const TEXT: usize = 16;

enum Grown<'a> {
    Booleans(Vec<bool>),
    Int64s(Vec<i64>),
    Float32s(Vec<f32>),
    Float64s(Vec<f64>),
    Strings(Texts),
    Timestamps(Vec<i64>),
    /// What nests: parsed as it comes, and typed when all of it is there.
    Cells(Vec<Cell<'a>>),
}

impl<'f, 'a> Columns<'f, 'a> {
    /// Columns without a row, with room for some.
    pub(crate) fn new(
        features: impl Iterator<Item = (&'f str, &'f DataType)>,
        rows: usize,
    ) -> Self {
        let column = |(name, of): (&'f str, &'f DataType)| {
            let values = match of {
                DataType::Boolean => Grown::Booleans(Vec::with_capacity(rows)),
                DataType::Int64 => Grown::Int64s(Vec::with_capacity(rows)),
                DataType::Float32 => Grown::Float32s(Vec::with_capacity(rows)),
                DataType::Float64 => Grown::Float64s(Vec::with_capacity(rows)),
                DataType::String => Grown::Strings(Texts::with_capacity(rows, rows * TEXT)),
                DataType::Timestamp => Grown::Timestamps(Vec::with_capacity(rows)),
                DataType::Array(_)
                | DataType::Struct(_)
                | DataType::Map(_)
                | DataType::Other(_) => Grown::Cells(Vec::with_capacity(rows)),
            };
            Growing { name, of, values, nulls: Vec::new() }
        };
        Columns { columns: features.map(column).collect(), rows: 0 }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// The columns as they came; `None` where a value is not of its type.
    pub(crate) fn finish(self) -> Option<Vec<Column>> {
        let finish = |growing: Growing<'f, 'a>| {
            let values = match growing.values {
                Grown::Booleans(values) => Values::Booleans(values),
                Grown::Int64s(values) => Values::Int64s(values),
                Grown::Float32s(values) => Values::Float32s(values),
                Grown::Float64s(values) => Values::Float64s(values),
                Grown::Strings(values) => Values::Strings(values),
                Grown::Timestamps(values) => Values::Timestamps(values),
                Grown::Cells(cells) => return column(growing.name, growing.of, cells).ok(),
            };
            Some(Column { name: growing.name.to_owned(), values, nulls: growing.nulls })
        };
        self.columns.into_iter().map(finish).collect()
    }
}

/// Rows: an array of objects with `features`.
pub(crate) struct Rows<'c, 'f, 'a>(pub(crate) &'c mut Columns<'f, 'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Rows<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Rows<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(Row(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// A row: an object with `features`, once.
pub(crate) struct Row<'c, 'f, 'a>(pub(crate) &'c mut Columns<'f, 'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Row<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Row<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        let before = self.0.rows;
        while let Some(key) = row.next_key::<&str>()? {
            if key == "features" && self.0.rows == before {
                row.next_value_seed(Features(&mut *self.0))?;
            } else {
                row.next_value::<IgnoredAny>()?;
            }
        }
        if self.0.rows == before { Err(A::Error::custom("no features")) } else { Ok(()) }
    }
}

/// The values of a row, as many as there are columns.
struct Features<'c, 'f, 'a>(&'c mut Columns<'f, 'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Features<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Features<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let row = self.0.rows;
        for column in &mut self.0.columns {
            if values.next_element_seed(Value { column, row })?.is_none() {
                return Err(A::Error::custom("too few values"));
            }
        }
        if values.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::custom("too many values"));
        }
        self.0.rows += 1;
        Ok(())
    }
}

/// A value of a column.
struct Value<'c, 'f, 'a> {
    column: &'c mut Growing<'f, 'a>,
    row: u32,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for Value<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if let Grown::Cells(cells) = &mut self.column.values {
            cells.push(serde::Deserialize::deserialize(deserializer)?);
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

fn other<T, E: Error>() -> Result<T, E> {
    Err(E::custom("of another type"))
}

impl<'de: 'a, 'a> Visitor<'de> for Value<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.column.nulls.push(self.row);
        match &mut self.column.values {
            Grown::Booleans(values) => values.push(false),
            Grown::Int64s(values) | Grown::Timestamps(values) => values.push(0),
            Grown::Float32s(values) => values.push(0.0),
            Grown::Float64s(values) => values.push(0.0),
            Grown::Strings(values) => values.push(""),
            Grown::Cells(values) => values.push(Cell::Null),
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match &mut self.column.values {
            Grown::Booleans(values) => values.push(value),
            _ => return other(),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        match &mut self.column.values {
            Grown::Int64s(values) => values.push(value),
            Grown::Float32s(values) => values.push(value as f64 as f32),
            Grown::Float64s(values) => values.push(value as f64),
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
            Grown::Float32s(values) => values.push(narrowed(value).map_or_else(other, Ok)?),
            Grown::Float64s(values) => values.push(value),
            _ => return other(),
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match &mut self.column.values {
            Grown::Strings(values) => values.push(value),
            Grown::Int64s(values) => values.push(value.parse().or_else(|_| other())?),
            Grown::Timestamps(values) => values.push(micros(value).map_or_else(other, Ok)?),
            // The names of what is no number are rare, and theirs to read who tells of errors.
            _ => return other(),
        }
        Ok(())
    }
}
