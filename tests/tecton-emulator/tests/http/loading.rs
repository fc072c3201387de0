//! Repositories that cannot be served, and where their errors point; the files that come with it.

use std::path::Path;

use serde_json::json;
use tecton_emulator::{
    DataType, Emulator, FeatureService, FeatureView, Repository, RepositoryFile, Workspace,
};

use crate::client::{Client, one_cell, repository, shop};

fn problem_of(repository: Repository) -> String {
    let started = Emulator::builder(repository).start_blocking();
    started.unwrap_err().to_string()
}

/// Fails unless the problem of the service mentions each of these.
#[track_caller]
fn assert_problem(service: FeatureService, mentions: &[&str]) {
    let problem = problem_of(repository(service));
    for part in mentions {
        assert!(problem.contains(part), "{problem}");
    }
}

#[test]
fn an_int64_outside_of_64_bits_is_refused_with_line_and_column() {
    assert_problem(
        one_cell("int64", "9223372036854775808"),
        &["service `shop`", "view `v`", "feature `f`", "line 2, column `f`", "no int64"],
    );
}

#[test]
fn a_nested_cell_that_does_not_fit_is_refused() {
    assert_problem(one_cell("array<int64>", "[1, \"x\"]"), &["line 2", "no array<int64>"]);
    assert_problem(one_cell("struct<a: string>", "{\"b\": 1}"), &["no struct<a: string>"]);
}

#[test]
fn a_column_that_is_not_there_is_refused_with_those_that_are() {
    let view = FeatureView::of_csv("v", "k,f\n").feature("g", DataType::Int64);
    let service = FeatureService::new("s").join_key("k", DataType::String).view(view);
    assert_problem(service, &["no column `g`", "it has k, f"]);
}

#[test]
fn a_view_by_an_unknown_key_is_refused() {
    let view = FeatureView::of_csv("v", "k\n").keys(["other"]);
    let service = FeatureService::new("s").join_key("k", DataType::String).view(view);
    assert_problem(service, &["its key `other` is none of the service's join_keys"]);
}

#[test]
fn a_row_without_key_or_with_anothers_is_refused() {
    let service = |csv: &str| {
        let view = FeatureView::of_csv("v", csv).feature("f", DataType::Int64);
        FeatureService::new("s").join_key("k", DataType::String).view(view)
    };
    assert_problem(service("k,f\n,1\n"), &["line 2, column `k`", "must not be null"]);
    assert_problem(service("k,f\na,1\na,2\n"), &["line 3, column `k`", "an earlier row"]);
}

#[test]
fn a_join_key_of_another_type_is_refused() {
    let service = FeatureService::new("s").join_key("k", DataType::Float64);
    assert_problem(service, &["join key `k` is float64; make it int64 or string"]);
}

#[test]
fn an_expression_that_does_not_compile_or_reads_something_else_is_refused() {
    let service = |expression| {
        let view = FeatureView::new("v").computed("f", DataType::Int64, expression);
        FeatureService::new("s").view(view)
    };
    assert_problem(service("1 +"), &["view `v`, feature `f`", "expression `1 +`"]);
    assert_problem(service("amount"), &["reads `amount`"]);
}

#[test]
fn two_of_one_name_are_refused() {
    let workspace = Workspace::live("prod").service(shop()).service(shop());
    let problem = problem_of(Repository::new().workspace(workspace));
    assert!(problem.contains("service `shop`: there are two"), "{problem}");
    let problem = problem_of(Repository::new().api_key("a").api_key("a"));
    assert!(problem.contains("api key") && !problem.contains("`a`"), "{problem}");
}

#[test]
fn sources_are_found_relative_to_the_repository_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("repository.toml");
    let text = r#"
        [[api_key]]
        key = "demo-key"
        [[workspace]]
        name = "prod"
        [[workspace.service]]
        name = "shop"
        join_keys = ["k: string"]
        [[workspace.service.view]]
        name = "v"
        source = "rows.csv"
        features = ["f: int64"]
    "#;
    std::fs::write(&path, text).unwrap();
    let missing = Emulator::of_file(RepositoryFile::read(&path).unwrap()).start_blocking();
    let problem = missing.unwrap_err().to_string();
    assert!(problem.contains("cannot read") && problem.contains("rows.csv"), "{problem}");

    std::fs::write(folder.path().join("rows.csv"), "k,f\na,1\nb,x\n").unwrap();
    let wrong = Emulator::of_file(RepositoryFile::read(&path).unwrap()).start_blocking();
    let problem = wrong.unwrap_err().to_string();
    assert!(problem.contains("rows.csv, line 3, column `f`: `x` is no int64"), "{problem}");
    assert!(problem.contains("repository.toml, workspace `prod`"), "{problem}");

    std::fs::write(folder.path().join("rows.csv"), "k,f\na,1\n").unwrap();
    let client = Client::start(Emulator::of_file(RepositoryFile::read(&path).unwrap()));
    let answer = client.get_features(json!({"joinKeyMap": {"k": "a"}}));
    assert_eq!(answer.features(), json!(["1"]));
}

fn of_project(path: &str) -> Client {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Client::start(Emulator::of_file(RepositoryFile::read(root.join(path)).unwrap()))
}

#[test]
fn the_example_is_served() {
    let client = of_project("examples/planes.toml");
    let answer = client.get_features(json!({
        "featureServiceName": "flights",
        "joinKeyMap": {"tailnum": "N10156", "flight": "1545"},
        "requestContextMap": {"distance": 3200.0, "departure": "2025-01-31T06:15:00Z"},
    }));
    assert_eq!(
        answer.features(),
        json!([
            "55", ["2", null, "13"], [13.5, "EWR"], {"EWR": "13"},
            true, "N10156/1545", "6",
        ])
    );
}

#[test]
fn the_demonstrations_repository_is_served() {
    let client = of_project("../../data/tecton-repository.toml");
    let answer = client.get_features(json!({
        "featureServiceName": "planes_features", "joinKeyMap": {"tailnum": "N10156"},
    }));
    assert_eq!(
        answer.features(),
        json!([
            "2004",
            "Fixed wing multi engine",
            "EMBRAER",
            "EMB-145XR",
            "2",
            "55",
            null,
            "Turbo-fan",
        ])
    );
}
