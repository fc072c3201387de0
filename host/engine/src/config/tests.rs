use super::{Config, Document, FailurePolicy};
use crate::enrich::CacheOptions;
use beamlet_contract::join::OnConflict;
use serde_json::json;
use std::path::Path;

fn schema() -> serde_json::Value {
    json!({
        "properties": { "connection": { "$ref": "#/$defs/Connection" } },
        "$defs": { "Connection": { "properties": {
            "api_key": { "type": "string", "writeOnly": true },
            "headers": { "additionalProperties": { "type": "string", "writeOnly": true } },
        } } }
    })
}

fn read(toml: &str) -> (Config, Vec<String>) {
    let document = Document::parse(Path::new("dir/beamlet.toml"), toml).unwrap();
    let (config, problems) = Config::new(&document, &schema());
    (config, problems.iter().map(|problem| document.locate(problem)).collect())
}

#[test]
fn a_secret_does_not_reach_the_handler() {
    let (config, problems) = read("[connection]\nurl = 'https://a.b'\napi_key = 'k3y-k3y'");
    assert!(problems.is_empty());
    assert!(!config.handler.to_string().contains("k3y"), "{}", config.handler);
    assert_eq!(config.secrets.redact("says k3y-k3y".to_owned()), "says [secret]");
    assert!(!format!("{config:?}").contains("k3y"));
}

#[test]
fn a_secret_under_any_name_does_not_reach_the_handler_either() {
    let (config, problems) = read("[connection.headers]\nx-token = 'k3y-k3y'");
    assert!(problems.is_empty());
    assert!(!config.handler.to_string().contains("k3y"), "{}", config.handler);
}

#[test]
fn a_secret_that_is_not_there_is_a_problem_with_its_place() {
    let (_, problems) = read("[connection]\napi_key = { env = 'BEAMLET_TEST_NOT_SET' }");
    assert_eq!(
        problems,
        [
            "dir/beamlet.toml:2: /connection/api_key: the environment variable BEAMLET_TEST_NOT_SET is not set"
        ]
    );
    let (_, problems) = read("[connection]\napi_key = { file = 'no-such-file' }");
    assert!(problems[0].contains("the file dir/no-such-file cannot be read"), "{problems:?}");
}

#[test]
fn a_secret_of_a_file_loses_its_line_end() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("key"), "k3y-k3y\n").unwrap();
    let path = dir.path().join("beamlet.toml");
    let document = Document::parse(&path, "[connection]\napi_key = { file = 'key' }").unwrap();
    let (config, problems) = Config::new(&document, &schema());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(config.secrets.redact("k3y-k3y".to_owned()), "[secret]");
}

#[test]
fn a_secret_that_no_header_can_hold_is_a_problem_and_is_not_shown() {
    let (_, problems) =
        read("[connection]\napi_key = 'k3y\\u000Ak3y'".replace('\'', "\"").as_str());
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("printable ASCII") && !problems[0].contains("k3y"),
        "{problems:?}"
    );
}

#[test]
fn the_urls_of_the_handlers_tables_are_granted_and_no_others() {
    let (config, _) = read(
        "[connection]\nurl = 'https://a.b/base'\nnote = 'see https://c.d'\n[retrieval]\nmirror = ['http://e.f:81']\n[run]\n",
    );
    let granted: Vec<String> =
        config.allowed.destinations().iter().map(ToString::to_string).collect();
    assert_eq!(granted, ["https://a.b:443", "http://e.f:81"]);
}

#[test]
fn the_hosts_own_tables_are_checked_and_kept_from_the_handler() {
    let (config, problems) =
        read("[run]\nin_flight = 0\nbundle_sise = 5\n[sandbox]\nmemory_mib = 64\n");
    assert_eq!(
        problems,
        [
            "dir/beamlet.toml:2: /run/in_flight: must be from 1 to 256, is 0",
            "dir/beamlet.toml:3: /run/bundle_sise: unknown key `bundle_sise`; did you mean `bundle_size`?",
        ]
    );
    assert_eq!(config.sandbox.permissions.memory, 64 << 20);
    assert_eq!(config.handler, json!({}));
}

