//! The scenarios, each a function of a Tecton, and one `beamlet run` against it.

use serde_json::{Value, json};

use super::tecton::{Described, Row, Tecton};
use crate::support::beamlet::{Beamlet, Folder};

pub(crate) fn a_feature_service_that_is_not_there_is_an_error_of_status_404(tecton: &Tecton) {
    let attempt = Attempt::new(tecton, &[tecton.unknown(0)], |config| {
        config["retrieval"]["feature_service_name"] = json!("no_such_feature_service");
    });
    attempt.assert_refused(&[404]);
}

pub(crate) fn a_workspace_that_is_not_there_is_an_error_of_status_404(tecton: &Tecton) {
    let attempt = Attempt::new(tecton, &[tecton.unknown(0)], |config| {
        config["retrieval"]["workspace_name"] = json!("no_such_workspace");
    });
    // For a workspace that a key may not read, Tecton answers the same whether it exists or not.
    attempt.assert_refused(if tecton.is_live() { &[404, 403] } else { &[404] });
}

pub(crate) fn a_key_that_is_not_valid_is_an_error_of_status_401_or_403(tecton: &Tecton) {
    let attempt = Attempt::new(tecton, &[tecton.unknown(0)], |config| {
        config["connection"]["api_key"] = json!("no-such-key");
    });
    attempt.assert_refused(&[401, 403]);
    assert!(!attempt.stderr.contains("no-such-key"), "{}", attempt.stderr);
}

pub(crate) fn an_entity_that_is_not_there_is_its_row_with_null_features(tecton: &Tecton) {
    let row = tecton.unknown(0);
    let attempt = Attempt::new(tecton, std::slice::from_ref(&row), |_| {});
    let features = features(tecton, &attempt.rows()[0], &row);
    let all_null = features.values().all(Value::is_null);
    assert_eq!(attempt.count("missing"), u64::from(all_null));
    if let Some(computed) = tecton.computed {
        for (name, value) in &features {
            assert_eq!(value.is_null(), !computed.contains(&name.as_str()), "{name} is {value}");
        }
    }
}

pub(crate) fn an_entity_that_is_there_is_its_row_with_its_features(tecton: &Tecton) {
    // Without an entity to name, that the service answers for one is all that can be seen.
    let row = tecton.known().unwrap_or_else(|| tecton.unknown(0));
    let attempt = Attempt::new(tecton, std::slice::from_ref(&row), |_| {});
    let features = features(tecton, &attempt.rows()[0], &row);
    assert_eq!((attempt.count("failed"), attempt.count("requests")), (0, 1));
    for (Described { name, data_type }, value) in tecton.features.iter().zip(features.values()) {
        assert!(fits(value, data_type), "{name} is {data_type}, and comes out as {value}");
    }
    if tecton.entity.is_some() {
        assert_eq!((attempt.count("enriched"), attempt.count("missing")), (1, 0));
        assert!(features.values().any(|value| !value.is_null()));
    }
    if let Some(exact) = &tecton.exact {
        assert_eq!(&features, exact);
    }
}

pub(crate) fn rows_are_asked_for_in_groups_and_each_gets_its_own_answer(tecton: &Tecton) {
    let row = |number: i64| match tecton.known() {
        Some(known) if number % 3 == 0 => known,
        _ => tecton.unknown(number),
    };
    let rows: Vec<Row> = (0..23).map(row).collect();
    let by = |size: u64, count: usize| {
        Attempt::new(tecton, &rows[..count], |config| {
            config["batching"]["max_batch_size"] = json!(size);
            // Equal rows are asked for each by itself: requests can be counted.
            config["run"]["coalesce"] = json!(false);
        })
    };
    let alone = by(1, 23);
    assert_eq!(alone.count("requests"), 23);
    for (size, count, requests) in [(10, 23, 3), (4, 23, 6), (10, 3, 1)] {
        let grouped = by(size, count);
        assert_eq!(grouped.count("requests"), requests, "{count} rows by {size}");
        assert_eq!(grouped.rows(), &alone.rows()[..count], "{count} rows by {size}");
    }
    for (output, row) in alone.rows().iter().zip(&rows) {
        features(tecton, output, row);
    }
    if tecton.entity.is_some() {
        assert!(alone.count("enriched") >= 8, "{}", alone.summary);
    }
}

/// The features of an enriched row, which has the row's own fields before them, as they were.
#[track_caller]
fn features(tecton: &Tecton, enriched: &Row, row: &Row) -> Row {
    let own: Vec<_> = enriched.iter().take(row.len()).collect();
    assert_eq!(own, row.iter().collect::<Vec<_>>());
    let features: Row = enriched
        .iter()
        .skip(row.len())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let names: Vec<&String> = tecton.features.iter().map(|feature| &feature.name).collect();
    assert_eq!(features.keys().collect::<Vec<_>>(), names);
    features
}

/// Whether an enriched row's value is of a type of Tecton's.
fn fits(value: &Value, of: &Value) -> bool {
    match of["type"].as_str().unwrap() {
        _ if value.is_null() => true,
        "int64" => value.is_i64(),
        // What JSON has no number for is a text.
        "float32" | "float64" => value.is_number() || value.is_string(),
        "boolean" => value.is_boolean(),
        "string" | "timestamp" => value.is_string(),
        "array" => {
            value.as_array().is_some_and(|list| list.iter().all(|v| fits(v, &of["elementType"])))
        }
        "map" => {
            value.as_object().is_some_and(|map| map.values().all(|v| fits(v, &of["valueType"])))
        }
        "struct" => value.is_object(),
        _ => true,
    }
}

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
        let named =
            |status: &u16| self.stderr.contains(&format!("feature store answered {status}"));
        assert!(statuses.iter().any(named), "{}", self.stderr);
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
