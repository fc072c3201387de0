//! `cargo xtask check`: what a change has to pass besides its tests.

use crate::machine::{self, cargo, run};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// The version of cargo-deny that is installed where there is none.
const CARGO_DENY: &str = "0.20.2";

/// Format, lints, documentation; licences, advisories and sources of dependencies.
pub(crate) fn check() -> Result<()> {
    machine::ensure_target()?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--release",
        "--",
        "--deny",
        "warnings",
    ]))?;
    guests()?;
    run(cargo(&["doc", "--workspace", "--no-deps", "--release", "--document-private-items"])
        .env("RUSTDOCFLAGS", "--deny warnings"))?;
    deny()
}

/// What of the guests is compiled for their own target only.
fn guests() -> Result<()> {
    let target_dir = machine::target_dir().join("guests");
    run(cargo(&[
        "clippy",
        "--package",
        "beamlet-guest",
        "--package",
        "beamlet-tecton",
        "--target",
        "wasm32-wasip2",
        "--profile",
        "guest",
        "--target-dir",
    ])
    .arg(target_dir)
    .args(["--", "--deny", "warnings"]))
}

/// Runs cargo-deny, from the tools of this project.
fn deny() -> Result<()> {
    let tools = machine::target_dir().join("tools");
    let binary = install(&tools)?;
    // Advisories need a database from a git host; where it cannot be reached, the rest is checked.
    let mut checks = vec!["bans", "licenses", "sources"];
    if std::env::var_os("BEAMLET_CHECK_ADVISORIES").is_some() {
        checks.push("advisories");
    }
    run(Command::new(binary).current_dir(machine::root()).arg("check").args(checks))
}

fn install(tools: &PathBuf) -> Result<PathBuf> {
    let binary = tools.join("bin/cargo-deny");
    let version = Command::new(&binary).arg("--version").output();
    if version.is_ok_and(|told| String::from_utf8_lossy(&told.stdout).contains(CARGO_DENY)) {
        return Ok(binary);
    }
    eprintln!("installing cargo-deny {CARGO_DENY} under {}", tools.display());
    run(cargo(&["install", "cargo-deny", "--version", CARGO_DENY, "--locked"])
        .args(["--no-default-features", "--root"])
        .arg(tools))
    .context("cargo-deny could not be installed")?;
    if !binary.exists() {
        bail!("cargo-deny was installed, but is not at {}", binary.display());
    }
    Ok(binary)
}
