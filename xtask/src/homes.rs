//! `cargo xtask homes`: the components in their other homes, each with that home's own tools.

use crate::machine::{self, cargo, ensure_target, run};
use crate::venv::Venv;
use crate::{components, packages, tools};
use anyhow::{Result, bail};

/// What the edge is held against its OpenAPI document with.
const SCHEMATHESIS: Venv = Venv {
    name: "schemathesis",
    requirements: "tests/homes/tests/edge/schemathesis/requirements.txt",
    program: Some("schemathesis"),
};

/// What the formats of tables are held against.
const TABLES: Venv = Venv {
    name: "tables",
    requirements: "tests/homes/tests/tables/requirements.txt",
    program: None,
};

/// Installs what the tests of the other homes want, and runs them.
pub(crate) fn homes() -> Result<()> {
    ensure_target()?;
    tools::WASMTIME.ensure()?;
    tools::WASM_TOOLS.ensure()?;
    tools::WKG.ensure()?;
    if !tools::debian("jq", &["jq"])? {
        bail!("jq is missing: the guide to the wasmtime command line wants it");
    }
    if !tools::debian("docker-registry", &["docker-registry"])? {
        bail!("docker-registry is missing: publishing to a registry is tested with it");
    }
    SCHEMATHESIS.ensure(machine::root())?;
    TABLES.ensure(machine::root())?;
    packages::npm("examples/node")?;
    packages::pypi("examples/python")?;
    components::tecton_edge()?;
    // The host's own command, which the homes are compared with: as the tests of the project build
    // it, so that it is not built twice.
    let mut host = cargo(&["test", "--workspace", "--exclude", "beamlet-homes", "--release"]);
    run(host.args(["--no-run", "--test", "run_command"]))?;
    run(cargo(&["test", "--package", "beamlet-homes", "--release"])
        .env("BEAMLET_TOOLS", tools::dir()?))
}
