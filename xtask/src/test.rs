//! `cargo xtask test`: runs every test, including the scenarios against a live Tecton if
//! environment variables name one.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::machine::{cargo, ensure_target, run};
use crate::timings::step;
use crate::tools;

/// Tests that need a program that may be missing.
struct Want {
    /// A part of the tests' names.
    tests: &'static str,
    /// The program.
    program: &'static str,
    /// What is not tested without it.
    shows: &'static str,
}

const PYTHON: Want = Want {
    tests: "the_official_client",
    program: "python3",
    shows: "Tecton's own client against the emulator",
};

const REDIS: Want = Want {
    tests: "redis::",
    program: "redis-server (`apt-get install redis-tools` brings it)",
    shows: "the cache that runners share",
};

/// Builds what tests run and runs them, in release: one build of wasmtime serves the demo, the
/// tests and the benches.
pub(crate) fn test() -> Result<()> {
    let live = Live::of_environment()?;
    let mut skipped = Vec::new();
    if !has_python() {
        skipped.push(PYTHON);
    }
    // Debian's `redis-tools` has the server under another name.
    if !tools::debian("redis-tools", &["redis-server", "redis-check-rdb"])? {
        skipped.push(REDIS);
    }
    if let Some(Want { program, shows, .. }) = skipped.first()
        && std::env::var_os("CI").is_some()
    {
        bail!("{program} is missing: the tests of {shows} need it");
    }
    ensure_target()?;
    let tests = || cargo(&["test", "--workspace", "--exclude", "beamlet-interop", "--release"]);
    step("build the tests", || run(tests().arg("--no-run")))?;
    let mut tests = tests();
    // A failure in one test program must not hide failures in another.
    tests.args(["--no-fail-fast", "--"]);
    for want in &skipped {
        tests.args(["--skip", want.tests]);
    }
    step("test", || run(&mut tests))?;
    live.test()?;
    // Report skipped tests last, where they are seen.
    for Want { program, shows, .. } in skipped {
        eprintln!("\nSKIPPED, because {program} is missing: {shows}");
    }
    live.report_skipped();
    Ok(())
}

fn has_python() -> bool {
    let mut python = Command::new("python3");
    python.args(["-m", "venv", "--help"]).stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

/// The variables that `host/cli/tests/suite/scenarios` reads, all or none.
const VARIABLES: [&str; 4] =
    ["TECTON_URL", "TECTON_API_KEY", "TECTON_WORKSPACE", "TECTON_FEATURE_SERVICE"];

/// Whether there is a live Tecton to test against.
pub(crate) enum Live {
    There,
    NotThere,
}

impl Live {
    /// Reads the environment. An incomplete set of variables is an error.
    pub(crate) fn of_environment() -> Result<Self> {
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let (set, missing): (Vec<&str>, Vec<&str>) = VARIABLES.into_iter().partition(is_set);
        match (set.is_empty(), missing.is_empty()) {
            (_, true) => Ok(Live::There),
            (true, _) => Ok(Live::NotThere),
            _ => bail!(
                "{}: set, but not set: {}; the live scenarios need all of them: set all or none",
                set.join(", "),
                missing.join(", ")
            ),
        }
    }

    /// Runs the scenarios against it.
    pub(crate) fn test(&self) -> Result<()> {
        match self {
            // Of the workspace, as for all tests, so that nothing is built again.
            Live::There => run(cargo(&["test", "--workspace", "--release", "--test", "suite"])
                .args(["--", "--ignored", "scenarios::live::"])),
            Live::NotThere => Ok(()),
        }
    }

    /// Reports that they were skipped.
    pub(crate) fn report_skipped(&self) {
        if let Live::NotThere = self {
            let variables = VARIABLES.join(", ");
            eprintln!("\nSKIPPED: the scenarios against a live Tecton. Not set: {variables}");
        }
    }
}
