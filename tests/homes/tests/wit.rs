//! The contract through `wasm-tools component wit`, as others read it.
#![allow(clippy::unwrap_used)]

use beamlet_homes::{built, root, tool};
use std::path::Path;
use std::process::Command;

/// `wasm-tools component wit`.
fn wit(of: &Path, options: &[&str]) -> String {
    let mut command = Command::new(tool("wasm-tools"));
    let output = command.args(["component", "wit"]).arg(of).args(options).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The first package of a text: the contract, without what it depends on.
fn first(text: &str) -> &str {
    text.split("\npackage ").next().unwrap()
}

#[test]
fn the_contract_comes_back_from_its_binary_form_word_for_word() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("contract.wasm");
    wit(&root().join("wit"), &["--wasm", "-o", binary.to_str().unwrap()]);
    let back = wit(&binary, &[]);
    assert!(first(&back).contains("interface enrichment-handler"));
    assert_eq!(first(&back), first(&wit(&root().join("wit"), &[])));
}

#[test]
fn what_was_released_is_what_wasm_tools_reads_in_wit() {
    let released = format!("wit/released/{}.wit", env!("CARGO_PKG_VERSION"));
    let released = std::fs::read_to_string(root().join(released)).unwrap();
    assert_eq!(first(&wit(&root().join("wit"), &["--no-docs"])).trim(), released.trim());
}

#[test]
fn the_component_has_the_contracts_interfaces() {
    // Of the lines of an interface the order is the component's own.
    let lines = |text: &str| {
        let text = text.split("package beamlet:enrichment@0.1.0").nth(1).unwrap().to_owned();
        let text = text.split("\npackage ").next().unwrap().to_owned();
        let text = text.split("\nworld ").next().unwrap().to_owned();
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty() && !line.starts_with("@since") && line.len() > 1)
            .collect();
        lines.sort();
        lines
    };
    let contract = lines(&wit(&root().join("wit"), &["--no-docs"]));
    assert!(contract.len() > 80, "{contract:#?}");
    assert_eq!(lines(&wit(&built("components/tecton.wasm"), &[])), contract);
}
