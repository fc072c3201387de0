//! The metadata of a feature service: its keys and features with their types.

use beamlet_guest::contract::Member;
use beamlet_guest::{FieldType, Response};
use serde::Deserialize;
use std::borrow::Cow;

/// The answer of the metadata endpoint.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its type, such as `DEFAULT`; empty where the answer names none.
    pub(crate) kind: String,
    pub(crate) join_keys: Vec<Parameter>,
    pub(crate) context: Vec<Parameter>,
    pub(crate) features: Vec<Parameter>,
}

/// A key that is sent, or a feature that comes out.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) of: FieldType,
}

/// The answer as JSON. Empty lists may be absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireService<'a> {
    #[serde(default)]
    feature_service_type: Option<String>,
    #[serde(borrow, default)]
    input_join_keys: Vec<WireValue<'a>>,
    #[serde(borrow, default)]
    input_request_context_keys: Vec<WireValue<'a>>,
    #[serde(borrow, default)]
    feature_values: Vec<WireValue<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireValue<'a> {
    name: String,
    #[serde(borrow)]
    data_type: WireType<'a>,
}

impl Service {
    /// Reads the body of an answer with status 200.
    ///
    /// # Errors
    /// It is not what Tecton promises; the text says why.
    pub(crate) fn read(response: &Response) -> Result<Self, String> {
        let wire: WireService<'_> = serde_json::from_slice(&response.body)
            .map_err(|error| format!("the metadata is not what Tecton promises: {error}"))?;
        let values = |list: Vec<WireValue<'_>>| {
            list.iter()
                .map(|value| Parameter { name: value.name.clone(), of: (&value.data_type).into() })
                .collect()
        };
        Ok(Service {
            kind: wire.feature_service_type.unwrap_or_default(),
            join_keys: values(wire.input_join_keys),
            context: values(wire.input_request_context_keys),
            features: values(wire.feature_values),
        })
    }

    /// Whether it answers with many rows for one entity, which cannot enrich a row.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.kind.ends_with("WILDCARD")
    }
}

/// A data type, as answers name it.
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

/// A type that is newer than this handler is read as JSON: its values pass as they are.
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
