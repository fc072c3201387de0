//! The service's configuration, and what it tells of it.

use super::problem;
use beamlet_interop::{Request, Serve, Store};
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_good_configuration_is_healthy_and_its_schema_is_what_the_store_tells() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    assert_eq!(edge.get("/healthz").text(), r#"{"status":"ok"}"#);
    assert_eq!(store.requests(), 0);
    let schema = edge.get("/schema").json();
    assert_eq!(schema["inputs"], json!([{ "name": "tailnum", "required": true }]));
    assert_eq!(schema["outputs"][0], json!({ "name": "planes.year", "type": "int64" }));
    assert_eq!(schema["outputs"].as_array().unwrap().len(), 8);
    // A HEAD is the same without the body.
    let mut connection = edge.connect();
    connection.send(&Request::new("HEAD", "/healthz").bytes());
    assert_eq!(connection.head().status, 200);
}

#[test]
fn every_problem_of_a_configuration_is_told_with_its_pointer() {
    let config = json!({
        "connection": { "url": "example.tecton.ai", "api_key": { "env": "NO_SUCH_VARIABLE" } },
        "retrieval": { "feature_service_name": "", "entity_ids": "tailnum" },
        "batching": { "max_batch_size": 11 },
    });
    let edge = Serve::edge(&config);
    let health = edge.get("/healthz");
    assert_eq!(problem(&health).0, 503);
    assert_snapshot!(serde_json::to_string_pretty(&health.json()["problems"]).unwrap(), @r#"
    [
      {
        "path": "/connection/api_key",
        "message": "the environment variable NO_SUCH_VARIABLE is not set"
      },
      {
        "path": "/connection/url",
        "message": "must be a URL such as https://example.tecton.ai; it has no scheme"
      },
      {
        "path": "/retrieval/feature_service_name",
        "message": "must not be empty"
      },
      {
        "path": "/retrieval/entity_id",
        "message": "is required, as `entity_row_fn` is not set either; one of them names the join keys"
      },
      {
        "path": "/retrieval/entity_ids",
        "message": "unknown key `entity_ids`; did you mean `entity_id`?"
      },
      {
        "path": "/batching/max_batch_size",
        "message": "must be from 1 to 10, is 11"
      }
    ]
    "#);
    let enrich = edge.enrich("[]");
    assert_eq!(problem(&enrich).0, 500);
    assert!(enrich.text().contains("/healthz"));
    assert_eq!(problem(&edge.get("/metrics")).0, 500);
}

#[test]
fn a_setting_that_makes_no_sense_is_a_problem_too() {
    let store = Store::default();
    let options = ["--env", "BEAMLET_MAX_BODY_BYTES=1MB", "--env", "BEAMLET_LOG=loud"];
    let edge = Serve::edge_with(&store.config(), &options);
    let health = edge.get("/healthz");
    assert_eq!(health.status, 503);
    assert_eq!(health.json()["problems"].as_array().unwrap().len(), 2);
}
