//! What a user writes: three objects under the names that Beam users know, checked in one go.

mod batching;
mod connection;
mod metadata_options;
mod request_options;
mod retrieval;
mod schema;

pub(crate) use batching::BatchingOptions;
pub(crate) use connection::Connection;
pub(crate) use metadata_options::MetadataOptions;
pub(crate) use request_options::RequestOptions;
pub(crate) use retrieval::Retrieval;
pub(crate) use schema::schema;

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
    /// What is accepted, and most likely not meant.
    #[schemars(skip)]
    pub warnings: Vec<Problem>,
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

/// Options of which none is set, as the default that the schema tells.
fn none_set<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serde::ser::SerializeMap::end(serializer.serialize_map(Some(0))?)
}

/// A name that may be left out, but not be empty.
fn name<'a>(section: &Section<'a>, key: &'a str) -> Option<String> {
    let name = section.text(key)?;
    if name.is_empty() {
        section.problem(key, "must not be empty; leave it out instead");
    }
    Some(name.to_owned())
}

#[cfg(test)]
mod tests;
