//! Runs cargo for the guests' target: builds a package, and reads what its manifest says. An outer
//! cargo, such as that of a build script, does not influence it.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a package, and returns the file of its component.
pub(crate) fn build(root: &Path, guests: &Path, package: &str) -> Result<PathBuf> {
    let mut cargo = cargo(root);
    cargo.args(["build", "--quiet", "--package", package]);
    cargo.args(["--target", "wasm32-wasip2", "--profile", "guest", "--target-dir"]).arg(guests);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags(root));
    let built = cargo.status().context("cargo could not be started")?;
    if !built.success() {
        bail!(
            "{package} did not build; where the target is missing: rustup target add wasm32-wasip2"
        );
    }
    Ok(guests.join(format!("wasm32-wasip2/guest/{}.wasm", package.replace('-', "_"))))
}

/// A command of cargo in the workspace, without the environment of an outer cargo.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    // The flags, wrappers and targets of an outer cargo are meant for the host.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let kept = ["CARGO_HOME", "CARGO_NET_OFFLINE"].contains(&name.as_str());
        let others = [
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTFLAGS",
            "RUSTDOCFLAGS",
            "CLIPPY_ARGS",
        ];
        if (name.starts_with("CARGO_") && !kept) || others.contains(&name.as_str()) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// The version of the compiler that the workspace is built with.
pub(crate) fn rustc_version(root: &Path) -> Option<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).current_dir(root).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()?.split(' ').nth(1).map(str::to_owned)
}

/// Panics name sources by the same paths, wherever they are on this machine.
fn flags(root: &Path) -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let registry = home.map(|home| home.join("registry/src"));
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec![remap(root, "/beamlet")];
    flags.extend(registry.map(|from| remap(&from, "/crates")));
    flags.join("\x1f")
}

/// What the manifest of a package says. A component has no section for what it does not say.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, in semantic versioning.
    pub version: String,
    /// What it is, in a sentence.
    pub description: Option<String>,
    /// An SPDX expression.
    pub license: Option<String>,
    /// The URL of its sources.
    pub repository: Option<String>,
    /// The URL of its home page.
    pub homepage: Option<String>,
}

impl Package {
    /// A package of the workspace at `root`.
    pub(crate) fn of(root: &Path, name: &str) -> Result<Self> {
        let output = cargo(root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .context("cargo could not be started")?;
        if !output.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let workspace: Value = serde_json::from_slice(&output.stdout)?;
        let package = workspace["packages"]
            .as_array()
            .and_then(|packages| packages.iter().find(|package| package["name"] == name))
            .with_context(|| format!("{name} is not a package of the workspace"))?;
        let text = |name: &str| package[name].as_str().map(str::to_owned);
        Ok(Package {
            name: name.to_owned(),
            version: text("version").unwrap_or_default(),
            description: text("description"),
            license: text("license"),
            repository: text("repository"),
            homepage: text("homepage"),
        })
    }
}
