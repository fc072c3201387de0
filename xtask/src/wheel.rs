//! `cargo xtask wheel` and `cargo xtask python`: the wheel `beamlet`, and its tests.

use crate::machine::{self, EMULATOR, cargo, ensure_target, run};
use crate::runners;
use crate::timings::step;
use crate::tools::{self, Venv};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// maturin, Apache Beam, and what the tests compare with.
const PYTHON: Venv =
    Venv { name: "python", requirements: "python/requirements.txt", program: None };

/// The engine as a library that Python loads.
const LIBRARY: &str = "libbeamlet_python.so";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Of the build that the tests share, in seconds where that is there: not optimised throughout
    #[arg(long)]
    quick: bool,
}

/// Builds the wheel into `target/wheels`.
pub(crate) fn wheel(options: &Options) -> Result<()> {
    ensure_target()?;
    let wheel = if options.quick { quick()? } else { deployed()? };
    let bytes = fs::metadata(&wheel)?.len();
    println!("{}  {:.1} MB", wheel.display(), bytes as f64 / 1e6);
    Ok(())
}

/// Tests the wheel, installed as a user installs it.
pub(crate) fn python() -> Result<()> {
    ensure_target()?;
    machine::build(&[EMULATOR])?;
    let wheel = quick()?;
    install(&wheel)?;
    let (prism, flink) = (GO.is_there()?, JAVA.is_there()?);
    let mut pytest = Command::new(python_program()?);
    pytest.args(["-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider"]);
    pytest.arg("python/tests").current_dir(machine::root());
    pytest.env("BEAMLET_TEST_PROGRAMS", machine::target_dir().join("release"));
    pytest.env("PYTHONDONTWRITEBYTECODE", "1");
    if prism {
        pytest.env("BEAMLET_PRISM", runners::prism()?);
    }
    if flink {
        pytest.env("BEAMLET_FLINK", runners::flink()?);
    }
    let missing: Vec<&Want> = [(prism, &GO), (flink, &JAVA)]
        .into_iter()
        .filter_map(|(is_there, want)| (!is_there).then_some(want))
        .collect();
    if !missing.is_empty() {
        let tests: Vec<String> = missing.iter().map(|want| format!("not {}", want.tests)).collect();
        pytest.args(["-k", &tests.join(" and ")]);
    }
    step("test the wheel", || run(&mut pytest))?;
    for Want { program, tests, .. } in missing {
        eprintln!("\nSKIPPED, as there is no {program}: {tests}");
    }
    Ok(())
}

/// What a runner is made with.
struct Want {
    program: &'static str,
    /// Options that have it print its version.
    version: &'static [&'static str],
    /// The tests that want it.
    tests: &'static str,
}

const GO: Want = Want { program: "go", version: &["version"], tests: "TestPrism" };
const JAVA: Want = Want { program: "mvn", version: &["--version"], tests: "TestFlink" };

impl Want {
    /// Whether it is there; on CI it has to be.
    fn is_there(&self) -> Result<bool> {
        let mut program = Command::new(self.program);
        program.args(self.version).stdout(Stdio::null()).stderr(Stdio::null());
        let is_there = program.status().is_ok_and(|status| status.success());
        if !is_there && std::env::var_os("CI").is_some() {
            bail!("{} is missing: {} wants it", self.program, self.tests);
        }
        Ok(is_there)
    }
}

/// The environment's Python.
fn python_program() -> Result<PathBuf> {
    Ok(tools::dir()?.join("venv").join(PYTHON.name).join("bin/python"))
}

fn wheels() -> PathBuf {
    machine::target_dir().join("wheels")
}

/// As it is deployed, by maturin.
fn deployed() -> Result<PathBuf> {
    step("install what the wheel wants", || PYTHON.ensure(machine::root()))?;
    let mut maturin = Command::new(python_program()?);
    maturin.args(["-m", "maturin", "build", "--manifest-path", "python/Cargo.toml", "--out"]);
    maturin.arg(wheels()).arg("--interpreter").arg(python_program()?).current_dir(machine::root());
    step("build the wheel, profile dist", || run(&mut maturin))?;
    newest()
}

/// Of the library that is built for the whole workspace, so that nothing is compiled twice.
pub(crate) fn quick() -> Result<PathBuf> {
    step("install what the wheel wants", || PYTHON.ensure(machine::root()))?;
    let mut library = cargo(&["build", "--release", "--workspace", "--lib"]);
    step("build the libraries", || run(&mut library))?;
    step("pack the wheel", pack)
}

fn pack() -> Result<PathBuf> {
    let stage = machine::target_dir().join("wheel");
    let _ = fs::remove_dir_all(&stage);
    copy(&machine::root().join("python/beamlet"), &stage.join("beamlet"))?;
    let library = machine::target_dir().join("release").join(LIBRARY);
    let engine = stage.join("beamlet/_engine.abi3.so");
    fs::copy(&library, &engine).with_context(|| library.display().to_string())?;
    let mut metadata = Command::new(python_program()?);
    metadata.args(["-m", "maturin", "pep517", "write-dist-info", "--metadata-directory"]);
    metadata.arg(&stage).arg("--interpreter").arg(python_program()?);
    metadata.current_dir(machine::root().join("python"));
    run(&mut metadata)?;
    let mut pack = Command::new(python_program()?);
    pack.args(["-m", "wheel", "pack"]).arg(&stage).arg("--dest-dir").arg(wheels());
    fs::create_dir_all(wheels())?;
    run(&mut pack)?;
    newest()
}

/// The wheel that was made last.
fn newest() -> Result<PathBuf> {
    let mut made: Vec<(std::time::SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(wheels())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            made.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    made.sort();
    made.pop().map(|(_, path)| path).context("no wheel was made")
}

fn install(wheel: &Path) -> Result<()> {
    let mut pip = Command::new(python_program()?);
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--force-reinstall"]);
    pip.args(["--disable-pip-version-check"]).arg(wheel);
    step("install the wheel", || run(&mut pip))
}

/// A virtual environment of its own below a directory, with the wheel and Beam in it; its Python.
pub(crate) fn fresh(directory: &Path, wheel: &Path) -> Result<PathBuf> {
    let venv = directory.join("venv");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let python = venv.join("bin/python");
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--only-binary", ":all:", "--requirement"]);
    pip.arg(machine::root().join(PYTHON.requirements)).arg(wheel);
    run(&mut pip)?;
    Ok(python)
}

/// Copies a package's sources.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            if name != "__pycache__" {
                copy(&path, &to.join(name))?;
            }
        } else if path.extension().is_none_or(|extension| extension != "so") {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
