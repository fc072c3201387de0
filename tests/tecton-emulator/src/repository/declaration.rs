//! The short spellings of the repository file: `"name: type"` for a feature, `"name"` for a view's
//! key, a path for a source. Each has a long form, a table.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::{Feature, FeatureValue, Rows, Source, ViewKey};
use crate::data_type::{DataType, Field};

/// A value that may be written as text or as a table. In contrast to serde's untagged enums, errors
/// keep the position in the file.
trait Declared: Sized {
    type Table: for<'de> Deserialize<'de>;
    const EXPECTED: &'static str;

    fn of_text(text: &str) -> Result<Self, String>;
    fn of_table(table: Self::Table) -> Result<Self, String>;
}

struct DeclaredVisitor<D>(PhantomData<D>);

impl<'de, D: Declared> Visitor<'de> for DeclaredVisitor<D> {
    type Value = D;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(D::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<D, E> {
        D::of_text(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<D, A::Error> {
        let table = D::Table::deserialize(MapAccessDeserializer::new(table))?;
        D::of_table(table).map_err(A::Error::custom)
    }
}

macro_rules! deserialize_declared {
    ($($declared:ty),*) => {$(
        impl<'de> Deserialize<'de> for $declared {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(DeclaredVisitor(PhantomData))
            }
        }
    )*};
}

deserialize_declared!(Feature, Source, ViewKey);

/// A type, read where the file has it, so that an error has its position.
struct DataTypeText(DataType);

impl<'de> Deserialize<'de> for DataTypeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureTable {
    name: String,
    #[serde(rename = "type")]
    data_type: DataTypeText,
    column: Option<String>,
    expression: Option<String>,
    description: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

impl Declared for Feature {
    type Table = FeatureTable;
    const EXPECTED: &'static str = "a feature: `\"name: type\"` or a table with name and type";

    fn of_text(text: &str) -> Result<Self, String> {
        let field: Field = text.parse().map_err(|error| format!("{error}"))?;
        let value = FeatureValue::Column(field.name.clone());
        Ok(Self::new(field.name, field.data_type, value))
    }

    fn of_table(table: FeatureTable) -> Result<Self, String> {
        let value = match (table.column, table.expression) {
            (None, None) => FeatureValue::Column(table.name.clone()),
            (Some(column), None) => FeatureValue::Column(column),
            (None, Some(expression)) => FeatureValue::Expression(expression),
            (Some(_), Some(_)) => {
                let name = table.name;
                return Err(format!(
                    "feature `{name}` has a column and an expression; keep one of them"
                ));
            }
        };
        Ok(Self {
            description: table.description,
            tags: table.tags,
            ..Self::new(table.name, table.data_type.0, value)
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ViewKeyTable {
    name: String,
    column: Option<String>,
}

impl Declared for ViewKey {
    type Table = ViewKeyTable;
    const EXPECTED: &'static str = "a join key: `\"name\"` or a table with name and column";

    fn of_text(text: &str) -> Result<Self, String> {
        Ok(Self::named(text))
    }

    fn of_table(table: ViewKeyTable) -> Result<Self, String> {
        let column = table.column.unwrap_or_else(|| table.name.clone());
        Ok(Self { name: table.name, column })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceTable {
    file: Option<PathBuf>,
    text: Option<String>,
    #[serde(default)]
    null: String,
}

impl Declared for Source {
    type Table = SourceTable;
    const EXPECTED: &'static str =
        "a source: the path of a CSV file, or a table with file or text, and null";

    fn of_text(path: &str) -> Result<Self, String> {
        Ok(Self { rows: Rows::File(path.into()), null: String::new() })
    }

    fn of_table(table: SourceTable) -> Result<Self, String> {
        let rows = match (table.file, table.text) {
            (Some(file), None) => Rows::File(file),
            (None, Some(text)) => Rows::Text(text),
            _ => return Err("a source has either a file or a text".to_owned()),
        };
        Ok(Self { rows, null: table.null })
    }
}
