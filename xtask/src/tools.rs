//! Programs and packages of other projects that tests and checks use: pinned, and installed if
//! they are missing, into a directory that all clones of the project share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::machine::{self, cargo, run};
use crate::timings::step;

/// A program from crates.io, built with the fewest features that do. What is a library, too, is
/// better a program of `tests/tools`: that shares what the workspace compiles.
pub(crate) struct Tool {
    /// The package, which is the program's name, too.
    package: &'static str,
    version: &'static str,
}

pub(crate) const CARGO_FUZZ: Tool = Tool { package: "cargo-fuzz", version: "0.13.2" };
pub(crate) const CARGO_DENY: Tool = Tool { package: "cargo-deny", version: "0.20.2" };

impl Tool {
    /// Where the program is; installs it if it is not there in this version.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        let Tool { package, version } = self;
        let root = dir()?.join(format!("{package}-{version}"));
        let binary = root.join("bin").join(package);
        if binary.exists() {
            return Ok(binary);
        }
        eprintln!("installing {package} {version} under {}", root.display());
        // It reads some files for a second: unoptimised, it is built in a third of the time.
        let mut install = cargo(&["install", package, "--version", version, "--locked", "--force"]);
        install
            .args(["--no-default-features", "--debug", "--config", "profile.dev.debug=false"])
            .arg("--root")
            .arg(&root);
        step(format!("install {package}"), || run(&mut install))
            .with_context(|| format!("{package} could not be installed"))?;
        if !binary.exists() {
            bail!("{package} was installed, but is not at {}", binary.display());
        }
        Ok(binary)
    }
}

/// Where tools are kept, for all clones of the project: `BEAMLET_TOOLS`, or the user's cache.
pub(crate) fn dir() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("BEAMLET_TOOLS") {
        return Ok(dir.into());
    }
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => std::env::home_dir().context("there is no home directory")?.join(".cache"),
    };
    Ok(cache.join("beamlet/tools"))
}

/// Whether one of `programs` is there; where Debian's packages can be installed, one is.
pub(crate) fn debian(package: &str, programs: &[&str]) -> Result<bool> {
    let is_there = || programs.iter().any(|program| answers(program, &["--version"]));
    if is_there() {
        return Ok(true);
    }
    if !is_root() || !answers("apt-get", &["--version"]) {
        return Ok(false);
    }
    eprintln!("installing {package}");
    let install = || {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--no-install-recommends", package]);
        apt.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        apt
    };
    if run(&mut install()).is_err() {
        // The lists of packages may be old, or not there.
        run(Command::new("apt-get").arg("update").stdout(Stdio::null()))?;
        run(&mut install())?;
    }
    Ok(is_there())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Whether a program can be started.
fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

/// Fills npm's cache in the tools' directory, `npm`, with all that an example locks.
pub(crate) fn npm(example: &str) -> Result<()> {
    let example = machine::root().join(example);
    unless_kept(&example.join("package-lock.json"), "npm", |kept| {
        // What is installed here is thrown away; the cache stays.
        let install = kept.join("install");
        fs::create_dir_all(&install)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(example.join(file), install.join(file))?;
        }
        run(Command::new("npm")
            .current_dir(&install)
            .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
            .env("npm_config_cache", kept))
        .context("the example for Node wants Node 20 and npm")?;
        fs::remove_dir_all(&install)?;
        Ok(())
    })
}

/// Downloads the wheels that an example requires to the tools' directory, `wheels`.
pub(crate) fn pypi(example: &str) -> Result<()> {
    let requirements = machine::root().join(example).join("requirements.txt");
    unless_kept(&requirements, "wheels", |kept| {
        run(Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
            .args(["--no-deps", "--only-binary", ":all:", "--requirement"])
            .arg(&requirements)
            .arg("--dest")
            .arg(kept))
        .context("the example for Python wants python3 with pip")
    })
}

/// Fills a directory beside the tools, unless it was filled from the same list.
fn unless_kept(list: &Path, name: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let kept = dir()?.join(name);
    let made_from = kept.join("made-from");
    let wanted = fs::read_to_string(list)?;
    if fs::read_to_string(&made_from).is_ok_and(|made_from| made_from == wanted) {
        return Ok(());
    }
    eprintln!("downloading what {} lists to {}", list.display(), kept.display());
    fs::create_dir_all(&kept)?;
    fill(&kept)?;
    fs::write(made_from, wanted)?;
    Ok(())
}

/// An environment: its name, what is in it, and the program that tests start, if they do not start
/// its Python.
pub(crate) struct Venv {
    pub(crate) name: &'static str,
    /// A file that lists every package by its version, from the project's root.
    pub(crate) requirements: &'static str,
    pub(crate) program: Option<&'static str>,
}

impl Venv {
    /// Makes the environment, if it is not there as it should be, and puts its program beside the
    /// other tools.
    pub(crate) fn ensure(&self, root: &Path) -> Result<()> {
        let requirements = root.join(self.requirements);
        let wanted = fs::read_to_string(&requirements)?;
        let venv = dir()?.join("venv").join(self.name);
        let made = venv.join("made-from");
        if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
            return Ok(());
        }
        eprintln!("installing {} under {}", self.requirements, venv.display());
        let _ = fs::remove_dir_all(&venv);
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))
            .context("on Debian and Ubuntu, the package python3-venv is missing")?;
        run(Command::new(venv.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"])
            .args(["--no-deps", "--only-binary", ":all:", "--requirement"])
            .arg(&requirements))?;
        if let Some(program) = self.program {
            link(program, &venv.join("bin").join(program))?;
        }
        fs::write(made, wanted)?;
        Ok(())
    }
}

fn link(name: &str, program: &Path) -> Result<()> {
    let bin = dir()?.join("bin");
    fs::create_dir_all(&bin)?;
    let link = bin.join(name);
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(program, link)?;
    Ok(())
}
