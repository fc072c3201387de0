//! The Tecton handler under the wasmtime command line: runs the commands of
//! `docs/guide/wasmtime.md`, and checks that errors are readable.

use beamlet_interop::{KEY, Store, built, root, tool};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::process::{Command, Output};

const INTERFACE: &str = "beamlet:enrichment/enrichment-json";

/// A WAVE text of a JSON value.
fn wave(value: &Value) -> String {
    format!("\"\"\"\n{}\n\"\"\"", value.to_string().replace('\\', "\\\\"))
}

/// `wasmtime run --invoke` of a call.
fn invoke(call: &str) -> Output {
    Command::new(tool("wasmtime"))
        .args(["run", "-S", "http", "--env", "TECTON_API_KEY", "--invoke", call])
        .arg(built("components/tecton.wasm"))
        .env("TECTON_API_KEY", KEY)
        .output()
        .unwrap()
}

/// What a call of `enrichment-json` prints, and the JSON that is in it.
#[track_caller]
fn call(function: &str, arguments: &[&Value]) -> (String, Value) {
    let arguments: Vec<_> = arguments.iter().map(|it| wave(it)).collect();
    let output = invoke(&format!("{INTERFACE}.{function}@0.2.0({})", arguments.join(", ")));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (case, text) = printed.trim().split_once('(').unwrap();
    let text = text.strip_suffix(')').unwrap().replace("\\'", "'");
    let text: String = serde_json::from_str(&text).unwrap();
    (case.to_owned(), serde_json::from_str(&text).unwrap())
}

fn redacted(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"127\.0\.0\.1:\d+", "[store]");
    settings.add_filter(r"`\S*/components/", "`[target]/components/");
    settings.bind(check);
}

#[test]
fn the_component_is_the_one_that_the_host_has_built_in() {
    let component = std::fs::read(built("components/tecton.wasm")).unwrap();
    let host = std::fs::read(built("release/beamlet")).unwrap();
    assert!(memchr::memmem::find(&host, &component).is_some());
}

#[test]
fn the_command_line_is_of_the_version_that_the_host_is_built_with() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let versions = |name: &str| {
        let name = format!("name = \"{name}\"\nversion = ");
        let behind = lock.split(&name).skip(1).map(|rest| rest.lines().next().unwrap());
        behind.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(versions("wasmtime-cli"), versions("wasmtime"));
    assert_eq!(versions("wasmtime").len(), 1);
}

