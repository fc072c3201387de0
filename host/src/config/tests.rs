use super::{Config, Document};
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
fn a_plain_secret_does_not_reach_the_handler() {
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