#[test]
fn what_the_document_reports_is_one_problem_of_the_configuration() {
    let (_, problems) = read("[run]\nbundle_size = 99999999999999999999\n");
    assert_eq!(
        problems,
        ["dir/beamlet.toml:2: /run/bundle_size: is an integer that does not fit into 64 bits; \
             where the handler takes a string, write it as one"]
    );
}

#[test]
fn a_syntax_error_names_line_and_column_and_shows_no_text() {
    let parse = |name, text| Document::parse(Path::new(name), text).unwrap_err().to_string();
    let toml = parse("a.toml", "[connection]\napi_key = k3y\n");
    assert!(toml.starts_with("a.toml:2:11: is not TOML: ") && !toml.contains("k3y"), "{toml}");
    let json = parse("a.json", "{\n \"api_key\": k3y }");
    assert!(
        json.starts_with("a.json:2:13: is not JSON: expected") && !json.contains("k3y"),
        "{json}"
    );
    assert!(parse("a.yaml", "").contains(".toml or a .json"));
}

#[test]
fn toml_and_json_say_the_same() {
    let toml =
        "[a]\nn = 1\nf = 1.5\nb = true\nl = [1, 'x']\ns = 'text'\nd = 2025-01-01T00:00:00Z\n";
    let toml = Document::parse(Path::new("a.toml"), toml).unwrap();
    assert_eq!(
        *toml.value(),
        json!({ "a": { "n": 1, "f": 1.5, "b": true, "l": [1, "x"], "s": "text", "d": "2025-01-01T00:00:00Z" } })
    );
}

