//! One `beamlet run` against a Tecton.

use super::tecton::{Described, Row, Tecton};
use crate::support::beamlet::Beamlet;
use crate::support::folder::Folder;
use serde_json::{Value, json};

/// What a run left.
pub(crate) struct Attempt {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    /// The rows of the output, or none where there is no output.
    pub(crate) output: Option<Vec<Row>>,
    pub(crate) summary: Value,
}

impl Attempt {
    /// Runs rows with the Tecton's own configuration, changed.
    pub(crate) fn new(tecton: &Tecton, rows: &[Row], change: impl FnOnce(&mut Value)) -> Self {
        let folder = Folder::new();
        let mut config = config(tecton);
        change(&mut config);
        folder.write("beamlet.json", config.to_string());
        let lines: String = rows.iter().map(|row| format!("{}\n", json!(row))).collect();
        folder.write("rows.ndjson", lines);
        let ended = Beamlet::new(
            &folder,
            "run --config beamlet.json --input rows.ndjson --output out.ndjson --summary summary.json",
        )
        .env("SCENARIO_KEY", &tecton.key)
        .end();
        assert!(!format!("{ended}").contains(&tecton.key), "the key is told");
        let output = folder.names().contains(&"out.ndjson".to_owned()).then(|| {
            let text = folder.read("out.ndjson");
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        });
        Attempt {
            code: ended.code,
            stderr: ended.stderr,
            output,
            summary: serde_json::from_str(&folder.read("summary.json")).unwrap(),
        }
    }

    /// The rows of a run that was a success.
    #[track_caller]
    pub(crate) fn rows(&self) -> &[Row] {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.output.as_deref().unwrap()
    }

    /// Fails unless the run did, for the store's answer was one of these statuses.
    #[track_caller]
    pub(crate) fn assert_refused(&self, statuses: &[u16]) {
        assert_eq!((self.code, self.output.as_ref()), (Some(1), None), "{}", self.stderr);
        let told = |status: &u16| self.stderr.contains(&format!("feature store answered {status}"));
        assert!(statuses.iter().any(told), "{}", self.stderr);
    }

    #[track_caller]
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.summary[name].as_u64().unwrap_or_else(|| panic!("{name} in {}", self.summary))
    }
}

/// A configuration for rows that have a field for each key. One join key goes by its name,
/// several by expressions.
fn config(tecton: &Tecton) -> Value {
    let expressions = |keys: &[Described]| -> Value {
        let expression =
            |key: &Described| (key.name.clone(), Value::from(format!("row[{}]", json!(key.name))));
        Value::Object(keys.iter().map(expression).collect())
    };
    let mut retrieval = json!({
        "feature_service_name": tecton.feature_service,
        "request_context_fn": expressions(&tecton.context),
    });
    match tecton.join_keys.as_slice() {
        [key] => retrieval["entity_id"] = json!(key.name),
        keys => retrieval["entity_row_fn"] = expressions(keys),
    }
    json!({
        "connection": {
            "url": tecton.url,
            "default_workspace_name": tecton.workspace,
            "api_key": { "env": "SCENARIO_KEY" },
        },
        "retrieval": retrieval,
        "batching": {},
    })
}
