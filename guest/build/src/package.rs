//! What a package says of itself, as cargo reads it.

use crate::cargo::cargo;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::Path;

/// A package's own words. What it does not say is absent in its component, too.
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
        let told = cargo(root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .context("cargo could not be started")?;
        if !told.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&told.stderr).trim());
        }
        let workspace: Value = serde_json::from_slice(&told.stdout)?;
        let package = workspace["packages"]
            .as_array()
            .and_then(|packages| packages.iter().find(|package| package["name"] == name))
            .with_context(|| format!("{name} is no package of the workspace"))?;
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
