//! The project's root, cargo, the programs of the workspace, and what has to be installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::timings::step;

/// The target of the guests.
const TARGET: &str = "wasm32-wasip2";

/// The project's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the project")
}

/// Where everything that is built goes.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program that was built in release.
pub(crate) fn binary(name: &str) -> PathBuf {
    target_dir().join("release").join(name)
}

/// Cargo, in the project's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(arguments);
    // `cargo xtask` is a cargo that runs this program, and says which: build scripts that look
    // at it (ring's) would run again whenever a person calls cargo without xtask.
    for (name, _) in std::env::vars_os() {
        let about_xtask =
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if about_xtask.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Runs a command to its end; it has to succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = format!("{command:?}");
    let status = command.status().with_context(|| format!("{name} could not be started"))?;
    if !status.success() {
        bail!("{name} failed: {status}");
    }
    Ok(())
}

/// Adds the guests' target to the toolchain, if it is missing.
pub(crate) fn ensure_target() -> Result<()> {
    let listed = Command::new("rustup")
        .current_dir(root())
        .args(["target", "list", "--installed"])
        .stderr(Stdio::inherit())
        .output();
    // A toolchain that rustup did not install gets targets in another way; the build reports a
    // missing one.
    let Ok(listed) = listed else { return Ok(()) };
    if String::from_utf8_lossy(&listed.stdout).lines().any(|line| line.trim() == TARGET) {
        return Ok(());
    }
    eprintln!("adding the target {TARGET}");
    run(Command::new("rustup").current_dir(root()).args(["target", "add", TARGET]))
}

/// The command of the host.
pub(crate) const BEAMLET: &str = "beamlet";
/// Rows through a handler with nothing around it.
pub(crate) const BENCH_COMPONENT: &str = "beamlet-bench-component";
/// The store that tests and the demo ask.
pub(crate) const EMULATOR: &str = "tecton-emulator";
/// What makes components of guests.
pub(crate) const GUEST_BUILD: &str = "beamlet-guest-build";
/// What plugs a handler into the edge, by wac's library.
pub(crate) const PLUG: &str = "plug";
/// The wasmtime command line, by its library.
pub(crate) const WASMTIME: &str = "wasmtime";

/// Builds programs in release.
pub(crate) fn build(programs: &[&str]) -> Result<()> {
    let mut cargo = cargo(&["build", "--release", "--workspace"]);
    for program in programs {
        cargo.args(["--bin", program]);
    }
    step(format!("build {}", programs.join(", ")), || run(&mut cargo))
}

/// Builds a program in release; where it is.
pub(crate) fn built(program: &str) -> Result<PathBuf> {
    build(&[program])?;
    Ok(binary(program))
}
