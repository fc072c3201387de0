//! The component in a registry: published and pulled as `wkg` does, pulled by digest by `beamlet`.

use beamlet_interop::{Ended, KEY, Registry, Store, User, built, root};
use serde_json::Value;
use std::process::Command;
use tempfile::TempDir;

fn run(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn succeeded(command: &mut Command) -> String {
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{command:?}: {}{}", ended.stdout, ended.stderr);
    ended.stdout
}

/// `beamlet` with a cache of its own, in a folder.
fn beamlet(folder: &TempDir) -> Command {
    let mut command = Command::new(built("release/beamlet"));
    command.current_dir(folder.path()).env("BEAMLET_CACHE_DIR", folder.path().join("cache"));
    // Nobody's credentials are looked for.
    command.env("DOCKER_CONFIG", folder.path());
    command
}

fn tecton() -> Vec<u8> {
    std::fs::read(built("components/tecton.wasm")).unwrap()
}

/// Publishes the component; its reference by tag.
fn publish(registry: &Registry) -> String {
    let tagged = format!("{}/beamlet/tecton:0.1.0", registry.address());
    registry.push(&tagged, tecton());
    format!("oci://{tagged}")
}

/// What `beamlet` says to write instead of a tag.
fn pinned(folder: &TempDir, tagged: &str) -> String {
    let ended = run(beamlet(folder).args(["describe", "--handler", tagged]));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let words: Vec<&str> = ended.stderr.split_whitespace().collect();
    let pinned = words.last().unwrap().to_string();
    assert!(pinned.starts_with("oci://") && pinned.contains("@sha256:"), "{}", ended.stderr);
    pinned
}

#[test]
fn the_component_in_the_host_is_the_one_that_is_published() {
    let host = std::fs::read(built("release/beamlet")).unwrap();
    let found = memchr::memmem::find(&host, &tecton());
    assert!(found.is_some(), "beamlet has another component than target/components/tecton.wasm");
}

#[test]
fn a_client_of_oci_publishes_the_component_and_pulls_the_same_bytes() {
    let registry = Registry::start();
    let tagged = publish(&registry);
    let pulled = registry.pull(tagged.trim_start_matches("oci://"));
    assert!(pulled == tecton(), "other bytes came back");
}

#[test]
fn beamlet_runs_a_handler_that_it_pulled_by_digest_and_the_next_time_without_the_registry() {
    let registry = Registry::start();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::default();
    std::fs::write(folder.path().join("beamlet.json"), store.config().to_string()).unwrap();
    std::fs::write(folder.path().join("rows.ndjson"), "{\"tailnum\":\"N14228\"}\n").unwrap();
    let handler = pinned(&folder, &publish(&registry));

    let enrich = |handler: &str| {
        let mut command = beamlet(&folder);
        command.args(["run", "--config", "beamlet.json", "--input", "rows.ndjson"]);
        command.args(["--handler", handler]).env("TECTON_API_KEY", KEY);
        succeeded(&mut command)
    };
    let rows = enrich(&handler);
    let row: Value = serde_json::from_str(&rows).unwrap();
    assert_eq!(row["planes.manufacturer"], "BOEING");
    assert_eq!(rows, enrich("tecton"));

    // Every command that takes a handler takes it from there.
    for command in ["describe", "validate", "check"] {
        let mut command_line = beamlet(&folder);
        command_line.args([command, "--handler", &handler]).env("TECTON_API_KEY", KEY);
        if command != "describe" {
            command_line.args(["--config", "beamlet.json"]);
        }
        succeeded(&mut command_line);
    }

    let blobs = folder.path().join("cache/oci/sha256");
    let kept = std::fs::read_dir(blobs).unwrap().map(|blob| std::fs::read(blob.unwrap().path()));
    assert!(kept.map(Result::unwrap).any(|blob| blob == tecton()), "the component is not kept");
    drop(registry);
    assert_eq!(rows, enrich(&handler));
}

#[test]
fn what_is_published_says_what_it_is() {
    let read = wasm_metadata::Payload::from_binary(&tecton()).unwrap();
    // As `wasm-tools metadata show --json` prints it.
    let read = serde_json::to_value(read).unwrap();
    let metadata = &read["component"]["metadata"];
    assert_eq!(metadata["name"], "beamlet-tecton");
    assert_eq!(metadata["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(metadata["licenses"], "Apache-2.0");
    assert!(metadata["description"].as_str().unwrap().contains("Tecton"));
    let revision = metadata["revision"].as_str().unwrap().trim_end_matches("-dirty");
    let known =
        succeeded(Command::new("git").current_dir(root()).args(["cat-file", "-t", revision]));
    assert_eq!(known.trim(), "commit");
    let producers = metadata["producers"].to_string();
    for name in ["Rust", "rustc", "beamlet-guest-build"] {
        assert!(producers.contains(name), "{producers}");
    }
}

#[test]
fn a_component_names_no_path_of_the_machine_that_built_it() {
    let home = std::env::home_dir().unwrap();
    for path in [root(), home.as_path()] {
        let path = path.to_str().unwrap();
        // A home at the root is a part of many words.
        assert!(path.len() > 1, "{path}");
        let found = memchr::memmem::find(&tecton(), format!("{path}/").as_bytes());
        assert_eq!(found, None, "{path} is in the component");
    }
}

#[test]
fn a_registry_without_the_component_and_a_layer_that_is_none_are_told() {
    let registry = Registry::start();
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!("oci://{}/beamlet/nothing:1", registry.address());
    let ended = run(beamlet(&folder).args(["describe", "--handler", &nowhere]));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("the registry has no manifest"), "{}", ended.stderr);

    // A module: a registry takes it, and no host does.
    let other = format!("{}/beamlet/module:1", registry.address());
    registry.push(&other, b"\0asm\x01\0\0\0".to_vec());
    let handler = pinned(&folder, &format!("oci://{other}"));
    let ended = run(beamlet(&folder).args(["describe", "--handler", &handler]));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("not a component"), "{}", ended.stderr);
}

#[test]
fn a_registry_that_wants_to_know_who_asks_is_told_what_docker_knows_and_nobody_else_is() {
    let registry = Registry::for_one();
    let folder = tempfile::tempdir().unwrap();
    let tagged = format!("{}/beamlet/tecton:0.1.0", registry.address());
    registry.push(&tagged, tecton());
    let tagged = format!("oci://{tagged}");
    let describe = || run(beamlet(&folder).args(["describe", "--handler", &tagged]));

    let ended = describe();
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("does not serve this to everybody"), "{}", ended.stderr);

    let log_in = |auth: &str| {
        let config = format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, registry.address());
        std::fs::write(folder.path().join("config.json"), config).unwrap();
    };
    log_in("YWRhOndyb25n"); // ada:wrong
    let ended = describe();
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("does not accept the credentials"), "{}", ended.stderr);

    log_in("YWRhOldqNGstUHE4eg=="); // the user and the password
    let handler = pinned(&folder, &tagged);
    let reported = succeeded(beamlet(&folder).args(["describe", "--handler", &handler]));
    assert!(reported.contains("\"tecton\""), "{reported}");
    for text in [ended.stderr, describe().stderr] {
        assert!(
            !text.contains(User::ADA.password) && !text.contains("YWRhOldqNGstUHE4eg"),
            "{text}"
        );
    }
}
