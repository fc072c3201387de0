//! One set of features: whatever is built of the workspace, each dependency is compiled once.

use crate::machine::cargo;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;

/// Fails where `cargo build` and `cargo test` of the workspace, or `cargo xtask` by itself, would
/// compile a dependency with different features.
pub(crate) fn check() -> Result<()> {
    let tests = resolved(&["--workspace", "--edges", "normal,build,dev"])?;
    for arguments in [
        ["--workspace", "--edges", "normal,build"].as_slice(),
        &["--workspace", "--exclude", "beamlet-interop", "--edges", "normal,build,dev"],
        &["--package", "xtask", "--edges", "normal,build"],
    ] {
        let other = resolved(arguments)?;
        let different: Vec<_> = other.difference(&tests).map(String::as_str).collect();
        if !different.is_empty() {
            bail!(
                "`cargo tree {}` takes other features than the tests do, so that these are \
                 compiled twice:\n  {}\nname the features in [workspace.dependencies], or in \
                 tests/unify/Cargo.toml where only tests ask for them",
                arguments.join(" "),
                different.join("\n  ")
            );
        }
    }
    Ok(())
}

/// Each package with the features that it is built with.
fn resolved(arguments: &[&str]) -> Result<BTreeSet<String>> {
    let output = cargo(&["tree", "--locked", "--prefix", "none", "--no-dedupe"])
        .args(["--format", "{p} [{f}]"])
        .args(arguments)
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let tree = String::from_utf8(output.stdout)?;
    Ok(tree.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
