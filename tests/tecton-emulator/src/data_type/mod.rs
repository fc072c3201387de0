//! The types of join keys, request-context keys and features: what Tecton calls `dataType`.
//! Read from readable text (`array<string>`), written as text or as Tecton's JSON.

mod parser;

use std::fmt;
use std::str::FromStr;

pub use parser::DataTypeError;

/// A type of Tecton's online API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataType {
    /// A signed 64-bit integer; on the wire a decimal string.
    Int64,
    /// A 32-bit float.
    Float32,
    /// A 64-bit float.
    Float64,
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// A moment in UTC; on the wire `2025-01-31T12:00:00Z`.
    Timestamp,
    /// A list of one element type; elements may be null.
    Array(Box<DataType>),
    /// Named fields; on the wire an array in the order of the fields.
    Struct(Vec<Field>),
    /// Strings to values of one type.
    Map(Box<DataType>),
}

/// A name with its type, written `name: type`: a field of a struct, a join key, a request-context
/// key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The type.
    pub data_type: DataType,
}

impl Field {
    /// A field of this name and type.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type }
    }
}

impl DataType {
    /// An array of `element`.
    pub fn array(element: DataType) -> Self {
        Self::Array(Box::new(element))
    }

    /// A map from strings to `value`.
    pub fn map(value: DataType) -> Self {
        Self::Map(Box::new(value))
    }

    /// Tecton's JSON of the type: `{"type":"array","elementType":{"type":"string"}}`.
    pub fn json(&self) -> String {
        match self {
            Self::Array(element) => {
                format!(r#"{{"type":"array","elementType":{}}}"#, element.json())
            }
            Self::Struct(fields) => {
                format!(r#"{{"type":"struct","fields":{}}}"#, fields_json(fields))
            }
            Self::Map(value) => {
                let key = DataType::String.json();
                let value = value.json();
                format!(r#"{{"type":"map","keyType":{key},"valueType":{value}}}"#)
            }
            simple => format!(r#"{{"type":"{simple}"}}"#),
        }
    }
}

/// Tecton's JSON of a list of names with types: `[{"name":"a","dataType":{"type":"string"}}]`.
pub(crate) fn fields_json(fields: &[Field]) -> String {
    let entries: Vec<String> = fields
        .iter()
        .map(|field| {
            let name = crate::json::quote(&field.name);
            format!(r#"{{"name":{name},"dataType":{}}}"#, field.data_type.json())
        })
        .collect();
    format!("[{}]", entries.join(","))
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int64 => f.write_str("int64"),
            Self::Float32 => f.write_str("float32"),
            Self::Float64 => f.write_str("float64"),
            Self::Boolean => f.write_str("boolean"),
            Self::String => f.write_str("string"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Array(element) => write!(f, "array<{element}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{field}")?;
                }
                f.write_str(">")
            }
            Self::Map(value) => write!(f, "map<string, {value}>"),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.data_type)
    }
}

impl FromStr for DataType {
    type Err = DataTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parser::data_type(text)
    }
}

impl FromStr for Field {
    type Err = DataTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parser::field(text)
    }
}