#[test]
fn the_commands_of_the_guide_work_as_they_are_printed() {
    let store = Store::default();
    let guide = std::fs::read_to_string(root().join("docs/guide/wasmtime.md")).unwrap();
    let blocks = guide.split("```sh\n").skip(1).map(|it| it.split("```").next().unwrap());
    // The first builds what is here already.
    let blocks: Vec<&str> = blocks.collect();
    let (first, commands) = blocks.split_first().unwrap();
    assert_eq!(*first, "cargo xtask components\n");
    let mut script = "set -eu\n".to_owned();
    for command in commands {
        script.push_str(&format!("echo '---'\n{command}\n"));
    }
    assert!(script.contains("https://example.tecton.ai"));
    let script = script.replace("https://example.tecton.ai", &store.url());

    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("tecton.wasm");
    std::os::unix::fs::symlink(built("components/tecton.wasm"), component).unwrap();
    let path = format!(
        "{}:{}",
        tool("wasmtime").parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let ran = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("TECTON_API_KEY", KEY)
        .output()
        .unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{printed}{}", String::from_utf8_lossy(&ran.stderr));
    let mut parts = printed.split("---\n").skip(1);
    let describe = parts.next().unwrap();
    assert!(describe.starts_with(r#""{\"name\":\"tecton\",\"version\":"#), "{describe}");
    assert_eq!(
        parts.next().unwrap(),
        "[\n  \"batching\",\n  \"connection\",\n  \"retrieval\"\n]\n"
    );
    assert_eq!(parts.next().unwrap(), "ok(\"[]\")\n");
    assert_snapshot!(parts.next().unwrap(), @r#"
    /connection/url: must be a URL such as https://example.tecton.ai; it has no scheme
    /connection/api_key: is required
    /retrieval/feature_service_name: is required
    /retrieval/entity_id: is required, as `entity_row_fn` is not set either; one of them names the join keys
    /retrieval/entity_ids: unknown key `entity_ids`; did you mean `entity_id`?
    "#);
    assert_snapshot!(parts.next().unwrap(), @r#"
    {
      "rows": [
        {
          "flight": 1545,
          "tailnum": "N14228",
          "planes.year": 1999,
          "planes.type": "Fixed wing multi engine",
          "planes.manufacturer": "BOEING",
          "planes.model": "737-824",
          "planes.engines": 2,
          "planes.seats": 149,
          "planes.speed": null,
          "planes.engine": "Turbo-fan"
        },
        {
          "flight": 725,
          "tailnum": "N0",
          "planes.year": null,
          "planes.type": null,
          "planes.manufacturer": null,
          "planes.model": null,
          "planes.engines": null,
          "planes.seats": null,
          "planes.speed": null,
          "planes.engine": null
        }
      ],
      "missing": [
        1
      ],
      "null_keys": [],
      "failures": []
    }
    "#);
    assert_eq!(parts.next().unwrap(), "");
    assert_eq!(parts.next(), None);
    let enriched = std::fs::read_to_string(folder.path().join("enriched.ndjson")).unwrap();
    assert_snapshot!(enriched, @r#"
    {"flight":1545,"tailnum":"N14228","planes.year":1999,"planes.type":"Fixed wing multi engine","planes.manufacturer":"BOEING","planes.model":"737-824","planes.engines":2,"planes.seats":149,"planes.speed":null,"planes.engine":"Turbo-fan"}
    {"flight":725,"tailnum":"N0","planes.year":null,"planes.type":null,"planes.manufacturer":null,"planes.model":null,"planes.engines":null,"planes.seats":null,"planes.speed":null,"planes.engine":null}
    "#);
}

#[test]
fn a_function_of_both_interfaces_is_refused_with_the_names_that_are_meant() {
    let output = invoke("describe()");
    assert_eq!(output.status.code(), Some(1));
    redacted(|| {
        assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"
    Error: failed to run main module `[target]/components/tecton.wasm`

    Caused by:
        Multiple instances contained funcs named `describe`, retry with a more specific name: `beamlet:enrichment/enrichment-handler.describe@0.2.0`, `beamlet:enrichment/enrichment-json.describe@0.2.0`
    ")
    });
}

#[test]
fn what_is_wrong_is_told_in_what_is_printed() {
    let store = Store::default();
    let config = store.config();
    let rows = json!([{ "tailnum": "N14228" }, { "flight": 1 }]);
    let good = json!([{ "tailnum": "N14228" }]);

    let mut broken = config.clone();
    broken["connection"]["api_key"] = json!({ "env": "NO_SUCH_VARIABLE" });
    broken["retrieval"]["entity_ids"] = "tailnum".into();
    let mut refused = config.clone();
    refused["connection"]["api_key"] = "Wq3e-Other-Key".into();
    let gone = Store::default().config();

    let mut reported = String::new();
    for (config, rows) in [(&broken, &good), (&config, &rows), (&refused, &good), (&gone, &good)] {
        let (case, answer) = call("enrich", &[config, rows]);
        reported.push_str(&format!("{case} {}\n", serde_json::to_string_pretty(&answer).unwrap()));
    }
    assert!(!reported.contains(KEY) && !reported.contains("Wq3e"), "{reported}");
    redacted(|| {
        assert_snapshot!(reported, @r#"
    err {
      "problems": [
        {
          "path": "/connection/api_key",
          "message": "the environment variable NO_SUCH_VARIABLE is not set"
        },
        {
          "path": "/retrieval/entity_ids",
          "message": "unknown key `entity_ids`; did you mean `entity_id`?"
        }
      ]
    }
    err {
      "error": {
        "kind": "invalid-input",
        "message": "row 1 has no field `tailnum`",
        "retryable": false
      }
    }
    err {
      "error": {
        "kind": "unauthenticated",
        "message": "the feature store answered 401: invalid 'Tecton-key' authorization header. Note that newly created credentials may take up to 60 seconds to be usable.",
        "retryable": false,
        "http_status": 401
      }
    }
    ok {
      "rows": [
        {
          "tailnum": "N14228"
        }
      ],
      "missing": [],
      "null_keys": [],
      "failures": [
        {
          "row": 0,
          "error": {
            "kind": "unavailable",
            "message": "POST http://[store]/api/v1/feature-service/get-features-batch: connection refused",
            "retryable": true
          }
        }
      ]
    }
    "#)
    });
    assert_eq!(call("validate", &[&broken]).0, "err");
}

#[test]
fn a_backslash_and_a_quote_in_a_row_come_back_as_they_went_in() {
    let store = Store::default();
    let rows = json!([{ "tailnum": "N14228", "text": "a \\ \"quoted\"\n\u{e9} \u{1}" }]);
    let (case, answer) = call("enrich", &[&store.config(), &rows]);
    assert_eq!(case, "ok");
    assert_eq!(answer["rows"][0]["text"], rows[0]["text"]);
    assert_eq!(answer["rows"][0]["planes.year"], 1999);
}
