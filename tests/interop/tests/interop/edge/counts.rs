//! What an operator sees: a line a request, and metrics.

use super::redacted;
use beamlet_interop::{Serve, Store};
use insta::assert_snapshot;

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
