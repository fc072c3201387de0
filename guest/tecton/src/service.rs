//! What a feature service says of itself.

use crate::data_type::WireType;
use crate::response::Extras;
use beamlet_guest::FieldType;
use beamlet_guest::{Field, Response};
use serde::Deserialize;

/// The answer of the metadata endpoint.
#[derive(Debug)]
pub(crate) struct Service {
    /// `DEFAULT`, or another type; empty where it is not named.
    pub(crate) kind: String,
    pub(crate) join_keys: Vec<Value>,
    pub(crate) context: Vec<Value>,
    pub(crate) features: Vec<Value>,
}

/// A key that goes in, or a feature that comes out.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) of: FieldType,
}

/// Empty lists may be absent.
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
    /// Reads the body of an answer of status 200; the error says why it is none.
    pub(crate) fn read(response: &Response) -> Result<Self, String> {
        let wire: WireService<'_> = serde_json::from_slice(&response.body)
            .map_err(|error| format!("the metadata is not what Tecton promises: {error}"))?;
        let values = |list: Vec<WireValue<'_>>| {
            list.iter()
                .map(|value| Value { name: value.name.clone(), of: (&value.data_type).into() })
                .collect()
        };
        Ok(Service {
            kind: wire.feature_service_type.unwrap_or_default(),
            join_keys: values(wire.input_join_keys),
            context: values(wire.input_request_context_keys),
            features: values(wire.feature_values),
        })
    }

    /// Whether it answers with many rows for one entity, which is no enrichment of a row.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.kind.ends_with("WILDCARD")
    }

    /// The fields that come out, with those that were asked for beside the features.
    pub(crate) fn outputs(&self, extras: Extras) -> Vec<Field> {
        let mut fields: Vec<Field> = self
            .features
            .iter()
            .map(|feature| Field { name: feature.name.clone(), type_: feature.of.to_string() })
            .collect();
        let names = self.features.iter().map(|feature| feature.name.as_str());
        fields.extend(extras.fields(names));
        fields
    }
}
