//! Virtual environments of Python with pinned packages, kept beside the other tools.

use crate::machine::run;
use crate::tools;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

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
        let venv = tools::dir()?.join("venv").join(self.name);
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
    let bin = tools::dir()?.join("bin");
    fs::create_dir_all(&bin)?;
    let link = bin.join(name);
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(program, link)?;
    Ok(())
}
