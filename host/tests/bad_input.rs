//! Everything that a user or a store can get wrong: what `beamlet run` says, how it ends, and
//! that it leaves nothing half done and tells no secret.
#![allow(clippy::unwrap_used)]

mod support;

use insta::assert_snapshot;
use serde_json::json;
use std::time::Duration;
use support::beamlet::{Beamlet, Ended};
use support::folder::Folder;
use support::redacted;
use support::server::{Server, answer, closed_port, header};
use support::store::{KEY, Store, config, folder_of};
use tecton_emulator::{FaultAnswer, FaultBody, StatusFault};

/// Runs to an end that must be bad, with nothing left but a summary and nothing told of the key.
#[track_caller]
fn refused(folder: &Folder, arguments: &str) -> Ended {
    let before = folder.names();
    let arguments = format!("{arguments} --output out.ndjson --summary summary.json");
    let ended = Beamlet::new(folder, &arguments).end();
    assert_ne!(ended.code, Some(0));
    let left = folder.names().into_iter().filter(|name| name != "summary.json");
    assert_eq!(left.collect::<Vec<_>>(), before);
    assert_tells_no_key(&ended, folder);
    ended
}

/// Not the key, and no part of it that a person would know it by.
#[track_caller]
fn assert_tells_no_key(ended: &Ended, folder: &Folder) {
    let mut texts = vec![ended.stdout.clone(), ended.stderr.clone()];
    let results = folder.contents().into_iter().filter(|(name, _)| !name.starts_with("beamlet."));
    texts.extend(results.map(|(_, content)| String::from_utf8_lossy(&content).into_owned()));
    for part in KEY.as_bytes().windows(8).map(|part| std::str::from_utf8(part).unwrap()) {
        assert!(texts.iter().all(|text| !text.contains(part)), "{part} of the key in {texts:?}");
    }
}

/// Runs rows of this text, in a file of this name, against a good store.
#[track_caller]
fn refused_rows(name: &str, text: impl AsRef<[u8]>) -> Ended {
    let store = Store::start();
    let folder = store.folder();
    folder.write(name, text);
    refused(&folder, &format!("run --config beamlet.toml --input {name}"))
}

/// Runs one good row with this configuration, in a file of this name.
#[track_caller]
fn refused_config(name: &str, text: &str) -> Ended {
    let folder = Folder::new();
    folder.write(name, text);
    refused_by(&folder, &format!("--config {name}"))
}

/// Runs one good row against a store at this URL.
#[track_caller]
fn refused_by_store(url: &str) -> Ended {
    refused_by(&folder_of(&config(url)), "--config beamlet.toml")
}

#[track_caller]
fn refused_by(folder: &Folder, arguments: &str) -> Ended {
    folder.write("rows.ndjson", "{\"tailnum\":\"N10156\"}\n");
    refused(folder, &format!("run --input rows.ndjson {arguments}"))
}

/// Runs one good row through a component of these bytes.
#[track_caller]
fn refused_component(bytes: impl AsRef<[u8]>) -> Ended {
    let folder = folder_of(&config("http://127.0.0.1:1"));
    folder.write("handler.wasm", bytes);
    refused_by(&folder, "--config beamlet.toml --handler handler.wasm")
}

fn first_line(ended: &Ended) -> &str {
    ended.stderr.lines().next().unwrap()
}

// Rows.

