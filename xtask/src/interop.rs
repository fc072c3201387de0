//! `cargo xtask interop`: the components outside this host, each with programs of other projects.

use crate::machine::{self, BEAMLET, GUEST_BUILD, PLUG, WASMTIME, cargo, ensure_target, run};
use crate::timings::step;
use crate::tools::Venv;
use crate::{components, tools};
use anyhow::{Result, bail};

/// What the edge is held against its OpenAPI document with.
const SCHEMATHESIS: Venv = Venv {
    name: "schemathesis",
    requirements: "tests/interop/tests/interop/edge/schemathesis/requirements.txt",
    program: Some("schemathesis"),
};

/// What the formats of tables are held against.
const TABLES: Venv = Venv {
    name: "tables",
    requirements: "tests/interop/tests/interop/tables/requirements.txt",
    program: None,
};

/// Installs what the tests want, and runs them.
pub(crate) fn interop() -> Result<()> {
    ensure_target()?;
    step("install what interop runs", install)?;
    machine::build(&[BEAMLET, GUEST_BUILD, PLUG, WASMTIME])?;
    components::tecton_edge()?;
    let tests = || cargo(&["test", "--workspace", "--release", "--test", "interop"]);
    step("build interop", || run(tests().arg("--no-run")))?;
    let tools = tools::dir()?;
    step("interop", || run(tests().env("BEAMLET_TOOLS", tools)))
}

fn install() -> Result<()> {
    if !tools::debian("jq", &["jq"])? {
        bail!("jq is missing: the guide to the wasmtime command line wants it");
    }
    if !tools::debian("docker-registry", &["docker-registry"])? {
        bail!("docker-registry is missing: publishing to a registry is tested with it");
    }
    SCHEMATHESIS.ensure(machine::root())?;
    TABLES.ensure(machine::root())?;
    tools::npm("examples/node")?;
    tools::pypi("examples/python")
}
