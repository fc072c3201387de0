//! `cargo xtask check`: what a change has to pass besides its tests.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::machine::{self, cargo, run};
use crate::timings::step;
use crate::tools;

/// Format, lints, documentation; licences, advisories and sources of dependencies.
pub(crate) fn check() -> Result<()> {
    machine::ensure_target()?;
    step("format", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("features", one_set_of_features)?;
    let mut clippy =
        cargo(&["clippy", "--workspace", "--all-targets", "--release", "--", "--deny", "warnings"]);
    step("clippy", || run(&mut clippy))?;
    let mut engine = cargo(&["clippy", "--package", "beamlet", "--no-default-features"]);
    engine.args(["--release", "--", "--deny", "warnings"]);
    step("clippy, the engine alone", || run(&mut engine))?;
    step("clippy, guests", guests)?;
    released()?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--release"]);
    doc.arg("--document-private-items").env("RUSTDOCFLAGS", "--deny warnings");
    step("rustdoc", || run(&mut doc))?;
    deny()
}

/// Checks the code of guests that is compiled only for their own target.
fn guests() -> Result<()> {
    let target_dir = machine::target_dir().join("guests");
    run(cargo(&[
        "clippy",
        "--package",
        "beamlet-bench-hello",
        "--package",
        "beamlet-edge",
        "--package",
        "beamlet-guest",
        "--package",
        "beamlet-tecton",
        "--package",
        "beamlet-key-value",
        "--package",
        "beamlet-broken",
        "--target",
        "wasm32-wasip2",
        "--profile",
        "guest",
        "--target-dir",
    ])
    .arg(target_dir)
    .args(["--", "--deny", "warnings"]))
}

/// Checks that released contracts do not change: a text in `wit/released` is added once, and never
/// changed.
fn released() -> Result<()> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(machine::root()).args(arguments).args(["--", "wit/released/*.wit"]);
        // Without git (an unpacked archive) there is no history to look at.
        git.output().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = "--diff-filter=DMRT";
    let committed = git(&["log", changed, "--format=%h %s"]).unwrap_or_default();
    let here = git(&["diff", "HEAD", changed, "--name-only"]).unwrap_or_default();
    if !committed.is_empty() || !here.is_empty() {
        bail!(
            "a released contract was changed: {committed} {here}; restore it, and give \
             the contract a new version"
        );
    }
    Ok(())
}

/// Runs cargo-deny.
fn deny() -> Result<()> {
    let binary = tools::CARGO_DENY.ensure()?;
    // Advisories need a database from a git host; where it cannot be reached, the rest is checked.
    let mut checks = vec!["bans", "licenses", "sources"];
    if std::env::var_os("BEAMLET_CHECK_ADVISORIES").is_some() {
        checks.push("advisories");
    }
    let mut deny = Command::new(binary);
    deny.current_dir(machine::root()).arg("check").args(checks);
    step("cargo-deny", || run(&mut deny))
}

/// Fails if `cargo build` and `cargo test` of the workspace, or `cargo xtask` by itself, would
/// compile a dependency with different features.
fn one_set_of_features() -> Result<()> {
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
