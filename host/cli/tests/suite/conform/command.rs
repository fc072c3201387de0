//! The command `beamlet conform` and its output.

use super::guide::example;
use crate::support::beamlet::{Beamlet, Folder};
use crate::support::guests;
use crate::support::key_value::{KeyValueStore, TOKEN};
use crate::support::redacted;
use beamlet_conform::CHECKS;
use insta::assert_snapshot;

/// A folder with a handler that breaks a promise.
fn broken(store: &KeyValueStore, promise: &str) -> Folder {
    let folder = example(store);
    std::fs::copy(guests::broken(), folder.file("broken.wasm")).unwrap();
    let config = format!(
        "[connection]\nurl = '{}'\napi_key = '{TOKEN}'\n[retrieval]\nkey = 'key'\nbroken = '{promise}'\n",
        store.url()
    );
    folder.write("broken.toml", config);
    folder
}

fn conform(folder: &Folder, arguments: &str) -> crate::support::beamlet::Ended {
    let arguments = format!("conform {arguments}");
    Beamlet::new(folder, &arguments).env("STORE_API_KEY", TOKEN).end()
}

#[test]
fn a_handler_that_passes_gets_a_line_a_check_and_exit_code_0() {
    let store = KeyValueStore::start();
    let ended = conform(
        &example(&store),
        "key_value.wasm --config beamlet.toml --keys rows.ndjson --rows 1000",
    );
    assert_eq!(ended.stdout.lines().count(), CHECKS.len() + 2, "{ended}");
    let ended = conform(
        &example(&store),
        "key_value.wasm --config beamlet.toml --keys rows.ndjson --only lifecycle --only inputs/optional",
    );
    redacted(|| {
        assert_snapshot!(ended, @r#"
lifecycle/one-bundle      ok
lifecycle/bundles         ok
lifecycle/dropped-bundle  ok
lifecycle/instances       ok
lifecycle/empty-bundle    ok
lifecycle/empty-calls     ok
lifecycle/tear-down       ok
inputs/optional           not applicable: every field is required

key-value 0.1.0: 8 checks, 7 ok, 0 failed, 1 not applicable
exit code 0
"#)
    });
}

#[test]
fn a_failed_check_is_reported_with_its_steps_and_the_command_to_repeat_it() {
    let store = KeyValueStore::start();
    let folder = broken(&store, "answers/count");
    let ended =
        conform(&folder, "broken.wasm --config broken.toml --keys rows.ndjson --only lifecycle");
    redacted(|| {
        assert_snapshot!(ended, @r#"
lifecycle/one-bundle      not looked at: answers/count failed
answers/count             FAILED
lifecycle/bundles         not looked at: answers/count failed
lifecycle/dropped-bundle  not looked at: answers/count failed
lifecycle/instances       not looked at: answers/count failed
lifecycle/empty-bundle    not looked at: answers/count failed
lifecycle/empty-calls     not looked at: answers/count failed
lifecycle/tear-down       not looked at: answers/count failed

answers/count: each row that was given is answered exactly once
  done      18 rows (12 of yours, 5 that no store knows, 1 of nulls) in one bundle: bundle.finish
  expected  each given row is answered exactly once
  came      12 of 18 rows were answered
  contract  wit/handler.wit, bundle.finish
  again     beamlet conform broken.wasm --config broken.toml --keys rows.ndjson --only answers/count

broken 0.1.0: 8 checks, 0 ok, 1 failed, 7 not looked at, 0 not applicable
exit code 1
"#)
    });
}

#[test]
fn a_program_reads_the_same_as_json() {
    let store = KeyValueStore::start();
    let folder = broken(&store, "store/kinds");
    let ended = conform(
        &folder,
        "broken.wasm --config broken.toml --only store/kinds --only inputs/optional --json report.json",
    );
    assert_eq!(ended.code, Some(1));
    redacted(|| {
        assert_snapshot!(folder.read("report.json"), @r#"
{
  "handler": "broken 0.1.0",
  "passed": false,
  "counts": {
    "ok": 1,
    "failed": 1,
    "not_applicable": 0,
    "not_looked_at": 0
  },
  "checks": [
    {
      "name": "inputs/optional",
      "promise": "an absent optional field counts as null",
      "contract": "wit/handler.wit, input.required",
      "outcome": "ok"
    },
    {
      "name": "store/kinds",
      "promise": "an error's kind says what went wrong",
      "contract": "wit/types.wit, error-kind",
      "outcome": "failed",
      "done": "5 rows (5 that no store knows) from a store that answers 503",
      "expected": "an error of kind unavailable",
      "came": "bad-response",
      "again": "beamlet conform broken.wasm --config broken.toml --only store/kinds"
    }
  ]
}
"#)
    });
}

#[test]
fn without_keys_rows_are_generated_and_the_order_cannot_be_tested() {
    let store = KeyValueStore::start();
    let ended = conform(
        &example(&store),
        "key_value.wasm --config beamlet.toml --only answers/order --only answers/cuts",
    );
    redacted(|| {
        assert_snapshot!(ended, @r#"
answers/order  not applicable: all rows got equal answers; pass rows that the store knows with --keys
answers/cuts   ok

key-value 0.1.0: 2 checks, 1 ok, 0 failed, 1 not applicable
exit code 0
"#)
    });
}

#[test]
fn an_unknown_check_is_reported_with_the_nearest_known_one() {
    let store = KeyValueStore::start();
    let folder = example(&store);
    let ended = conform(&folder, "key_value.wasm --config beamlet.toml --only answer/order");
    assert_snapshot!(ended, @r#"
error: --only answer/order: there is no such check; did you mean answers/order?
exit code 2
"#);
    let ended = conform(&folder, "--config beamlet.toml");
    assert_snapshot!(ended, @r#"
error: conform needs a handler and --config FILE, or --list
exit code 2
"#);
}

#[test]
fn an_invalid_configuration_is_not_a_failure_of_the_handler() {
    let store = KeyValueStore::start();
    let folder = example(&store);
    folder.write(
        "wrong.toml",
        "[connection]\nurl = 'store'\n[retrieval]\nkey = 'key'\nfields = { n = 'int' }\n",
    );
    let ended = conform(&folder, "key_value.wasm --config wrong.toml");
    assert_snapshot!(ended, @r#"
error: the configuration is not valid
wrong.toml:2: /connection/url: must be a URL such as https://store.example; it has no scheme
wrong.toml:5: /retrieval/fields/n: `int` is no type: expected one of boolean, int8, int16, int32, int64, float32, float64, string, bytes, date, timestamp, decimal, json, array<…>, map<string, …>, struct<name: …> at character 1
exit code 2
"#);
}

#[test]
fn every_check_is_listed_with_its_promise() {
    let listed = conform(&Folder::new(), "--list").stdout;
    for check in CHECKS {
        assert!(
            listed
                .lines()
                .any(|line| line.starts_with(check.name) && line.ends_with(check.promise))
        );
    }
    assert_eq!(listed.lines().count(), CHECKS.len());
}

#[test]
fn no_secret_shows_in_a_report() {
    let store = KeyValueStore::start();
    let folder = broken(&store, "config/secrets");
    let ended =
        conform(&folder, "broken.wasm --config broken.toml --only config --json report.json");
    assert_eq!(ended.code, Some(1));
    assert!(!ended.stdout.contains(TOKEN) && !folder.read("report.json").contains(TOKEN));
}
