//! The configuration: three objects under the names that Beam users know. All problems are reported
//! at once.

mod connection;
mod options;
mod retrieval;

use connection::Connection;
pub(crate) use options::MetadataOptions;
pub(crate) use retrieval::Retrieval;

use beamlet_guest::config::{Problem, Problems, Section, camel_case};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

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
    /// What is accepted, but most likely not meant.
    #[schemars(skip)]
    pub warnings: Vec<Problem>,
}

impl Configuration {
    /// Reads a configuration.
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
        let partial = retrieval.as_ref().is_some_and(|retrieval| retrieval.allow_partial_results);
        if partial && batching.max_batch_size > 1 {
            problems.add(
                "/retrieval/allow_partial_results",
                "needs `batching.max_batch_size` = 1: Tecton's endpoint for batches has no partial results",
            );
        }
        root.close();
        let warnings = problems.warnings();
        let read = connection.zip(retrieval).map(|(connection, retrieval)| Configuration {
            connection,
            retrieval,
            batching,
            warnings,
        });
        problems.or(read)
    }

    /// The workspace of the feature service.
    pub(crate) fn workspace(&self) -> &str {
        let own = self.retrieval.workspace_name.as_deref();
        own.or(self.connection.default_workspace_name.as_deref()).unwrap_or_default()
    }
}

/// How rows are put into requests.
#[derive(JsonSchema, Serialize)]
#[schemars(deny_unknown_fields, inline)]
pub struct BatchingOptions {
    /// Entities in one request; 1 uses the endpoint for one entity. Tecton refuses more than 10.
    #[schemars(range(min = 1, max = 10), default = "ten", example = 5)]
    pub max_batch_size: usize,
    /// Requests that one bundle may have in flight.
    #[schemars(range(min = 1, max = 256), default = "four", example = 8)]
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

/// The JSON Schema of [`Configuration`].
pub(crate) fn schema() -> String {
    let mut schema = schemars::schema_for!(Configuration).to_value();
    for options in ["RequestOptions", "MetadataOptions"] {
        in_either_case(&mut schema, options);
    }
    schema.to_string()
}

/// Adds each property of a definition in camelCase too, by reference.
fn in_either_case(schema: &mut Value, definition: &str) {
    let pointer = format!("/$defs/{definition}/properties");
    let Some(Value::Object(properties)) = schema.pointer_mut(&pointer) else { return };
    let names: Vec<String> = properties.keys().cloned().collect();
    for name in names {
        let reference = json!({ "$ref": format!("#{pointer}/{name}") });
        properties.insert(camel_case(&name), reference);
    }
}

/// Serializes options of which none is set: the default in the schema.
fn none_set<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serde::ser::SerializeMap::end(serializer.serialize_map(Some(0))?)
}

/// Reads a name that may be left out, but not be empty.
fn name<'a>(section: &Section<'a>, key: &'a str) -> Option<String> {
    let name = section.text(key)?;
    if name.is_empty() {
        section.problem(key, "must not be empty; leave it out instead");
    }
    Some(name.to_owned())
}

#[cfg(test)]
mod tests;
