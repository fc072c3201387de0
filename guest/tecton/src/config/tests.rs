//! Problems of a configuration: each is reported at its place, and all at once.

use super::Configuration;
use beamlet_guest::Timeouts;
use insta::assert_snapshot;
use serde_json::{Value, json};

/// A configuration without a problem, with `changes` at their pointers; null takes away.
fn config(changes: &[(&str, Value)]) -> Value {
    let mut config = json!({
        "connection": { "url": "https://example.tecton.ai", "api_key": "s3cret" },
        "retrieval": {
            "feature_service_name": "fraud", "workspace_name": "prod", "entity_id": "user_id",
        },
        "batching": {},
    });
    for (at, value) in changes {
        let (parent, key) = at.rsplit_once('/').unwrap();
        config.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    config
}

/// Its problems, or its warnings, a line each.
fn problems(changes: &[(&str, Value)]) -> String {
    let (what, found) = match Configuration::read(&config(changes)) {
        Ok(config) if config.warnings.is_empty() => return "fine".to_owned(),
        Ok(config) => ("warning: ", config.warnings),
        Err(problems) => ("", problems),
    };
    found.iter().map(|problem| format!("{what}{problem}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_must_be_there_is_asked_for_in_one_go() {
    let read = |config: Value| {
        let problems = Configuration::read(&config).err().unwrap();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(read(json!({ "connection": {}, "retrieval": {} })), @r"
    /connection/url: is required
    /connection/api_key: is required
    /retrieval/feature_service_name: is required
    /retrieval/entity_id: is required, as `entity_row_fn` is not set either; one of them names the join keys
    ");
    assert_snapshot!(read(json!({})), @r"
    /connection: is required
    /retrieval: is required
    ");
    assert_snapshot!(read(json!({ "connection": [], "retrieval": 1, "batching": "x" })), @r"
    /connection: must be an object, is an array
    /retrieval: must be an object, is a number
    /batching: must be an object, is a string
    ");
}

#[test]
fn a_url_has_a_form() {
    assert_snapshot!(problems(&[("/connection/url", json!("example.tecton.ai"))]), @"/connection/url: must be a URL such as https://example.tecton.ai; it has no scheme");
    assert_snapshot!(problems(&[("/connection/url", json!("ftp://example"))]), @r#"/connection/url: must be a URL such as https://example.tecton.ai; the scheme "ftp" is not http or https"#);
    assert_snapshot!(problems(&[("/connection/url", json!("http://127.0.0.1:99999"))]), @"/connection/url: must be a URL such as https://example.tecton.ai; the port is not a number up to 65535");
    assert_snapshot!(problems(&[("/connection/url", json!(7))]), @"/connection/url: must be a string, is a number");
    assert_snapshot!(problems(&[("/connection/url", json!(""))]), @"/connection/url: must not be empty");
}

#[test]
fn an_api_key_is_one_line_and_is_never_shown() {
    let found = problems(&[("/connection/api_key", json!("top\ns3cret"))]);
    assert!(!found.contains("s3cret"));
    assert_snapshot!(found, @"/connection/api_key: must be printable ASCII, on one line, without spaces around it");
}

#[test]
fn options_of_the_connection_are_checked_and_unknown_ones_pass_with_a_warning() {
    assert_snapshot!(problems(&[("/connection/kwargs", json!({
        "timeout_ms": 0, "connect_timeout_ms": "1", "headers": {
            "Authorization": "x", "x y": "z", "x-number": 1, "x-line": "a\nb", "x-ok": "fine",
        },
    }))]), @r"
    /connection/kwargs/timeout_ms: must be from 1 to 600000, is 0
    /connection/kwargs/connect_timeout_ms: must be a whole number, is a string
    /connection/kwargs/headers/Authorization: cannot be set here: the handler makes it from `api_key`
    /connection/kwargs/headers/x y: is not the name of a header
    /connection/kwargs/headers/x-number: must be a string, is a number
    /connection/kwargs/headers/x-line: must be printable ASCII, on one line, without spaces around it
    ");
    assert_snapshot!(problems(&[("/connection/kwargs", json!({ "timeout": 3, "proxies": {} }))]), @r"
    warning: /connection/kwargs/timeout: unknown key `timeout` has no effect; did you mean `timeout_ms`?
    warning: /connection/kwargs/proxies: unknown key `proxies` has no effect; known are `timeout_ms`, `connect_timeout_ms`, `headers`
    ");
    let good = json!({ "timeout_ms": 5, "headers": { "X-Source": "a" } });
    let read = Configuration::read(&config(&[("/connection/kwargs", good)])).ok().unwrap();
    let target = read.connection.store.target("/");
    assert_eq!(target.headers.last(), Some(&("x-source".to_owned(), b"a".to_vec())));
    assert_eq!(target.timeouts, Timeouts { connect_ms: None, response_ms: Some(5) });
}

#[test]
fn exactly_one_of_entity_id_and_entity_row_fn_names_the_keys() {
    let id = "/retrieval/entity_id";
    let function = "/retrieval/entity_row_fn";
    assert_snapshot!(problems(&[(id, Value::Null)]), @"/retrieval/entity_id: is required, as `entity_row_fn` is not set either; one of them names the join keys");
    assert_snapshot!(problems(&[(id, json!(""))]), @"/retrieval/entity_id: is required, as `entity_row_fn` is not set either; one of them names the join keys");
    assert_snapshot!(problems(&[(function, json!({ "k": "row.k" }))]), @"/retrieval/entity_row_fn: is set beside `entity_id`; keep one of them");
    assert_snapshot!(problems(&[(id, json!("")), (function, json!({ "k": "row.k" }))]), @"fine");
    assert_snapshot!(problems(&[(id, json!(7)), (function, json!(["k"]))]), @r"
    /retrieval/entity_id: must be a string, is a number
    /retrieval/entity_row_fn: must be an object, is an array
    ");
}

#[test]
fn a_request_without_keys_and_without_context_is_refused() {
    let none = [("/retrieval/entity_id", Value::Null), ("/retrieval/entity_row_fn", json!({}))];
    assert_snapshot!(problems(&none), @"/retrieval/entity_row_fn: names no join key, and there is no request context: one of both must be there");
    let mut some = none.to_vec();
    some.push(("/retrieval/request_context_fn", json!({ "amount": "row.amount" })));
    assert_snapshot!(problems(&some), @"fine");
}

#[test]
fn problems_of_an_expression_are_reported_at_its_key() {
    assert_snapshot!(problems(&[
        ("/retrieval/entity_id", Value::Null),
        ("/retrieval/entity_row_fn", json!({ "a": "row.", "b/c": "user.id", "d": 1, "e": "" })),
        ("/retrieval/request_context_fn", json!({ "f": "row.x.toUpper()" })),
    ]), @r"
    /retrieval/request_context_fn/f: unknown function `toUpper`
    /retrieval/entity_row_fn/a: is not CEL: at column 5: expected identifier after '.'
    /retrieval/entity_row_fn/b~1c: unknown variable `user`; an expression is over `row`, as in `row.user`
    /retrieval/entity_row_fn/d: must be an expression in a string, is a number
    /retrieval/entity_row_fn/e: must not be empty; write an expression such as `row.x`
    ");
}

#[test]
fn constants_are_int64_at_most_and_not_computed_too() {
    assert_snapshot!(problems(&[
        ("/retrieval/request_context_map", json!({ "big": [u64::MAX], "both": 1, "ok": null })),
        ("/retrieval/request_context_fn", json!({ "both": "row.x" })),
    ]), @r"
    /retrieval/request_context_map/big: holds an integer above 9223372036854775807, the greatest int64
    /retrieval/request_context_fn/both: is in `request_context_map` too; keep one of them
    ");
    assert_snapshot!(problems(&[("/retrieval/request_context_map", json!("x"))]), @"/retrieval/request_context_map: must be an object, is a string");
}

#[test]
fn a_workspace_is_named_in_one_of_two_places() {
    let workspace = "/retrieval/workspace_name";
    assert_snapshot!(problems(&[(workspace, Value::Null)]), @"/retrieval/workspace_name: is required, as `connection.default_workspace_name` is not set either");
    assert_snapshot!(problems(&[(workspace, json!(""))]), @"/retrieval/workspace_name: must not be empty; leave it out instead");
    let default = ("/connection/default_workspace_name", json!("prod"));
    assert_snapshot!(problems(&[(workspace, Value::Null), default]), @"fine");
}

#[test]
fn partial_results_need_the_endpoint_for_one_entity() {
    let partial = ("/retrieval/allow_partial_results", json!(true));
    assert_snapshot!(problems(std::slice::from_ref(&partial)), @"/retrieval/allow_partial_results: needs `batching.max_batch_size` = 1: Tecton's endpoint for batches has no partial results");
    assert_snapshot!(problems(&[partial, ("/batching/max_batch_size", json!(1))]), @"fine");
    assert_snapshot!(problems(&[("/retrieval/allow_partial_results", json!("yes"))]), @"/retrieval/allow_partial_results: must be true or false, is a string");
}

#[test]
fn request_options_have_types_and_ranges_and_either_spelling() {
    let options = |options: Value| problems(&[("/retrieval/request_options", options)]);
    assert_snapshot!(options(json!({
        "read_from_cache": true, "write_to_cache": false, "coerce_null_counts_to_zero": true,
        "ignore_extra_request_context_fields": true, "latency_budget_ms": 200,
        "aggregation_leading_edge": "AGGREGATION_MODE_WALL_CLOCK_TIME",
        "high_watermark_override": "2025-01-01T00:00:00Z",
    })), @"fine");
    assert_snapshot!(options(json!({
        "read_from_cache": 1, "latency_budget_ms": 99, "aggregation_leading_edge": "now",
        "high_watermark_override": "yesterday", "write_to_cach": true,
    })), @r"
    /retrieval/request_options/read_from_cache: must be true or false, is a number
    /retrieval/request_options/latency_budget_ms: must be from 100 to 2147483647, is 99
    /retrieval/request_options/aggregation_leading_edge: must be one of Tecton's modes, such as `AGGREGATION_MODE_WALL_CLOCK_TIME`
    /retrieval/request_options/high_watermark_override: must be an RFC 3339 timestamp, such as `2025-01-01T00:00:00Z`
    /retrieval/request_options/write_to_cach: unknown key `write_to_cach`; did you mean `write_to_cache`?
    ");
    assert_snapshot!(options(json!({ "latencyBudgetMs": 2_147_483_648_i64, "readFromCach": true })), @r"
    /retrieval/request_options/latencyBudgetMs: must be from 100 to 2147483647, is 2147483648
    /retrieval/request_options/readFromCach: unknown key `readFromCach`; did you mean `read_from_cache`?
    ");
    assert_snapshot!(options(json!({ "latencyBudgetMs": 5000, "readFromCache": false })), @"warning: /retrieval/request_options/latencyBudgetMs: is above 2000, the time-out that Tecton has without it");
    assert_snapshot!(options(json!({ "latencyBudgetMs": 500, "latency_budget_ms": 500 })), @"/retrieval/request_options/latencyBudgetMs: is `latency_budget_ms` once more; write it once");
}

#[test]
fn metadata_options_are_flags_and_some_have_no_effect() {
    let options = |options: Value| problems(&[("/retrieval/metadata_options", options)]);
    assert_snapshot!(options(json!({ "include_names": "yes", "include_nmaes": true })), @r"
    /retrieval/metadata_options/include_names: must be true or false, is a string
    /retrieval/metadata_options/include_nmaes: unknown key `include_nmaes`; did you mean `include_names`?
    ");
    assert_snapshot!(options(json!({
        "includeNames": false, "include_feature_tags": true, "include_slo_info": true,
    })), @r"
    warning: /retrieval/metadata_options/includeNames: has no effect: names and data types are always asked for
    warning: /retrieval/metadata_options/include_feature_tags: has no effect: it is the same for all rows, and not a field of a row
    ");
    assert_snapshot!(options(json!({
        "include_names": true, "includeDataTypes": true, "includeServingStatus": true,
    })), @"fine");
}

#[test]
fn what_the_handler_sets_itself_cannot_be_set_by_kwargs() {
    assert_snapshot!(problems(&[("/retrieval/kwargs", json!({
        "workspaceName": "x", "join_key_map": {}, "requestData": [], "somethingNew": 1,
        "request_options": {}, "metadataOptions": {}, "allow_partial_results": true,
    }))]), @r"
    /retrieval/kwargs/workspaceName: cannot be set here: use `retrieval.workspace_name`
    /retrieval/kwargs/join_key_map: cannot be set here: use `retrieval.entity_id` or `retrieval.entity_row_fn`
    /retrieval/kwargs/requestData: cannot be set here: the handler makes it of the rows
    /retrieval/kwargs/request_options: cannot be set here: use `retrieval.request_options`
    /retrieval/kwargs/metadataOptions: cannot be set here: use `retrieval.metadata_options`
    /retrieval/kwargs/allow_partial_results: cannot be set here: use `retrieval.allow_partial_results`
    ");
    assert_snapshot!(problems(&[("/retrieval/kwargs", json!({ "somethingNew": { "a": [1] } }))]), @"fine");
}

#[test]
fn batches_have_sizes() {
    assert_snapshot!(problems(&[("/batching", json!({ "max_batch_size": 11, "max_in_flight": 0 }))]), @r"
    /batching/max_batch_size: must be from 1 to 10, is 11
    /batching/max_in_flight: must be from 1 to 256, is 0
    ");
    assert_snapshot!(problems(&[("/batching", json!({ "max_batch_size": 2.5, "in_flight": 1 }))]), @r"
    /batching/max_batch_size: must be a whole number, is a fractional number
    /batching/in_flight: unknown key `in_flight`; did you mean `max_in_flight`?
    ");
}

#[test]
fn an_unknown_key_is_reported_with_the_nearest_one_wherever_it_is() {
    let mut config =
        config(&[("/connection/api_kye", json!("s3cret")), ("/retrieval/entity_ids", json!("x"))]);
    config["conection"] = json!({});
    let problems = Configuration::read(&config).err().unwrap();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r"
    /connection/api_kye: unknown key `api_kye`; did you mean `api_key`?
    /retrieval/entity_ids: unknown key `entity_ids`; did you mean `entity_id`?
    /conection: unknown key `conection`; did you mean `connection`?
    ");
}

/// Every `$ref` leads somewhere, every property is described, and the secrets are marked.
#[test]
fn the_schema_describes_every_key() {
    let schema: Value = serde_json::from_str(&super::schema()).unwrap();
    let mut properties = Vec::new();
    walk(&schema, &schema, "", &mut properties);
    assert_snapshot!(properties.join("\n"), @r#"
    /connection
    /connection/url type="string"
    /connection/default_workspace_name type=["string","null"] minLength=1
    /connection/api_key type="string" minLength=1 writeOnly=true
    /connection/kwargs type="object" default={}
    /connection/kwargs/headers type="object" default={}
    /connection/kwargs/timeout_ms type=["integer","null"] minimum=1 maximum=600000
    /connection/kwargs/connect_timeout_ms type=["integer","null"] minimum=1 maximum=600000
    /retrieval
    /retrieval/feature_service_name type="string" minLength=1
    /retrieval/entity_id type="string" default=""
    /retrieval/entity_row_fn type="object"
    /retrieval/request_context_map type="object" default={}
    /retrieval/request_context_fn type="object" default={}
    /retrieval/workspace_name type=["string","null"] minLength=1
    /retrieval/allow_partial_results type="boolean" default=false
    /retrieval/request_options default={}
    /retrieval/request_options/read_from_cache type=["boolean","null"]
    /retrieval/request_options/write_to_cache type=["boolean","null"]
    /retrieval/request_options/ignore_extra_request_context_fields type=["boolean","null"]
    /retrieval/request_options/latency_budget_ms type=["integer","null"] minimum=100 maximum=2147483647
    /retrieval/request_options/coerce_null_counts_to_zero type=["boolean","null"]
    /retrieval/request_options/aggregation_leading_edge type=["string","null"]
    /retrieval/request_options/high_watermark_override type=["string","null"]
    /retrieval/metadata_options default={}
    /retrieval/metadata_options/include_names type="boolean" default=true
    /retrieval/metadata_options/include_data_types type="boolean" default=true
    /retrieval/metadata_options/include_effective_times type="boolean" default=false
    /retrieval/metadata_options/include_slo_info type="boolean" default=false
    /retrieval/metadata_options/include_serving_status type="boolean" default=false
    /retrieval/metadata_options/include_feature_descriptions type="boolean" default=false
    /retrieval/metadata_options/include_feature_tags type="boolean" default=false
    /retrieval/kwargs type="object" default={}
    /batching type="object" default={"max_batch_size":10,"max_in_flight":4}
    /batching/max_batch_size type="integer" default=10 minimum=1 maximum=10
    /batching/max_in_flight type="integer" default=4 minimum=1 maximum=256
    "#);
}

fn walk(root: &Value, schema: &Value, path: &str, lines: &mut Vec<String>) {
    let mut target = schema;
    while let Some(reference) = target["$ref"].as_str() {
        target =
            root.pointer(reference.trim_start_matches('#')).expect("the reference leads there");
    }
    for (name, property) in target["properties"].as_object().into_iter().flatten() {
        if name.contains(char::is_uppercase) {
            assert!(root.pointer(&property["$ref"].as_str().unwrap()[1..]).is_some(), "{name}");
            continue;
        }
        let path = format!("{path}/{name}");
        assert!(property["description"].is_string(), "{path} is not described");
        let mut line = path.clone();
        for key in ["type", "default", "minimum", "maximum", "minLength", "writeOnly"] {
            if let Some(value) = property.get(key) {
                line.push_str(&format!(" {key}={value}"));
            }
        }
        lines.push(line);
        walk(root, property, &path, lines);
    }
}

#[test]
fn an_entity_id_of_another_type_is_one_problem() {
    assert_snapshot!(problems(&[("/retrieval/entity_id", json!(7))]), @"/retrieval/entity_id: must be a string, is a number");
}

#[test]
fn the_schema_wants_no_key_that_may_be_left_out() {
    let schema: Value = serde_json::from_str(&super::schema()).unwrap();
    assert_eq!(schema["required"], json!(["connection", "retrieval"]));
    assert_eq!(schema["$defs"]["Connection"]["required"], json!(["url", "api_key"]));
    assert_eq!(schema["$defs"]["Retrieval"]["required"], json!(["feature_service_name"]));
}
