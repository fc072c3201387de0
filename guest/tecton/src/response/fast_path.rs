//! The rows of an answer in the usual form, straight into columns: what the features are is known
//! from the answer before.
//!
//! What is not as it was, or not as it should be, fails without a word: the answer is read again
//! then, cell by cell.

use beamlet_guest::columns::ColumnBuilder;
use beamlet_guest::{Column, FieldType};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The columns of an answer.
pub(crate) struct Columns<'f, 'a> {
    columns: Vec<ColumnBuilder<'f, 'a>>,
    rows: u32,
}

impl<'f, 'a> Columns<'f, 'a> {
    /// Columns without a row, with room for some.
    pub(crate) fn new(
        features: impl Iterator<Item = (&'f str, &'f FieldType)>,
        rows: usize,
    ) -> Self {
        let columns = features.map(|(name, of)| ColumnBuilder::new(name, of, rows)).collect();
        Columns { columns, rows: 0 }
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// The columns as they came; `None` where a value is not of its type.
    pub(crate) fn finish(self) -> Option<Vec<Column>> {
        self.columns.into_iter().map(ColumnBuilder::finish).collect()
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
            if values.next_element_seed(column.seed(row))?.is_none() {
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
