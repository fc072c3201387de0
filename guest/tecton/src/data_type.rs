//! Tecton's data types, as its answers name them.

use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

/// The type of a feature or of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DataType {
    Boolean,
    Int64,
    Float32,
    Float64,
    String,
    Timestamp,
    Array(Box<DataType>),
    /// Fields by position: that is how their values come.
    Struct(Vec<(String, DataType)>),
    /// Keys are strings.
    Map(Box<DataType>),
    /// A type that is newer than this handler: its values pass as JSON.
    Other(String),
}

/// A data type on the wire.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireType<'a> {
    #[serde(borrow, rename = "type")]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    element_type: Option<Box<WireType<'a>>>,
    #[serde(borrow, default)]
    fields: Vec<WireField<'a>>,
    #[serde(borrow, default)]
    value_type: Option<Box<WireType<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireField<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    data_type: WireType<'a>,
}

impl From<&WireType<'_>> for DataType {
    fn from(wire: &WireType<'_>) -> Self {
        let inner = |wire: &Option<Box<WireType<'_>>>| {
            let of = wire.as_deref().map_or(DataType::Other("unknown".to_owned()), DataType::from);
            Box::new(of)
        };
        match &*wire.name {
            "boolean" | "bool" => DataType::Boolean,
            "int64" => DataType::Int64,
            "float32" => DataType::Float32,
            "float64" => DataType::Float64,
            "string" => DataType::String,
            "timestamp" => DataType::Timestamp,
            "array" => DataType::Array(inner(&wire.element_type)),
            "map" => DataType::Map(inner(&wire.value_type)),
            "struct" => DataType::Struct(
                wire.fields
                    .iter()
                    .map(|field| (field.name.clone().into_owned(), (&field.data_type).into()))
                    .collect(),
            ),
            other => DataType::Other(other.to_owned()),
        }
    }
}

/// As the contract writes types.
impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Boolean => f.write_str("boolean"),
            DataType::Int64 => f.write_str("int64"),
            DataType::Float32 => f.write_str("float32"),
            DataType::Float64 => f.write_str("float64"),
            DataType::String => f.write_str("string"),
            DataType::Timestamp => f.write_str("timestamp"),
            DataType::Array(of) => write!(f, "array<{of}>"),
            DataType::Map(of) => write!(f, "map<string, {of}>"),
            DataType::Struct(fields) => {
                f.write_str("struct<")?;
                for (at, (name, of)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {of}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str(">")
            }
            DataType::Other(name) => f.write_str(name),
        }
    }
}