#[test]
fn every_key_of_a_run_is_read() {
    let (config, problems) = read(
        "[run]\nin_flight = 3\nthreads = 2\nbundle_size = 7\nwindow = 9\nordered = false\ncoalesce = false\n\
         dead_letter = 'failed.ndjson'\nsuffix = '_x'\n\
         [run.retry]\nmax_attempts = 2\nbackoff_ms = 3\nmax_backoff_ms = 4\nbudget = 0.5\n\
         min_per_second = 6\ndeadline_ms = 8\n\
         [run.throttle]\nmax_requests = 10\nmin_requests = 2\nrequests_per_second = 50\n\
         [run.breaker]\nfailure_rate = 0.25\nmin_requests = 5\nwindow_ms = 1000\nopen_ms = 60\n\
         [run.cache]\nmemory_mib = 1\nttl_s = 2\nmissing_ttl_s = 0\nstale_s = 3\n\
         redis = 'redis://:hunter2@localhost/0'\n",
    );
    assert_eq!(problems, [""; 0]);
    let run = &config.run;
    assert_eq!((run.bundle_size, run.window.unwrap().get(), run.ordered), (7, 9, false));
    assert_eq!((run.enrich.in_flight, run.enrich.coalesce), (3, false));
    assert_eq!(run.enrich.threads.unwrap().get(), 2);
    assert_eq!(run.on_failure, FailurePolicy::DeadLetter);
    assert_eq!(config.output.dead_letter.as_deref(), Some(Path::new("dir/failed.ndjson")));
    assert_eq!(config.output.on_conflict, OnConflict::Suffix("_x".to_owned()));
    insta::assert_debug_snapshot!(run.enrich.retry, @"
    RetryOptions {
        max_attempts: 2,
        backoff: 3ms,
        max_backoff: 4ms,
        budget: 0.5,
        min_per_second: 6,
        deadline: 8ms,
    }
    ");
    insta::assert_debug_snapshot!(run.limits, @"
    Limits {
        throttle: Some(
            ThrottleOptions {
                most: 10,
                fewest: 2,
            },
        ),
        requests_per_second: Some(
            50,
        ),
        breaker: Some(
            BreakerOptions {
                failure_rate: 0.25,
                min_requests: 5,
                window: 1s,
                open: 60ms,
            },
        ),
    }
    ");
    // The URL of a Redis may hold a password.
    insta::assert_debug_snapshot!(run.enrich.cache, @"
    Some(
        CacheOptions {
            memory: 1048576,
            ttl: 2s,
            missing_ttl: 0ns,
            stale: 3s,
            redis: true,
        },
    )
    ");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn contradictions_in_a_run_are_problems() {
    let problems = |toml: &str| read(&format!("[run]\n{toml}")).1.join("\n");
    insta::assert_snapshot!(problems("on_failure = 'keep'\ndead_letter = 'x'"), @"dir/beamlet.toml:2: /run/on_failure: is `keep`, and `dead_letter` names a file; take one of them away");
    insta::assert_snapshot!(problems("on_failure = 'dead-letter'"), @"dir/beamlet.toml:1: /run/dead_letter: is required: the file that dead letters go to");
    insta::assert_snapshot!(problems("on_failure = 'ignore'"), @"dir/beamlet.toml:2: /run/on_failure: must be fail, keep or dead-letter, is `ignore`");
    insta::assert_snapshot!(problems("on_conflict = 'suffix'"), @"dir/beamlet.toml:1: /run/suffix: is required: what goes behind a feature's name");
    insta::assert_snapshot!(problems("on_conflict = 'right'\nsuffix = '_x'"), @"dir/beamlet.toml:3: /run/suffix: has no effect unless `on_conflict` is suffix");
    insta::assert_snapshot!(problems("on_conflict = 'both'"), @"dir/beamlet.toml:2: /run/on_conflict: must be left, right, error or suffix, is `both`");
    insta::assert_snapshot!(problems("throttle = { min_requests = 9, max_requests = 3 }"), @"dir/beamlet.toml:2: /run/throttle/min_requests: must not be more than `max_requests`, 3");
    insta::assert_snapshot!(problems("cache = { memory_mib = 0 }"), @"dir/beamlet.toml:2: /run/cache/memory_mib: is 0, and there is no `redis`: nothing would be kept");
    insta::assert_snapshot!(problems("cache = { redis = 'localhost:6379' }"), @r#"dir/beamlet.toml:2: /run/cache/redis: must be a URL such as redis://localhost:6379/0, or rediss:// for TLS; the scheme "localhost" is not redis or rediss"#);
    insta::assert_snapshot!(problems("cache = { redis = 'redis://me:pw@localhost:99999' }"), @"dir/beamlet.toml:2: /run/cache/redis: must be a URL such as redis://localhost:6379/0, or rediss:// for TLS; the port is not a number up to 65535");
    insta::assert_snapshot!(problems("cache = { redis = { env = 'BEAMLET_TEST_NOT_SET' } }"), @"dir/beamlet.toml:2: /run/cache/redis: the environment variable BEAMLET_TEST_NOT_SET is not set");
    insta::assert_snapshot!(problems("cache = { redis = 5 }"), @r#"dir/beamlet.toml:2: /run/cache/redis: must be a URL, or { env = "NAME" } or { file = "PATH" }"#);
    insta::assert_snapshot!(problems("retry = { budget = 2.0, max_atempts = 3 }"), @"
    dir/beamlet.toml:2: /run/retry/budget: must be from 0 to 1, is 2
    dir/beamlet.toml:2: /run/retry/max_atempts: unknown key `max_atempts`; did you mean `max_attempts`?
    ");
}

#[test]
fn without_its_table_there_is_no_cache_and_a_breaker_can_be_taken_out() {
    let (config, _) = read("[run]\nin_flight = 1");
    assert!(config.run.enrich.cache.is_none() && config.run.limits.breaker.is_some());
    let (config, _) = read("[run.cache]\n[run.breaker]\nenabled = false");
    assert_eq!(config.run.enrich.cache, Some(CacheOptions::default()));
    assert_eq!(config.run.limits.breaker, None);
}

#[test]
fn a_proxy_is_the_environments_or_none_and_its_value_is_not_shown() {
    let (config, problems) = read("[sandbox]\nproxy = 'none'\n");
    assert!(problems.is_empty() && config.sandbox.no_proxy && config.proxies.is_empty());
    let (_, problems) = read("[sandbox]\nproxy = 'http://me:s3cret@proxy:3128'\n");
    insta::assert_snapshot!(problems.join("\n"), @"dir/beamlet.toml:2: /sandbox/proxy: must be environment, for the proxies that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name, or none");
}
