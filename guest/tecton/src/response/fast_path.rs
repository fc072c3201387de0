//! Reads an answer whose features are those of the answer before: its rows go straight into columns.
//!
//! Anything unusual fails without a reason: [`Reader`](super::reader::Reader) reads the answer again
//! then, and says what is wrong.

use super::metadata::{Known, Metadata, Parsed, same};
use beamlet_guest::columns::ColumnBuilder;
use beamlet_guest::{Batch, Column, FieldType};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Reads an answer for so many rows. `batch` says which endpoint it is of, and `metadata` whether
/// more than names and types of the features is wanted. `None` where the features are others than
/// those that are known, or anything is not as it should be.
pub(super) fn read<'a>(
    known: &Known,
    text: &'a str,
    rows: usize,
    batch: bool,
    metadata: bool,
) -> Option<Parsed<'a>> {
    let features = known.features.iter().map(|feature| (&*feature.name, &feature.of));
    let mut columns = Columns::new(features, rows);
    let (partial, texts) = match known.template.rows(text).filter(|_| !metadata) {
        Some(rows) => {
            let mut parser = serde_json::Deserializer::from_str(rows);
            let seed = ResultSeed { columns: &mut columns, batch };
            seed.deserialize(&mut parser).ok()?;
            parser.end().ok()?;
            (known.template.partial, None)
        }
        None => {
            let mut parser = serde_json::Deserializer::from_str(text);
            let seed = AnswerSeed { columns: &mut columns, batch };
            let metadata = seed.deserialize(&mut parser).ok()?;
            parser.end().ok()?;
            let features = metadata.features?.get();
            if !same(features.as_bytes(), known.text.as_bytes()) {
                return None;
            }
            (metadata.is_partial(), Some((features, metadata.slo_info)))
        }
    };
    if columns.rows() as usize != rows {
        return None;
    }
    let fields = Batch { rows: columns.rows(), columns: columns.finish()? };
    let features = known.features.clone();
    Some(Parsed { features, fields, failures: Vec::new(), partial, texts })
}

/// Reads an answer's rows into columns, and gives its metadata.
struct AnswerSeed<'c, 'f, 'a> {
    columns: &'c mut Columns<'f, 'a>,
    batch: bool,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for AnswerSeed<'_, '_, 'a> {
    type Value = Metadata<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for AnswerSeed<'_, '_, 'a> {
    type Value = Metadata<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut answer: A) -> Result<Self::Value, A::Error> {
        let (mut metadata, mut result) = (None, false);
        while let Some(key) = answer.next_key::<&str>()? {
            match key {
                "result" if !result => {
                    let seed = ResultSeed { columns: &mut *self.columns, batch: self.batch };
                    answer.next_value_seed(seed)?;
                    result = true;
                }
                "metadata" if metadata.is_none() => metadata = Some(answer.next_value()?),
                "result" | "metadata" => return Err(A::Error::custom("twice")),
                _ => drop(answer.next_value::<IgnoredAny>()?),
            }
        }
        metadata.filter(|_| result).ok_or_else(|| A::Error::custom("not whole"))
    }
}

/// Reads the rows of an answer into columns.
struct ResultSeed<'c, 'f, 'a> {
    columns: &'c mut Columns<'f, 'a>,
    batch: bool,
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for ResultSeed<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.batch {
            true => RowsSeed(self.columns).deserialize(deserializer),
            false => RowSeed(self.columns).deserialize(deserializer),
        }
    }
}

/// The columns of an answer.
struct Columns<'f, 'a> {
    columns: Vec<ColumnBuilder<'f, 'a>>,
    rows: u32,
}

impl<'f, 'a> Columns<'f, 'a> {
    /// Columns without a row, with room for some.
    fn new(features: impl Iterator<Item = (&'f str, &'f FieldType)>, rows: usize) -> Self {
        let columns = features.map(|(name, of)| ColumnBuilder::new(name, of, rows)).collect();
        Columns { columns, rows: 0 }
    }

    /// How many rows there are.
    fn rows(&self) -> u32 {
        self.rows
    }

    /// The columns as they came; `None` where a value is not of its type.
    fn finish(self) -> Option<Vec<Column>> {
        self.columns.into_iter().map(ColumnBuilder::finish).collect()
    }
}

/// Rows: an array of objects with `features`.
struct RowsSeed<'c, 'f, 'a>(&'c mut Columns<'f, 'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for RowsSeed<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for RowsSeed<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while rows.next_element_seed(RowSeed(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// A row: an object with `features`, once.
struct RowSeed<'c, 'f, 'a>(&'c mut Columns<'f, 'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for RowSeed<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for RowSeed<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        let before = self.0.rows;
        while let Some(key) = row.next_key::<&str>()? {
            if key == "features" && self.0.rows == before {
                row.next_value_seed(FeaturesSeed(&mut *self.0))?;
            } else {
                row.next_value::<IgnoredAny>()?;
            }
        }
        if self.0.rows == before { Err(A::Error::custom("no features")) } else { Ok(()) }
    }
}

/// The values of a row, as many as there are columns.
struct FeaturesSeed<'c, 'f, 'a>(&'c mut Columns<'f, 'a>);

impl<'de: 'a, 'a> DeserializeSeed<'de> for FeaturesSeed<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for FeaturesSeed<'_, '_, 'a> {
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
