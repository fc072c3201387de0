//! `cargo xtask test`: every test there is.

use crate::live::Live;
use crate::machine::{cargo, ensure_target, run};
use anyhow::{Result, bail};
use std::process::{Command, Stdio};

/// The test that runs Tecton's own Python client against the emulator.
const OF_PYTHON: &str = "the_official_client";

/// Builds what tests run and runs them, in release: one build of wasmtime serves the demo, the
/// tests and the benches.
pub(crate) fn test() -> Result<()> {
    let live = Live::of_environment()?;
    let python = has_python();
    if !python && std::env::var_os("CI").is_some() {
        bail!("python3 is missing: Tecton's own client runs against the emulator with it");
    }
    ensure_target()?;
    let mut tests = cargo(&["test", "--workspace", "--release"]);
    if !python {
        tests.args(["--", "--skip", OF_PYTHON]);
    }
    run(&mut tests)?;
    live.test()?;
    // What was left out is told last, where it is seen.
    if !python {
        eprintln!("\nSKIPPED, as there is no python3: Tecton's own client against the emulator");
    }
    live.tell_skipped();
    Ok(())
}

fn has_python() -> bool {
    let mut python = Command::new("python3");
    python.args(["-m", "venv", "--help"]).stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}
