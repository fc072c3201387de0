//! Programs of others that tests and checks run: pinned, and installed where they are missing.

use crate::machine::{self, cargo, run};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A program from crates.io, built with the fewest features that do.
pub(crate) struct Tool {
    /// The package.
    package: &'static str,
    /// The program.
    program: &'static str,
    version: &'static str,
    features: &'static [&'static str],
}

pub(crate) const CARGO_DENY: Tool =
    Tool { package: "cargo-deny", program: "cargo-deny", version: "0.20.2", features: &[] };

/// Of the version that the host is built with: a test holds them together.
pub(crate) const WASMTIME: Tool = Tool {
    package: "wasmtime-cli",
    program: "wasmtime",
    version: "48.0.8",
    features: &[
        "run",
        "serve",
        "cranelift",
        "component-model",
        // Without it, `serve` does not compile.
        "component-model-async",
        "wasi-http",
        "pooling-allocator",
        "parallel-compilation",
        "cache",
    ],
};

pub(crate) const WAC: Tool =
    Tool { package: "wac-cli", program: "wac", version: "0.12.0", features: &[] };

/// What publishes components to a registry, and pulls them.
pub(crate) const WKG: Tool =
    Tool { package: "wkg", program: "wkg", version: "0.16.1", features: &[] };

pub(crate) const WASM_TOOLS: Tool = Tool {
    package: "wasm-tools",
    program: "wasm-tools",
    version: "1.263.0",
    features: &["component", "metadata", "print", "validate"],
};

impl Tool {
    /// Where the program is; installs it if it is not there.
    pub(crate) fn ensure(&self) -> Result<PathBuf> {
        let Tool { package, program, version, features } = self;
        let root = dir()?;
        let binary = root.join("bin").join(program);
        let told = Command::new(&binary).arg("--version").output();
        if told.is_ok_and(|told| String::from_utf8_lossy(&told.stdout).contains(version)) {
            return Ok(binary);
        }
        eprintln!("installing {package} {version} under {}", root.display());
        run(cargo(&["install", package, "--version", version, "--locked", "--force"])
            .args(["--no-default-features", "--features", &features.join(",")])
            .arg("--root")
            .arg(&root)
            // One directory for all: what they have in common is built once.
            .arg("--target-dir")
            .arg(machine::target_dir().join("tools")))
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
