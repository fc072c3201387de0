//! `cargo xtask test`: every test there is.

use crate::machine;
use anyhow::{Result, bail};
use std::process::{Command, Stdio};

/// The test that runs Tecton's own Python client against the emulator.
const OF_PYTHON: &str = "the_official_client";

/// The handler that is tested by itself.
const HANDLER: &str = "beamlet-tecton";

/// Builds what tests run and runs them, in release: one build of wasmtime serves the demo, the
/// tests and the benches.
pub(crate) fn test() -> Result<()> {
    machine::ensure_target()?;
    // By itself, as it is built as a component: beside the emulator, cargo would give it the
    // emulator's features of their common dependency `cel`.
    machine::run(&mut machine::cargo(&["test", "--package", HANDLER, "--release"]))?;
    let mut tests = machine::cargo(&["test", "--workspace", "--exclude", HANDLER, "--release"]);
    if has_python() {
        return machine::run(&mut tests);
    }
    if std::env::var_os("CI").is_some() {
        bail!("python3 is missing: Tecton's own client runs against the emulator with it");
    }
    machine::run(tests.args(["--", "--skip", OF_PYTHON]))?;
    eprintln!("\nnot run, as there is no python3: Tecton's own client against the emulator");
    Ok(())
}

fn has_python() -> bool {
    let mut python = Command::new("python3");
    python.args(["-m", "venv", "--help"]).stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}
