//! What examples take from npm and PyPI, kept beside the tools: their tests install it from there.

use crate::machine::{self, run};
use crate::tools;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

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
    let kept = tools::dir()?.join(name);
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
