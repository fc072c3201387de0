//! The OpenAPI document against the service that it tells of.

use beamlet_interop::{Serve, Store, root, tool};
use serde_json::{Value, json};
use std::process::Command;

#[test]
fn the_document_is_that_of_the_repository_with_the_fields_that_this_handler_reads() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let file = std::fs::read_to_string(root().join("guest/edge/openapi.json")).unwrap();
    let mut expected: Value = serde_json::from_str(&file).unwrap();
    expected["components"]["schemas"]["Row"]["required"] = json!(["tailnum"]);
    assert_eq!(edge.get("/openapi.json").json(), expected);
}

#[test]
fn the_service_does_what_the_document_says_whatever_schemathesis_sends() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    let folder = tempfile::tempdir().unwrap();
    let here = root().join("tests/interop/tests/interop/edge/schemathesis");
    let ran = Command::new(tool("schemathesis"))
        .current_dir(folder.path())
        .env("PYTHONPATH", &here)
        .env("SCHEMATHESIS_HOOKS", "ndjson")
        .arg("--config-file")
        .arg(here.join("schemathesis.toml"))
        .args(["run", "--seed", "20260101", "--generation-database", "none", "--no-color"])
        .arg(format!("http://{}/openapi.json", edge.address()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
}
