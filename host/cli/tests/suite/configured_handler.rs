//! A configuration names its handler, and its whole path to an enricher is one call.

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::guests::evil;
use crate::support::library::{evil_config, tailnums};
use crate::support::redacted;
use crate::support::store::{Store, config, folder_of};
use beamlet::enrich::{Enricher, Outcome};
use beamlet::load::LoadError;
use insta::assert_snapshot;
use serde_json::json;

/// A folder with the component that misbehaves, and a configuration that names it.
fn with_evil(handler: &str) -> Folder {
    let folder = folder_of(&format!("handler = {handler}\n{}", evil_config("trap", "")));
    std::fs::create_dir(folder.file("handlers")).unwrap();
    std::fs::copy(evil(), folder.file("handlers/evil.wasm")).unwrap();
    folder
}

#[test]
fn a_configuration_names_a_component_beside_it() {
    let folder = with_evil("'handlers/evil.wasm'");
    let path = folder.file("beamlet.toml");
    // From another directory: the path is relative to the configuration.
    let elsewhere = Folder::new();
    let ended = Beamlet::new(&elsewhere, &format!("validate --config {}", path.display())).end();
    assert!(ended.to_string().contains("valid for the handler evil"), "{ended}");
}

#[test]
fn the_command_line_names_another_handler() {
    let folder = with_evil("'handlers/evil.wasm'");
    let ended = Beamlet::new(&folder, "validate --config beamlet.toml --handler tecton").end();
    let text = ended.to_string();
    assert!(text.contains("/retrieval/evil: unknown key"), "{text}");
    assert!(!text.contains("/handler:"), "{text}");
}

#[test]
fn a_handler_that_is_not_a_text_or_missing_is_reported_with_its_place() {
    let folder = with_evil("7");
    let ended = Beamlet::new(&folder, "validate --config beamlet.toml").end();
    redacted(|| {
        assert_snapshot!(ended, @"
    error: the configuration is not valid
    beamlet.toml:1: /handler: must be tecton, the path of a component, or oci://REGISTRY/NAME@sha256:…
    exit code 2
    ")
    });
    let folder = with_evil("'handlers/evli.wasm'");
    let ended = Beamlet::new(&folder, "validate --config beamlet.toml").end();
    redacted(|| {
        assert_snapshot!(ended, @"
    error: handlers/evli.wasm: cannot be read: No such file or directory (os error 2)
    exit code 2
    ")
    });
}

#[test]
fn an_output_over_the_component_that_the_configuration_names_is_refused() {
    let folder = with_evil("'handlers/evil.wasm'");
    let ended =
        Beamlet::new(&folder, "run --config beamlet.toml --output handlers/evil.wasm").end();
    redacted(|| {
        assert_snapshot!(ended, @"
    error: --output handlers/evil.wasm is the file that the configuration: handlers/evil.wasm reads; name another file
    exit code 2
    ")
    });
    assert_eq!(
        std::fs::read(folder.file("handlers/evil.wasm")).unwrap(),
        std::fs::read(evil()).unwrap()
    );
}

#[tokio::test]
async fn an_enricher_can_be_made_from_a_text_a_value_or_a_file() {
    let store = Store::start();
    let text = config(&store.url());
    let value = json!({
        "connection": {
            "url": store.url(), "default_workspace_name": "prod",
            "api_key": crate::support::store::KEY,
        },
        "retrieval": { "feature_service_name": "planes_features", "entity_id": "tailnum" },
    });
    let folder = folder_of(&text);
    let path = folder.file("beamlet.toml");
    for enricher in [
        Enricher::from_config(text.as_str()).await.unwrap(),
        Enricher::from_config(value.to_string().as_str()).await.unwrap(),
        Enricher::from_config(value).await.unwrap(),
        Enricher::from_config(path.as_path()).await.unwrap(),
    ] {
        let answers = enricher.enrich(&tailnums(&[Some("N10156"), Some("N0")])).await.unwrap();
        assert_eq!(*answers.outcome(0), Outcome::Enriched);
        assert_eq!(*answers.outcome(1), Outcome::Missing);
    }
}

#[tokio::test]
async fn all_problems_of_a_configuration_are_data() {
    let config = "[connection]\nurl = 'ftp://x'\n[run]\nin_flight = 0\n[retrieval]\nentity = 'a'\n";
    let Err(LoadError::Invalid(invalid)) = Enricher::from_config(config).await else { panic!() };
    let paths: Vec<&str> = invalid.problems().map(|problem| problem.path.as_str()).collect();
    assert!(paths.contains(&"/run/in_flight") && paths.contains(&"/connection/url"), "{paths:?}");
    assert!(invalid.lines().any(|line| line.starts_with("the configuration:4: /run/in_flight: ")));
    let error = Enricher::from_config("[connection").await.err().unwrap();
    assert!(error.is_usage() && matches!(error, LoadError::Config(_)));
    assert!(error.to_string().starts_with("the configuration:1:"), "{error}");
}
