//! `cargo xtask dist`: the binary that users get, stripped, and its symbols in a separate file.

use crate::machine::{self, cargo, ensure_target, run};
use crate::timings::step;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds `target/dist/beamlet` with the features of its package alone, and moves its symbols to
/// `target/dist/beamlet.debug`, where debuggers look for them.
pub(crate) fn dist() -> Result<()> {
    ensure_target()?;
    build(&["beamlet-cli"])?;
    let binary = machine::target_dir().join("dist/beamlet");
    let symbols = split(&binary)?;
    for file in [&binary, &symbols] {
        let bytes = fs::metadata(file)?.len();
        println!("{}  {:.1} MB", file.display(), bytes as f64 / 1e6);
    }
    Ok(())
}

/// Builds packages as they are deployed.
pub(crate) fn build(packages: &[&str]) -> Result<()> {
    let mut cargo = cargo(&["build", "--profile", "dist"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    step(format!("build {}, profile dist", packages.join(", ")), || run(&mut cargo))
}

/// Moves symbols out of a binary. One that has none any more is left as it is.
fn split(binary: &Path) -> Result<PathBuf> {
    let symbols = binary.with_extension("debug");
    let mut readelf = Command::new("readelf");
    readelf.args(["--section-headers", "--wide"]).arg(binary);
    let sections = readelf.output().context("readelf is missing: install binutils")?;
    if !String::from_utf8_lossy(&sections.stdout).contains(".symtab") {
        return Ok(symbols);
    }
    let objcopy = |options: &[&str]| {
        let mut objcopy = Command::new("objcopy");
        objcopy.args(options);
        objcopy
    };
    run(objcopy(&["--only-keep-debug", "--compress-debug-sections"]).arg(binary).arg(&symbols))?;
    // To a file of its own, as cargo has a hard link to the binary.
    let stripped = binary.with_extension("stripped");
    let link = format!("--add-gnu-debuglink={}", symbols.display());
    run(objcopy(&["--strip-all", &link]).arg(binary).arg(&stripped))?;
    fs::rename(&stripped, binary)?;
    Ok(symbols)
}
