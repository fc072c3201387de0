//! Runs Tecton's own Python client, unmodified, against the emulator: the emulator accepts what the
//! client sends, and the client gets the same answers and exceptions as from Tecton.
//!
//! The scenarios are Python, in `scenarios/`. They also record the client's own faults, and fail if
//! the client offers a parameter or an exception that no scenario uses.

#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod environment;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tecton_emulator::{
    Background, EmptyMetadataOptions, Emulator, Endpoint, Fault, FaultAnswer, FaultBody,
    RepositoryFile, Settings, StatusFault,
};

#[test]
fn the_official_client_finds_tecton() {
    let here = folder();
    let python = environment::python(&here.join("requirements.txt")).unwrap_or_else(|problem| {
        panic!("cannot run Tecton's Python client: {problem}");
    });
    let emulators = emulators();
    let urls = emulators.iter().map(|(name, emulator)| (*name, emulator.url()));
    let nobody_listens = ("closed", "http://127.0.0.1:1".to_owned());
    let urls: BTreeMap<_, _> = urls.chain([nobody_listens]).collect();

    let ran = Command::new(python)
        .args(["-B", "-E"])
        .arg(here.join("main.py"))
        .arg(serde_json::to_string(&urls).unwrap())
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    // Shown where the test fails, or with `--nocapture`.
    println!("{output}{errors}");
    assert!(ran.status.success(), "the scenarios end with {}", ran.status);
}

/// Emulators of one repository by the names that the scenarios know, each with its own way to answer.
fn emulators() -> Vec<(&'static str, Background)> {
    let file = RepositoryFile::read(folder().join("repository.toml")).unwrap();
    let of_settings = settings(&file.settings).into_iter();
    let of_faults = faults().into_iter().map(|(name, answer)| {
        let faults = vec![Fault::every(answer)];
        (name, Settings { faults, ..file.settings.clone() })
    });
    of_settings
        .chain(of_faults)
        .map(|(name, settings)| {
            let emulator = Emulator::of_file(file.clone()).settings(settings).threads(1);
            (name, emulator.start_blocking().unwrap())
        })
        .collect()
}

fn settings(defaults: &Settings) -> Vec<(&'static str, Settings)> {
    let unchanged = || defaults.clone();
    let of_empty_options =
        |empty_metadata_options| Settings { empty_metadata_options, ..unchanged() };
    let milliseconds = Duration::from_millis;
    let hang = Fault::every(FaultAnswer::Hang(milliseconds(1_000))).on(Endpoint::Metadata);
    vec![
        ("plain", unchanged()),
        ("empty_object", of_empty_options(EmptyMetadataOptions::EmptyObject)),
        ("names_and_data_types", of_empty_options(EmptyMetadataOptions::NamesAndDataTypes)),
        ("slow", Settings { latency: milliseconds(150), ..unchanged() }),
        (
            "too_slow",
            Settings { latency: milliseconds(50), server_timeout: milliseconds(10), ..unchanged() },
        ),
        (
            "one_at_once",
            Settings { max_concurrent_requests: Some(1), faults: vec![hang], ..unchanged() },
        ),
    ]
}

fn faults() -> [(&'static str, FaultAnswer); 10] {
    let throttled = "DynamoDB throttled the request. The request rate exceeds the aws account's \
                     throughput limit.";
    [
        ("throttled", StatusFault::new(429).message(throttled).retry_after("1").into()),
        ("status_500", StatusFault::new(500).message("online store is on fire").into()),
        ("status_503", FaultAnswer::status(503)),
        ("html_503", StatusFault::new(503).body(FaultBody::Html).into()),
        ("empty_503", StatusFault::new(503).body(FaultBody::Empty).into()),
        ("not_json", FaultAnswer::NotJson),
        ("wrong_count", FaultAnswer::WrongCount),
        ("truncated", FaultAnswer::Truncated),
        ("reset", FaultAnswer::Reset),
        ("hang", FaultAnswer::Hang(Duration::from_secs(30))),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/official_client")
}
