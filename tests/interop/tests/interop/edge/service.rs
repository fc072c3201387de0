//! What the service says of itself: problems of its configuration, its OpenAPI document, logs and
//! metrics.

use std::process::Command;

use beamlet_interop::{Request, Serve, Store, root, tool};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{problem, redacted};

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
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{printed}{}", String::from_utf8_lossy(&ran.stderr));
}

const ROWS: &str = r#"[{"tailnum":"N10156"},{"tailnum":"N0"},{"tailnum":null}]"#;

/// The value of a sample.
fn sample(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in:\n{metrics}"));
    value.trim().parse().unwrap()
}

#[test]
fn each_request_is_a_line_of_json_on_standard_error() {
    let store = Store::default();
    let edge = Serve::edge_with(&store.config(), &["--no-logging-prefix"]);
    edge.enrich(ROWS);
    edge.get("/a/path/with/a/secret");
    let lines = edge.end();
    redacted(|| {
        assert_snapshot!(lines.join("\n"), @r#"
    {"request":"/enrich","status":200,"ms":[ms],"bytes_in":56,"bytes_out":598,"rows":3,"enriched":1,"missing":1,"null_keys":1,"failed":0,"features_retrieved":1,"feature_retrieval_requests":1,"feature_retrieval_errors":0}
    {"request":"other","status":404,"ms":[ms],"bytes_in":0,"bytes_out":98,"error":"there is no such path; /openapi.json lists the paths"}
    "#)
    });
}

#[test]
fn a_request_is_no_line_where_that_is_not_wanted() {
    let store = Store::default();
    let edge = Serve::edge_with(&store.config(), &["--env", "BEAMLET_LOG=off"]);
    edge.enrich(ROWS);
    assert_eq!(edge.end(), Vec::<String>::new());
}

#[test]
fn counts_in_a_directory_are_those_of_all_instances_and_of_all_servers_since() {
    let store = Store::default();
    let counts = tempfile::tempdir().unwrap();
    let directory = format!("{}::/counts", counts.path().display());
    let options = ["--dir", directory.as_str(), "--env", "BEAMLET_METRICS_DIR=/counts"];
    let edge = Serve::edge_with(&store.config(), &options);
    // Side by side, each in an instance of its own.
    std::thread::scope(|scope| {
        (0..4).for_each(|_| {
            scope.spawn(|| (0..5).for_each(|_| assert_eq!(edge.enrich(ROWS).status, 200)));
        });
    });
    edge.get("/nowhere");
    // A request is counted before its answer ends.
    let metrics = edge.get("/metrics").text().to_owned();
    let enrich = "beamlet_edge_requests_total{path=\"/enrich\",status=\"200\"}";
    assert_eq!(sample(&metrics, enrich), 20);
    assert_eq!(sample(&metrics, "beamlet_edge_rows_total{outcome=\"missing\"}"), 20);
    assert_eq!(sample(&metrics, "beamlet_edge_rows_total{outcome=\"null-key\"}"), 20);
    assert_eq!(sample(&metrics, "beamlet_handler_features_retrieved_total"), 20);
    assert_eq!(sample(&metrics, "beamlet_handler_feature_retrieval_requests_total"), 20);
    assert!(metrics.contains("# TYPE beamlet_edge_rows_total counter\n"));
    drop(edge);

    let edge = Serve::edge_with(&store.config(), &options);
    edge.enrich(ROWS);
    assert_eq!(sample(edge.get("/metrics").text(), enrich), 21);
}

#[test]
fn without_a_directory_metrics_are_those_of_one_instance_and_so_of_one_request() {
    let store = Store::default();
    let edge = Serve::edge(&store.config());
    edge.enrich(ROWS);
    let metrics = edge.get("/metrics");
    assert_eq!((metrics.status, metrics.text()), (200, ""));
}

#[test]
fn a_directory_that_cannot_be_read_is_an_error_and_not_zero() {
    let store = Store::default();
    let edge = Serve::edge_with(&store.config(), &["--env", "BEAMLET_METRICS_DIR=/counts"]);
    assert_eq!(edge.get("/metrics").status, 500);
    assert_eq!(edge.enrich(ROWS).status, 200);
    let lines = edge.end().join("\n");
    assert!(lines.contains("not counted in /counts"), "{lines}");
}
