//! The library, as an embedder uses it.

use super::guests;
use super::store::KEY;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use beamlet::config::{Config, Document};
use beamlet::plugin::{Enriched, Instance, Plugin, PluginError, Setup};
use beamlet::sandbox::{Egress, Permissions, Runtime, RuntimeOptions};
use serde_json::json;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The runtime that all tests of a suite share.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("beamlet-cache");
        Runtime::new(&RuntimeOptions::default().cache(Some(cache))).unwrap()
    })
}

pub fn tecton() -> Plugin {
    Plugin::tecton(runtime()).unwrap()
}

pub fn evil() -> Plugin {
    Plugin::from_file(runtime(), guests::evil()).unwrap()
}

/// What the instances of a plugin share, of the text of a `beamlet.toml`.
pub async fn setup(plugin: &Plugin, config: &str) -> Setup {
    let document = Document::parse(Path::new("beamlet.toml"), config).unwrap();
    let schema = plugin.describe(&Permissions::default()).await.unwrap().config_schema;
    let (config, problems) = Config::new(&document, &schema);
    assert_eq!(problems, []);
    let egress = Egress::new(config.allowed, config.secrets, config.sandbox.timeouts);
    let setup = Setup::new(config.handler.to_string(), Arc::new(egress));
    setup.permissions(config.sandbox.permissions)
}

/// A `beamlet.toml` for a behaviour of the evil handler.
pub fn evil_config(behaviour: &str, more: &str) -> String {
    format!("retrieval.evil = '{behaviour}'\nconnection.api_key = '{KEY}'\n{more}\n")
}

/// Rows of which the handlers read only the tail number; `None` is null.
pub fn tailnums(values: &[Option<&str>]) -> RecordBatch {
    let array: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("tailnum", array, true)]).unwrap()
}

/// Runs rows through an instance as one bundle, in one call.
pub async fn bundle(
    instance: &mut Instance,
    rows: &RecordBatch,
) -> Result<Vec<Enriched>, PluginError> {
    let mut bundle = instance.start_bundle().await?;
    let mut answers = bundle.process(rows).await?;
    answers.extend(bundle.finish().await?);
    Ok(answers)
}

/// How many rows the answers are for: enriched, missing, null keys, failed.
pub fn counts(answers: &[Enriched]) -> [usize; 4] {
    let sum = |of: fn(&Enriched) -> usize| answers.iter().map(of).sum();
    [
        sum(Enriched::enriched),
        sum(|answer| answer.missing.len()),
        sum(|answer| answer.null_keys.len()),
        sum(|answer| answer.failures.len()),
    ]
}

/// The same as JSON, as a handler is given it.
pub fn valid_tecton_json(url: &str) -> serde_json::Value {
    json!({
        "connection": { "url": url, "default_workspace_name": "prod", "api_key": KEY },
        "retrieval": { "feature_service_name": "planes_features", "entity_id": "tailnum" },
    })
}
