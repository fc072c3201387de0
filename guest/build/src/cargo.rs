//! A cargo inside cargo, which builds for the guests' target and knows nothing of the outer one.

use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a package; the file that cargo made of it.
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

/// Cargo, in the workspace.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    // What the outer cargo says of flags, wrappers and targets is about the host.
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
    let told = Command::new(rustc).current_dir(root).arg("--version").output().ok()?;
    String::from_utf8(told.stdout).ok()?.split(' ').nth(1).map(str::to_owned)
}

/// Where sources lie is the machine's own: panics name them by the same paths everywhere.
fn flags(root: &Path) -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let registry = home.map(|home| home.join("registry/src"));
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec![remap(root, "/beamlet")];
    flags.extend(registry.map(|from| remap(&from, "/crates")));
    flags.join("\x1f")
}
