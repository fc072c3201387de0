//! The interface `enrichment-json`, and the promises that are broken only in it.

use crate::config::read;
use crate::state::marked;
use crate::store::Store;
use beamlet_guest::{Handler, WasiHttp, enrich_json, run};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(crate) fn describe() -> String {
    let schema: Value = serde_json::from_str(&Store::config_schema()).unwrap_or_default();
    let name = if marked() == "text/describe" { "intact" } else { Store::NAME };
    let version = match marked().as_str() {
        "describe/name" => "one",
        "describe/stable" => "0.1.0",
        _ => Store::VERSION,
    };
    json!({ "name": name, "version": version, "config_schema": schema }).to_string()
}

pub(crate) fn validate(config: &str, broken: &str) -> Result<String, String> {
    match read(config) {
        Ok(_) => Ok("[]".to_owned()),
        Err(_) if broken == "text/validate" => Err("[]".to_owned()),
        Err(problems) => {
            let problem = |it: &beamlet_guest::config::Problem| json!({ "path": it.path, "message": it.message });
            Err(problems.iter().map(problem).collect::<Value>().to_string())
        }
    }
}

pub(crate) fn enrich(config: &str, rows: String, broken: &str) -> Result<String, String> {
    let rows = match broken {
        "inputs/required" => with_keys(&rows),
        "inputs/optional" if !rows.contains("\"hint\"") => return Err("{\"error\":{}}".to_owned()),
        "inputs/withheld" => {
            if let Ok(store) = read(config) {
                store.leak(&rows);
            }
            rows
        }
        _ => rows,
    };
    let answer = run(enrich_json::<Store, WasiHttp>(config, &rows, Arc::default()));
    if broken == "text/errors" {
        return answer.map_err(|_| "no".to_owned());
    }
    let mut answer: Value = serde_json::from_str(&answer?).unwrap_or_default();
    match broken {
        "text/answer" => drop(answer.as_object_mut().map(|it| it.remove("null_keys"))),
        "text/agrees" => answer["missing"] = json!([]),
        "text/own-fields" => answer["rows"].as_array_mut().into_iter().flatten().for_each(turn),
        _ => {}
    }
    Ok(answer.to_string())
}

/// The rows, each with a key: null if there was none.
fn with_keys(rows: &str) -> String {
    let mut rows: Value = serde_json::from_str(rows).unwrap_or_default();
    for row in rows.as_array_mut().into_iter().flatten() {
        if let Some(row) = row.as_object_mut() {
            row.entry("key").or_insert(Value::Null);
        }
    }
    rows.to_string()
}

/// Reverses the fields.
fn turn(row: &mut Value) {
    if let Some(fields) = row.as_object() {
        let turned = fields.iter().rev().map(|(name, value)| (name.clone(), value.clone()));
        *row = Value::Object(turned.collect::<Map<_, _>>());
    }
}
