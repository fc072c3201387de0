//! What a user writes: three objects under the names that Beam users know, checked in one go.

use crate::url::BaseUrl;
use beamlet_guest::config::{Problem, Problems, Section};
use schemars::JsonSchema;
use serde_json::Value;

/// The configuration of the Tecton handler.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Configuration {
    /// Where the feature store is, and who asks.
    pub connection: Connection,
    /// What to ask for.
    pub retrieval: Retrieval,
    /// How rows are put into requests.
    #[schemars(default)]
    pub batching: BatchingOptions,
}

/// Where the feature store is, and who asks.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Connection {
    /// URL of the Tecton instance, http or https. A base path is kept.
    #[schemars(with = "String", url)]
    pub url: BaseUrl,
    /// Workspace of the feature service, where `retrieval.workspace_name` names no other.
    pub default_workspace_name: Option<String>,
    /// API key of a service account. A secret.
    #[schemars(length(min = 1), extend("writeOnly" = true))]
    pub api_key: String,
}

/// What to ask for.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Retrieval {
    /// The feature service to query.
    #[schemars(length(min = 1))]
    pub feature_service_name: String,
    /// The entity's name: both the join key and the field of the row that holds its value.
    #[schemars(length(min = 1))]
    pub entity_id: String,
    /// Workspace of the feature service; overrides `connection.default_workspace_name`.
    pub workspace_name: Option<String>,
}

/// How rows are put into requests.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct BatchingOptions {
    /// Entities in one request; 1 uses the single endpoint. Tecton refuses more than 10.
    #[schemars(range(min = 1, max = 10), default = "ten")]
    pub max_batch_size: usize,
    /// Requests that one bundle may have on the wire.
    #[schemars(range(min = 1, max = 256), default = "four")]
    pub max_in_flight: usize,
}

fn ten() -> usize {
    10
}

fn four() -> usize {
    4
}

impl Default for BatchingOptions {
    fn default() -> Self {
        BatchingOptions { max_batch_size: ten(), max_in_flight: four() }
    }
}

impl serde::Serialize for BatchingOptions {
    /// Only for the default in the schema.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut options = serializer.serialize_struct("BatchingOptions", 2)?;
        options.serialize_field("max_batch_size", &self.max_batch_size)?;
        options.serialize_field("max_in_flight", &self.max_in_flight)?;
        options.end()
    }
}

/// The JSON Schema of [`Configuration`].
pub(crate) fn schema() -> String {
    let schema = schemars::schema_for!(Configuration);
    serde_json::to_string(&schema).unwrap_or_default()
}

impl Configuration {
    /// Reads a configuration, or tells all that is wrong with it.
    ///
    /// # Errors
    /// Every problem, with its JSON Pointer.
    pub fn read(config: &Value) -> Result<Self, Vec<Problem>> {
        let problems = Problems::default();
        let root = Section::root(config, &problems);
        let connection = Connection::read(root.section("connection", true));
        let retrieval = Retrieval::read(root.section("retrieval", true));
        let batching = BatchingOptions::read(root.section("batching", false));
        if let (Some(connection), Some(retrieval)) = (&connection, &retrieval)
            && connection.default_workspace_name.is_none()
            && retrieval.workspace_name.is_none()
        {
            problems.add(
                "/retrieval/workspace_name",
                "is required, as `connection.default_workspace_name` is not set either",
            );
        }
        root.close();
        let read = connection.zip(retrieval).map(|(connection, retrieval)| Configuration {
            connection,
            retrieval,
            batching,
        });
        problems.or(read)
    }

    /// The workspace of the feature service.
    pub(crate) fn workspace(&self) -> &str {
        let own = self.retrieval.workspace_name.as_deref();
        own.or(self.connection.default_workspace_name.as_deref()).unwrap_or_default()
    }
}

impl Connection {
    fn read(section: Section<'_>) -> Option<Self> {
        let url = section.required_text("url").and_then(|url| match BaseUrl::parse(url) {
            Ok(url) => Some(url),
            Err(why) => {
                section.problem("url", why);
                None
            }
        });
        let default_workspace_name = name(&section, "default_workspace_name");
        let api_key = section.required_text("api_key").map(str::to_owned);
        if api_key.as_deref().is_some_and(|key| !is_header_text(key)) {
            section.problem("api_key", "must be printable ASCII, without spaces or line ends");
        }
        section.close();
        Some(Connection { url: url?, default_workspace_name, api_key: api_key? })
    }
}

impl Retrieval {
    fn read(section: Section<'_>) -> Option<Self> {
        let feature_service_name = section.required_text("feature_service_name").map(str::to_owned);
        let entity_id = section.required_text("entity_id").map(str::to_owned);
        let workspace_name = name(&section, "workspace_name");
        section.close();
        Some(Retrieval {
            feature_service_name: feature_service_name?,
            entity_id: entity_id?,
            workspace_name,
        })
    }
}

impl BatchingOptions {
    fn read(section: Section<'_>) -> Self {
        let number = |name, high| section.integer(name, 1..=high).map(|n| n as usize);
        let max_batch_size = number("max_batch_size", 10);
        let max_in_flight = number("max_in_flight", 256);
        section.close();
        BatchingOptions {
            max_batch_size: max_batch_size.unwrap_or_else(ten),
            max_in_flight: max_in_flight.unwrap_or_else(four),
        }
    }
}

/// A name that may be left out, but not be empty.
fn name<'a>(section: &Section<'a>, key: &'a str) -> Option<String> {
    let name = section.text(key)?;
    if name.is_empty() {
        section.problem(key, "must not be empty; leave it out instead");
    }
    Some(name.to_owned())
}

fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