#[test]
fn a_row_that_is_no_json_is_named_by_line_and_column() {
    let ended = refused_rows("rows.ndjson", "{\"tailnum\":\"N10156\"}\n\n{\"tailnum\":N10156}\n");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.ndjson:3:12: row is no JSON object: expected value; write one JSON object on each line
    0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_csv_row_with_too_few_fields_names_the_first_that_is_missing() {
    let ended = refused_rows("rows.csv", "tailnum,flight\nN10156,1\nN102UW\n");
    redacted(|| {
        assert_snapshot!(ended, @r#"
    error: rows.csv:3: row has too few fields: expected 2, got 1; the first missing field is "flight"
    0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    "#)
    });
}

#[test]
fn a_csv_row_with_too_many_fields_names_the_last_that_has_a_name() {
    let ended = refused_rows("rows.csv", "tailnum,flight\nN10156,1,2\n");
    redacted(|| {
        assert_snapshot!(ended, @r#"
    error: rows.csv:2: row has too many fields: expected 2, got 3; the last named field is "flight"; quote a field that holds a comma
    0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    "#)
    });
}

#[test]
fn a_row_without_the_entity_field_is_named_by_line() {
    let ended = refused_rows("rows.ndjson", "{\"tailnum\":\"N10156\"}\n{\"flight\":1}\n");
    redacted(|| {
        assert_snapshot!(ended, @r#"
    error: rows.ndjson:2: field "tailnum" is missing, and the handler requires it; add it to the row (null is allowed)
    0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    "#)
    });
}

#[test]
fn a_csv_without_the_entity_field_is_refused_by_its_header() {
    let ended = refused_rows("rows.csv", "tail_num,flight\nN10156,1\n");
    redacted(|| {
        assert_snapshot!(ended, @r#"
    error: rows.csv:1: field "tailnum" is not in the header, and the handler requires it; add or rename a column
    0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    "#)
    });
}

#[test]
fn an_entity_field_of_a_type_that_no_key_has_is_named_by_line_field_and_type() {
    let values = ["1.5", "true", "{\"n\":1}", "[1]", "1e3", "\"\\ud800\""];
    let told: Vec<String> = values
        .iter()
        .map(|value| {
            let rows = format!("{{\"tailnum\":\"N10156\"}}\n{{\"tailnum\":{value}}}\n");
            let ended = refused_rows("rows.ndjson", rows);
            assert_eq!(ended.code, Some(1));
            format!("{value}: {}", first_line(&ended))
        })
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
    1.5: error: rows.ndjson:2: invalid-input: field `tailnum` is a fractional number; a join key is a string, an integer or null
    true: error: rows.ndjson:2: invalid-input: field `tailnum` is a boolean; a join key is a string, an integer or null
    {"n":1}: error: rows.ndjson:2: invalid-input: field `tailnum` is an object; a join key is a string, an integer or null
    [1]: error: rows.ndjson:2: invalid-input: field `tailnum` is a list; a join key is a string, an integer or null
    1e3: error: rows.ndjson:2: invalid-input: field `tailnum` is a fractional number; a join key is a string, an integer or null
    "\ud800": error: rows.ndjson:2: field "tailnum" is a string with an escape that is no character: unexpected end of hex escape; mend the value
    "#);
}

#[test]
fn a_whole_column_of_a_type_that_no_key_has_names_its_first_row_and_counts_the_others() {
    let ended = refused_rows("rows.csv", "tailnum\n1.5\n2.5\n3.5\n");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.csv:2: invalid-input: field `tailnum` is a fractional number; a join key is a string, an integer or null (and 2 more rows of its bundle)
    3 rows in: 0 enriched, 0 missing, 0 with a null key, 3 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_csv_column_that_changes_its_type_names_the_row_and_an_option_that_is_there() {
    let numbers: String = (0..1000).map(|number| format!("{number}\n")).collect();
    let ended = refused_rows("rows.csv", format!("tailnum\n{numbers}N10156\n"));
    redacted(|| {
        assert_snapshot!(ended, @r#"
    error: rows.csv:1002: field "tailnum" is a string, expected int64 (the type of the first rows); mend the value, or state a type with --type tailnum=string
    1000 rows in: 0 enriched, 1000 missing, 0 with a null key, 0 failed
    100 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    "#)
    });
    let help = Beamlet::new(&Folder::new(), "run --help").succeed();
    assert!(help.contains("--type <FIELD=TYPE>"), "{help}");
}

#[test]
fn a_row_that_is_not_utf_8_is_named_by_line() {
    let ended = refused_rows("rows.ndjson", b"{\"tailnum\":\"N10156\"}\n{\"tailnum\":\"\xff\"}\n");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.ndjson:2: row is not UTF-8; convert the file, for example with iconv -t UTF-8
    0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
    0 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_csv_without_a_header_is_refused() {
    let ended = refused_rows("rows.csv", "");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.csv: has no header; the first row must name the columns
    exit code 1
    ")
    });
}

#[test]
fn an_input_that_is_not_there_is_named() {
    let folder = folder_of(&config("http://127.0.0.1:1"));
    let ended = refused(&folder, "run --config beamlet.toml --input rows.ndjson");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.ndjson: cannot be opened: No such file or directory (os error 2); check the path and its permissions
    exit code 1
    ")
    });
}

// Configurations.

#[test]
fn a_configuration_that_is_not_there_is_named() {
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
fn every_problem_of_a_configuration_is_told_at_once_and_in_its_order() {
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
        beamlet.toml:5: /connection/workspace: unknown key `workspace`; known are `url`, `default_workspace_name`, `api_key`, `kwargs`
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
        beamlet.json: /retrieval/entity_id: is required, as `entity_row_fn` is not set either; one of them names the join keys
        beamlet.json: /retrieval/entity_ids: unknown key `entity_ids`; did you mean `entity_id`?
        beamlet.json: /retrieval/workspace_name: is required, as `connection.default_workspace_name` is not set either
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
fn an_empty_configuration_is_told_what_it_needs() {
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

// Components.

/// An empty core module.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (instance $empty) {text})")).unwrap()
}

#[test]
fn a_component_that_is_not_there_is_named() {
    let folder = folder_of(&config("http://127.0.0.1:1"));
    let ended = refused_by(&folder, "--config beamlet.toml --handler handler.wasm");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: handler.wasm: cannot be read: No such file or directory (os error 2)
    exit code 2
    ")
    });
}

#[test]
fn a_text_is_no_component() {
    redacted(|| {
        assert_snapshot!(refused_component("tecton"), @"
    error: handler.wasm: is not a WebAssembly component
    exit code 2
    ")
    });
}

#[test]
fn an_empty_file_is_no_component() {
    redacted(|| {
        assert_snapshot!(refused_component(""), @"
    error: handler.wasm: is empty, not a WebAssembly component
    exit code 2
    ")
    });
}

#[test]
fn a_core_module_is_no_component_and_its_user_is_told_how_to_make_it_one() {
    redacted(|| {
        assert_snapshot!(refused_component(MODULE), @"
    error: handler.wasm: is a WebAssembly module, not a component; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`
    exit code 2
    ")
    });
}

#[test]
fn a_component_that_breaks_off_is_refused() {
    let whole = component("(export \"wasi:cli/run@0.2.0\" (instance $empty))");
    let ended = refused_component(&whole[..whole.len() - 4]);
    assert_eq!(ended.code, Some(2));
    redacted(|| {
        assert_snapshot!(ended, @"
    error: handler.wasm: is no valid component: failed to parse WebAssembly module: unexpected end-of-file (at offset 0x29)
    exit code 2
    ")
    });
}

#[test]
fn a_component_that_exports_something_else_is_told_what_a_handler_exports() {
    let bytes = component("(export \"wasi:cli/run@0.2.0\" (instance $empty))");
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: exports wasi:cli/run@0.2.0; a handler exports beamlet:enrichment/enrichment-handler@0.1.0
    exit code 2
    ")
    });
}

#[test]
fn a_component_that_exports_nothing_is_told_what_a_handler_exports() {
    redacted(|| {
        assert_snapshot!(refused_component(component("")), @"
    error: handler.wasm: exports no interface; a handler exports beamlet:enrichment/enrichment-handler@0.1.0
    exit code 2
    ")
    });
}

#[test]
fn a_component_of_another_version_of_the_contract_is_told_both_versions() {
    let name = "beamlet:enrichment/enrichment-handler@0.2.0";
    let bytes = component(&format!("(export \"{name}\" (instance $empty))"));
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: speaks the contract in version 0.2.0, this host in 0.1.0; rebuild the handler or take the host of that version
    exit code 2
    ")
    });
}

#[test]
fn a_component_with_an_interface_of_the_right_name_and_nothing_in_it_is_refused() {
    let name = "beamlet:enrichment/enrichment-handler@0.1.0";
    let bytes = component(&format!("(export \"{name}\" (instance $empty))"));
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: does not keep to the contract 0.1.0: instance export `beamlet:enrichment/enrichment-handler@0.1.0` does not have export `describe`
    exit code 2
    ")
    });
}

#[test]
fn a_component_that_wants_what_no_handler_gets_is_refused() {
    let bytes = component(
        "(import \"other:store/api@1.0.0\" (instance (export \"ask\" (func))))
        (export \"beamlet:enrichment/enrichment-handler@0.1.0\" (instance $empty))",
    );
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: imports what a handler does not get: component imports instance `other:store/api@1.0.0`, but a matching implementation was not found in the linker: instance export `ask` has the wrong type: function implementation is missing
    exit code 2
    ")
    });
}

// Stores.

#[test]
fn a_store_that_nobody_listens_for_is_named_by_its_url() {
    redacted(|| {
        assert_snapshot!(refused_by_store(&closed_port()), @"
    error: rows.ndjson:1: unavailable: POST http://[store]/api/v1/feature-service/get-features-batch: connection refused
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_store_whose_name_is_not_known_is_named_by_its_url() {
    // `.invalid` is reserved: no resolver knows it.
    let ended = refused_by_store("http://store.invalid");
    assert_eq!(ended.code, Some(1));
    assert!(
        first_line(&ended).starts_with(
            "error: rows.ndjson:1: unavailable: POST http://store.invalid/api/v1/feature-service/get-features-batch: the host name could not be resolved"
        ),
        "{ended}"
    );
}

#[test]
fn an_answer_that_is_not_json_is_told() {
    let store = Store::that_answers(FaultAnswer::NotJson);
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
    error: rows.ndjson:1: bad-response: the feature store's answer cannot be used: it is not JSON: expected ident at line 1 column 2
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_proxys_html_is_told_as_its_text() {
    let store = Store::that_answers(StatusFault::new(503).body(FaultBody::Html));
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
    error: rows.ndjson:1: unavailable: the feature store answered 503: 503 Service Temporarily Unavailable 503 Service Temporarily Unavailable
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn an_error_without_a_body_is_told() {
    let store = Store::that_answers(StatusFault::new(502).body(FaultBody::Empty));
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
    error: rows.ndjson:1: unavailable: the feature store answered 502: an empty body
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn an_answer_with_too_few_rows_is_told_with_both_counts() {
    let store = Store::that_answers(FaultAnswer::WrongCount);
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
    error: rows.ndjson:1: bad-response: the feature store's answer cannot be used: it has 0 rows for 1 entities
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn an_answer_that_breaks_off_is_told() {
    let store = Store::that_answers(FaultAnswer::Truncated);
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
    error: rows.ndjson:1: bad-response: POST http://[store]/api/v1/feature-service/get-features-batch: connection terminated
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_connection_that_is_reset_is_told() {
    let store = Store::that_answers(FaultAnswer::Reset);
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
    error: rows.ndjson:1: bad-response: POST http://[store]/api/v1/feature-service/get-features-batch: the connection was closed before the answer
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_store_that_hangs_is_given_up_after_the_time_allowed() {
    let store = Store::that_answers(FaultAnswer::Hang(Duration::from_secs(3600)));
    let folder = folder_of(&(config(&store.url()) + "[sandbox]\nfirst_byte_timeout_ms = 50\n"));
    redacted(|| {
        assert_snapshot!(refused_by(&folder, "--config beamlet.toml"), @"
    error: rows.ndjson:1: timed-out: POST http://[store]/api/v1/feature-service/get-features-batch: no answer within the time allowed
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_key_that_the_store_does_not_know_is_401() {
    let store = Store::start();
    let other = config(&store.url()).replace(KEY, "another-key");
    redacted(|| {
        assert_snapshot!(refused_by(&folder_of(&other), "--config beamlet.toml"), @"
        error: rows.ndjson:1: the bundle from here to line 1: the handler refused the bundle: unauthenticated: the feature store answered 401: invalid 'Tecton-key' authorization header. Note that newly created credentials may take up to 60 seconds to be usable.
        0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_key_that_may_not_is_403() {
    let store = Store::that_answers(FaultAnswer::status(403));
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
        error: rows.ndjson:1: the bundle from here to line 1: the handler refused the bundle: forbidden: the feature store answered 403: Not Authorized. Note that access control changes may take up to 60 seconds to apply.
        0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_feature_service_that_is_not_there_is_404_and_named() {
    let store = Store::start();
    let other = config(&store.url()).replace("planes_features", "trains_features");
    redacted(|| {
        assert_snapshot!(refused_by(&folder_of(&other), "--config beamlet.toml"), @"
        error: rows.ndjson:1: the bundle from here to line 1: the handler refused the bundle: not-found: the feature store answered 404: Unable to query FeatureService `trains_features` for workspace `prod`. Newly created feature services may take up to 60 seconds to query. Also, ensure that the workspace is a live workspace.
        0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn an_entity_id_that_is_no_join_key_is_400_in_the_stores_words() {
    let store = Store::start();
    let folder = folder_of(&config(&store.url()).replace("'tailnum'", "'flight'"));
    folder.write("rows.csv", "flight\n1545\n");
    let ended = refused(&folder, "run --config beamlet.toml --input rows.csv");
    redacted(|| {
        assert_snapshot!(ended, @"
        error: rows.csv:2: the bundle from here to line 2: the handler refused the bundle: invalid-input: the feature store answered 400: Unknown join key: flight, expected one of: [tailnum]
        0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_store_that_asks_for_fewer_requests_is_429() {
    let store = Store::that_answers(StatusFault::new(429).retry_after("7"));
    redacted(|| {
        assert_snapshot!(refused_by_store(&store.url()), @"
    error: rows.ndjson:1: throttled: the feature store answered 429: GetFeatures exceeded the concurrent request limit, please retry later
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_redirect_is_not_followed_and_its_target_is_told() {
    let server = Server::that_answers(|_| {
        answer("302 Found", "").replacen("\r\n", "\r\nlocation: http://other.example/\r\n", 1)
    });
    redacted(|| {
        assert_snapshot!(refused_by_store(&server.url()), @"
    error: rows.ndjson:1: bad-response: the feature store answered 302: redirected to http://other.example/; redirects are not followed, set `connection.url`
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
    let heard = server.heard();
    assert!(heard.iter().all(|request| request.starts_with("POST /api/v1/")), "{heard:?}");
}

// A server that says what it was told.

/// The server's answer holds what it got as `authorization`, in `text`.
#[track_caller]
fn refused_by_echo(status: &'static str, text: impl Fn(&str) -> String + Send + 'static) -> Ended {
    let server = Server::that_answers(move |request| {
        answer(status, &text(header(request, "authorization").unwrap()))
    });
    let ended = refused_by_store(&server.url());
    let heard = server.heard();
    assert!(heard[0].contains(&format!("authorization: Tecton-key {KEY}\r\n")), "{heard:?}");
    ended
}

#[test]
fn a_key_that_the_server_echoes_in_its_error_is_blotted_out() {
    let ended = refused_by_echo("401 Unauthorized", |key| {
        json!({ "message": format!("no account has {key}, sorry") }).to_string()
    });
    redacted(|| {
        assert_snapshot!(ended, @"
        error: rows.ndjson:1: the bundle from here to line 1: the handler refused the bundle: unauthenticated: the feature store answered 401: no account has Tecton-key [secret], sorry
        0 rows in: 0 enriched, 0 missing, 0 with a null key, 0 failed
        1 requests, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_key_that_a_proxy_echoes_in_its_html_is_blotted_out() {
    let ended = refused_by_echo("500 Oops", |key| format!("<html><p>got <b>{key}</b></p></html>"));
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.ndjson:1: unavailable: the feature store answered 500: got Tecton-key [secret]
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_key_that_stands_where_the_servers_text_is_cut_off_is_not_told_in_part() {
    let ended = refused_by_echo("500 Oops", |key| format!("{}{key}", "x".repeat(275)));
    assert_eq!(ended.code, Some(1));
}

#[test]
fn a_key_that_stands_in_an_answer_which_is_not_json_is_not_told() {
    let ended = refused_by_echo("200 OK", str::to_owned);
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.ndjson:1: bad-response: the feature store's answer cannot be used: it is not JSON: expected value at line 1 column 1
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_key_that_stands_in_the_metadata_of_an_answer_is_blotted_out() {
    let ended = refused_by_echo("200 OK", |key| {
        json!({
            "result": [{ "features": ["1"] }],
            "metadata": { "features": [{ "name": key, "dataType": { "type": "boolean" } }] },
        })
        .to_string()
    });
    redacted(|| {
        assert_snapshot!(ended, @"
    error: rows.ndjson:1: bad-response: the feature store's answer cannot be used: feature `Tecton-key [secret]` is declared boolean and is a string
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}

#[test]
fn a_key_that_a_redirect_leads_to_is_blotted_out() {
    let server = Server::that_answers(|request| {
        let key = header(request, "authorization").unwrap().replace(' ', "/");
        let location = format!("\r\nlocation: http://other.example/{key}\r\n");
        answer("302 Found", "").replacen("\r\n", &location, 1)
    });
    redacted(|| {
        assert_snapshot!(refused_by_store(&server.url()), @"
    error: rows.ndjson:1: bad-response: the feature store answered 302: redirected to http://other.example/Tecton-key/[secret]; redirects are not followed, set `connection.url`
    1 rows in: 0 enriched, 0 missing, 0 with a null key, 1 failed
    1 requests, [speed]
    failed: nothing was written to out.ndjson
    exit code 1
    ")
    });
}
