//! Reads the configuration, which names the promise to break.

use crate::state::marked;
use crate::store::Store;
use beamlet_guest::Handler;
use beamlet_guest::config::Problem;
use serde_json::{Value, json};

/// The promise to break that a configuration names; empty if it cannot be read.
pub(crate) fn broken_in(config: &str) -> String {
    let config: Value = serde_json::from_str(config).unwrap_or_default();
    let broken = config.pointer("/retrieval/broken").and_then(Value::as_str);
    broken.unwrap_or_default().to_owned()
}

/// Reads a configuration.
pub(crate) fn read(config: &str) -> Result<Store, Vec<Problem>> {
    let whole = |message: String| vec![Problem { path: String::new(), message }];
    let value: Value =
        serde_json::from_str(config).map_err(|error| whole(format!("is not JSON: {error}")))?;
    if value.is_null() && marked() == "config/odd-texts" {
        let usual = json!({
            "connection": { "url": "http://127.0.0.1:1", "api_key": "none" },
            "retrieval": { "key": "key" },
        });
        return Store::new(&usual);
    }
    Store::new(&value)
}
