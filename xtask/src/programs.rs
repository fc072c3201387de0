//! The workspace's programs. All commands build for the whole workspace and name what they want:
//! cargo then takes the same features for each, and compiles a dependency once.

use crate::machine::{self, cargo, run};
use crate::timings::step;
use anyhow::Result;
use std::path::PathBuf;

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
    Ok(machine::binary(program))
}
