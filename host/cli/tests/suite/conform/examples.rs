//! The handlers of this repository keep every promise.

use crate::support::beamlet::Beamlet;
use crate::support::folder::Folder;
use crate::support::guests;
use crate::support::key_value::{KeyValueStore, TOKEN, keys_ndjson};
use crate::support::store::{Store, data};
use serde_json::Value;

/// The checks that did not pass, of the report in `report.json`.
fn not_passed(folder: &Folder) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&folder.read("report.json")).unwrap();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    let others = checks.filter(|check| check["outcome"] != "ok");
    others
        .map(|check| (text(check, "name"), text(check, "outcome") + ": " + &text(check, "why")))
        .collect()
}

#[test]
fn the_tecton_handler_keeps_every_promise() {
    let store = Store::start();
    let folder = store.folder();
    let keys = data("flights-sample.csv");
    let arguments = format!(
        "conform tecton --config beamlet.toml --keys {} --null NA --rows 20000 --json report.json",
        keys.display()
    );
    let ended = Beamlet::new(&folder, &arguments).end();
    assert_eq!(ended.code, Some(0), "{ended}");
    let optional =
        ("inputs/optional".to_owned(), "not_applicable: every field is required".to_owned());
    assert_eq!(not_passed(&folder), [optional]);
}

/// A folder with a configuration of the example, and keys.
pub(crate) fn example(store: &KeyValueStore) -> Folder {
    let folder = Folder::new();
    let config = include_str!("../../../../../examples/key-value/beamlet.toml");
    assert!(config.contains("http://127.0.0.1:8080"), "the example's URL");
    folder.write("beamlet.toml", config.replace("http://127.0.0.1:8080", &store.url()));
    folder.write("rows.ndjson", keys_ndjson());
    std::fs::copy(guests::key_value(), folder.file("key_value.wasm")).unwrap();
    folder
}

#[test]
fn the_handler_of_the_guide_keeps_every_promise() {
    let store = KeyValueStore::start();
    let folder = example(&store);
    let arguments =
        "conform key_value.wasm --config beamlet.toml --keys rows.ndjson --json report.json";
    let ended = Beamlet::new(&folder, arguments).env("STORE_API_KEY", TOKEN).end();
    assert_eq!(ended.code, Some(0), "{ended}");
    let optional =
        ("inputs/optional".to_owned(), "not_applicable: every field is required".to_owned());
    assert_eq!(not_passed(&folder), [optional]);
}

#[test]
fn the_handler_of_the_guide_enriches_rows() {
    let store = KeyValueStore::start();
    let folder = example(&store);
    folder.write("rows.ndjson", "{\"key\":\"k3\",\"own\":1}\n{\"key\":\"x\"}\n{\"key\":null}\n");
    let arguments = "run --handler key_value.wasm --config beamlet.toml --input rows.ndjson";
    let rows = Beamlet::new(&folder, arguments).env("STORE_API_KEY", TOKEN).succeed();
    insta::assert_snapshot!(rows, @r#"
{"key":"k3","own":1,"even":false,"n":3,"t":"text 3","x":0.75}
{"key":"x","even":null,"n":null,"t":null,"x":null}
{"key":null,"even":null,"n":null,"t":null,"x":null}
"#);
}
