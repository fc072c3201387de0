//! Tecton's data types, as its answers name them.

use beamlet_guest::FieldType;
use beamlet_guest::contract::Member;
use serde::Deserialize;
use std::borrow::Cow;

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

/// A type that is newer than this handler is any JSON: its values pass as they come.
impl From<&WireType<'_>> for FieldType {
    fn from(wire: &WireType<'_>) -> Self {
        let inner = |wire: &Option<Box<WireType<'_>>>| {
            wire.as_deref().map_or(FieldType::Json, FieldType::from)
        };
        match &*wire.name {
            "boolean" | "bool" => FieldType::Boolean,
            "int64" => FieldType::Int64,
            "float32" => FieldType::Float32,
            "float64" => FieldType::Float64,
            "string" => FieldType::String,
            "timestamp" => FieldType::Timestamp,
            "array" => FieldType::array(inner(&wire.element_type)),
            "map" => FieldType::map(inner(&wire.value_type)),
            "struct" => FieldType::Struct(
                wire.fields
                    .iter()
                    .map(|field| Member::new(&*field.name, (&field.data_type).into()))
                    .collect(),
            ),
            _ => FieldType::Json,
        }
    }
}
