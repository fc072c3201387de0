//! The section `connection`: the SDK's, and the workspace of the feature service.

use super::name;
use beamlet_guest::config::Section;
use beamlet_guest::connection::Options;
use beamlet_guest::{ConnectionForm, Credential};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;

const FORM: ConnectionForm = ConnectionForm {
    url: "https://example.tecton.ai",
    url_description: "URL of the Tecton instance, http or https. A base path is kept.",
    credential: Some(Credential {
        key: "api_key",
        header: "authorization",
        prefix: "Tecton-key ",
        required: true,
        description: "API key of a service account. A secret.",
    }),
    options: Options::Under("kwargs"),
    user_agent: concat!("beamlet-tecton/", env!("CARGO_PKG_VERSION")),
};

/// The JSON Schema of the workspace's name.
const WORKSPACE: &str = r#"{
    "type": ["string", "null"],
    "description": "Workspace of the feature service, where `retrieval.workspace_name` names no other.",
    "examples": ["prod"],
    "minLength": 1
}"#;

/// Where the feature store is, and who asks.
pub struct Connection {
    /// URL, key, headers and time-outs.
    pub store: beamlet_guest::Connection,
    /// Workspace of the feature service, where `retrieval.workspace_name` names no other.
    pub default_workspace_name: Option<String>,
}

impl Connection {
    pub(super) fn read(section: Section<'_>) -> Option<Self> {
        let store = FORM.read(&section);
        let default_workspace_name = name(&section, "default_workspace_name");
        section.close();
        Some(Connection { store: store?, default_workspace_name })
    }
}

impl JsonSchema for Connection {
    fn schema_name() -> Cow<'static, str> {
        "Connection".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = FORM.schema();
        if let Some(properties) = schema["properties"].as_object_mut() {
            let workspace = serde_json::from_str(WORKSPACE).unwrap_or_default();
            properties.shift_insert(1, "default_workspace_name".to_owned(), workspace);
        }
        Schema::try_from(schema).unwrap_or_default()
    }
}
