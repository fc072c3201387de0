//! Programs of others that tests and checks run: pinned, and installed where they are missing.

use crate::machine::{cargo, run};
use crate::timings::step;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::{Command, Stdio};

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
