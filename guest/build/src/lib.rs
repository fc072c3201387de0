//! Makes a component of a handler's package: builds it with cargo, and stamps it with metadata.
//!
//! The host's build script, `cargo xtask` and the tests all call this, so that the component
//! that is built in, the one in a file and the one in a registry are the same bytes.

mod cargo;
mod stamp;

pub use beamlet_revision as revision;
pub use cargo::Package;
pub use stamp::{Origin, stamp};

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Builds a package of the workspace at `root` as a component, stamps it, and returns its file in
/// `guests`, which is named like the package.
///
/// `guests` is a target directory of its own, by convention `guests` in the outer one: an outer cargo
/// holds the lock on its own target directory.
///
/// # Errors
/// The package does not build, or is not one of the workspace.
pub fn component(root: &Path, guests: &Path, package: &str) -> Result<PathBuf> {
    let built = cargo::build(root, guests, package)?;
    let bytes = fs::read(&built).with_context(|| format!("{} cannot be read", built.display()))?;
    let described = Package::of(root, package)?;
    let origin = Origin { revision: beamlet_revision::of(root), rustc: cargo::rustc_version(root) };
    let stamped = stamp(&bytes, &described, &origin)?;
    let directory = guests.join("components");
    fs::create_dir_all(&directory)?;
    let file = directory.join(format!("{package}.wasm"));
    write(&file, &stamped)?;
    Ok(file)
}

/// Writes a file, unless it has the same content already: build tools look at its time.
fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    fs::write(file, bytes).with_context(|| format!("{} cannot be written", file.display()))
}
