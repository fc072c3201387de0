//! Invalid configurations.

use super::{refused_by, refused_config};
use crate::support::beamlet::Folder;
use crate::support::redacted;
use crate::support::store::{KEY, config};
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_missing_configuration_is_named() {
    let ended = refused_by(&Folder::new(), "--config beamlet.toml");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: beamlet.toml: cannot be read: No such file or directory (os error 2)
    exit code 2
    ")
    });
}

#[test]
fn a_configuration_that_is_neither_toml_nor_json_is_refused_by_its_name() {
    let ended = refused_config("beamlet.yaml", "connection: {}\n");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: beamlet.yaml: a configuration is a .toml or a .json file
    exit code 2
    ")
    });
}

#[test]
fn a_syntax_error_in_toml_is_named_by_line_and_column_without_the_text() {
    let ended = refused_config("beamlet.toml", &format!("[connection]\napi_key = {KEY}\n"));
    redacted(|| {
        assert_snapshot!(ended, @"
    error: beamlet.toml:2:11: is not TOML: string values must be quoted, expected literal string
    exit code 2
    ")
    });
}

#[test]
fn a_syntax_error_in_json_is_named_by_line_and_column_without_the_text() {
    let text = format!("{{\"connection\":\n {{\"api_key\": \"{KEY}\",}}\n}}");
    let ended = refused_config("beamlet.json", &text);
    redacted(|| {
        assert_snapshot!(ended, @"
    error: beamlet.json:2:36: is not JSON: trailing comma
    exit code 2
    ")
    });
}

#[test]
fn every_problem_of_a_configuration_is_reported_at_once_and_in_order() {
    let text = format!(
        "retries = 3

[connection]
url = 'planes'
workspace = 'prod'
api_key = '{KEY}'

[retrieval]
feature_service = 'planes_features'
entity_id = 5

[batching]
max_batch_size = 11

[run]
bundle_size = 0

[sandbox]
deadline = 5
"
    );
    let ended = refused_config("beamlet.toml", &text);
    assert_eq!(ended.code, Some(2));
    redacted(|| {
        assert_snapshot!(ended, @"
        error: the configuration is not valid
        beamlet.toml:1: /retries: unknown key `retries`; did you mean `retrieval`?
        beamlet.toml:4: /connection/url: must be a URL such as https://example.tecton.ai; it has no scheme
        beamlet.toml:5: /connection/workspace: unknown key `workspace`; known are `url`, `api_key`, `kwargs`, `default_workspace_name`
        beamlet.toml:8: /retrieval/feature_service_name: is required
        beamlet.toml:9: /retrieval/feature_service: unknown key `feature_service`; did you mean `feature_service_name`?
        beamlet.toml:10: /retrieval/entity_id: must be a string, is a number
        beamlet.toml:13: /batching/max_batch_size: must be from 1 to 10, is 11
        beamlet.toml:16: /run/bundle_size: must be from 1 to 1000000, is 0
        beamlet.toml:19: /sandbox/deadline: unknown key `deadline`; did you mean `deadline_ms`?
        exit code 2
        ")
    });
}

#[test]
fn a_configuration_of_json_is_checked_like_one_of_toml() {
    let text = json!({
        "connection": { "url": "http://127.0.0.1:1", "api_key": KEY },
        "retrieval": { "feature_service_name": "planes_features", "entity_ids": ["tailnum"] },
    });
    let ended = refused_config("beamlet.json", &text.to_string());
    redacted(|| {
        assert_snapshot!(ended, @"
        error: the configuration is not valid
        beamlet.json:1: /retrieval/entity_id: is required, as `entity_row_fn` is not set either; one of them names the join keys
        beamlet.json:1: /retrieval/entity_ids: unknown key `entity_ids`; did you mean `entity_id`?
        beamlet.json:1: /retrieval/workspace_name: is required, as `connection.default_workspace_name` is not set either
        exit code 2
        ")
    });
}

#[test]
fn a_secret_that_is_not_set_is_named_by_its_variable() {
    let text =
        config("http://127.0.0.1:1").replace(&format!("'{KEY}'"), "{ env = 'BEAMLET_NO_KEY' }");
    let ended = refused_config("beamlet.toml", &text);
    redacted(|| {
        assert_snapshot!(ended, @"
    error: the configuration is not valid
    beamlet.toml:4: /connection/api_key: the environment variable BEAMLET_NO_KEY is not set
    exit code 2
    ")
    });
}

#[test]
fn the_error_for_an_empty_configuration_names_what_is_required() {
    let ended = refused_config("beamlet.toml", "");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: the configuration is not valid
    beamlet.toml: /connection: is required
    beamlet.toml: /retrieval: is required
    exit code 2
    ")
    });
}
