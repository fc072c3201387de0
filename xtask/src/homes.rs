//! `cargo xtask homes`: the components in their other homes, each with that home's own tools.

use crate::components;
use crate::machine::{self, cargo, ensure_target, run};
use crate::tools;
use crate::venv::Venv;
use anyhow::{Result, bail};

/// What the edge is held against its OpenAPI document with.
const SCHEMATHESIS: Venv = Venv {
    name: "schemathesis",
    requirements: "tests/homes/tests/edge/schemathesis/requirements.txt",
    program: "schemathesis",
};

/// Installs what the tests of the other homes want, and runs them.
pub(crate) fn homes() -> Result<()> {
    ensure_target()?;
    tools::WASMTIME.ensure()?;
    if !tools::debian("jq", &["jq"])? {
        bail!("jq is missing: the guide to the wasmtime command line wants it");
    }
    SCHEMATHESIS.ensure(machine::root())?;
    components::tecton_edge()?;
    // The host's own command, which the homes are compared with: as the tests of the project build
    // it, so that it is not built twice.
    let mut host = cargo(&["test", "--workspace", "--exclude", "beamlet-homes", "--release"]);
    run(host.args(["--no-run", "--test", "run_command"]))?;
    run(cargo(&["test", "--package", "beamlet-homes", "--release"])
        .env("BEAMLET_TOOLS", tools::dir()?))
}
