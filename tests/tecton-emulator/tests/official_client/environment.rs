//! The Python environment with Tecton's client: made once, in a folder that is kept between runs.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The oldest Python for which the packages are.
const OLDEST: (u32, u32) = (3, 10);

/// Why there is no environment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error(
        "`{0}` is not there; install Python {oldest} or newer, and have it in the PATH",
        oldest = version_text(OLDEST)
    )]
    NoPython(String),
    #[error("Python is {0}; install {oldest} or newer", oldest = version_text(OLDEST))]
    OldPython(String),
    #[error(
        "`python3 -m venv` fails; install the venv module (on Debian and Ubuntu, the package \
         python3-venv). It says:\n{0}"
    )]
    NoVenv(String),
    #[error(
        "pip cannot install {requirements}; let it reach a package registry (PyPI, or a mirror \
         by PIP_INDEX_URL) once: the packages are kept for later runs. It says:\n{output}"
    )]
    NoPackages { requirements: String, output: String },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The interpreter of an environment that has what `requirements` lists.
pub(crate) fn python(requirements: &Path) -> Result<PathBuf, Problem> {
    let installation = installation("python3")?;
    let made_from = format!("{installation}\n{}", fs::read_to_string(requirements)?);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("official-client");
    let python = folder.join("bin/python");
    make_once(&folder, &made_from, || {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output()?;
        printed(made).map_err(Problem::NoVenv)?;
        install(&python, requirements, &[])
    })?;
    Ok(python)
}

/// Version and place of a Python that is new enough: an environment is of no use to another one.
fn installation(python: &str) -> Result<String, Problem> {
    let script = "import platform, sys; print(platform.python_version(), 'in', sys.base_prefix)";
    let ran =
        Command::new(python).args(["-c", script]).output().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Problem::NoPython(python.to_owned()),
            _ => Problem::Io(error),
        })?;
    let installation = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
    let mut numbers = installation.split('.').map_while(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST => Ok(installation),
        _ => Err(Problem::OldPython(installation)),
    }
}

/// Every package is pinned by version and hash, so that pip takes these and no others.
fn install(python: &Path, requirements: &Path, more: &[&str]) -> Result<(), Problem> {
    let installed = Command::new(python)
        .args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check"])
        .args(["--require-hashes", "--only-binary", ":all:", "--requirement"])
        .arg(requirements)
        .args(more)
        .output()?;
    printed(installed).map_err(|output| Problem::NoPackages {
        requirements: requirements.display().to_string(),
        output,
    })
}

/// What a command that failed has said.
fn printed(ran: Output) -> Result<(), String> {
    match ran.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned()),
    }
}

fn version_text((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

/// The file in the folder that says what it was made from. It is written last: a folder that has it
/// is whole.
const STAMP: &str = "made-from.txt";

/// Makes `folder` with `make`, unless it is there and was made from the same.
fn make_once<E: From<io::Error>>(
    folder: &Path,
    made_from: &str,
    make: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    fs::create_dir_all(folder.parent().unwrap_or(folder))?;
    // Held until the end.
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock()?;
    let stamp = folder.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == made_from) {
        return Ok(());
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    make()?;
    fs::write(stamp, made_from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_python_the_failure_says_what_to_install() {
        let problem = installation("no-such-python").unwrap_err().to_string();
        assert!(
            problem.contains("`no-such-python` is not there; install Python 3.10"),
            "{problem}"
        );
    }

    #[test]
    fn without_a_registry_the_failure_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let requirements = folder.path().join("requirements.txt");
        let hash = "0".repeat(64);
        fs::write(&requirements, format!("beamlet-is-no-package==1 --hash=sha256:{hash}\n"))
            .unwrap();
        let python = python(&crate::folder().join("requirements.txt")).unwrap();
        let problem = install(&python, &requirements, &["--no-index"]).unwrap_err().to_string();
        assert!(problem.contains("let it reach a package registry"), "{problem}");
        assert!(problem.contains("beamlet-is-no-package"), "{problem}");
    }

    /// Makes a folder with one file in it.
    fn with_file(path: &Path, name: &str) -> io::Result<()> {
        fs::create_dir(path)?;
        fs::write(path.join(name), "")
    }

    #[test]
    fn a_folder_is_made_once() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        make_once(&path, "x", || with_file(&path, "first")).unwrap();
        make_once(&path, "x", || with_file(&path, "second")).unwrap();
        assert!(path.join("first").exists());
    }

    #[test]
    fn a_half_made_folder_is_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        let stopped = || with_file(&path, "half").and(Err(io::Error::other("stopped")));
        make_once(&path, "x", stopped).unwrap_err();
        make_once(&path, "x", || with_file(&path, "whole")).unwrap();
        assert!(path.join("whole").exists());
        assert!(!path.join("half").exists());
    }

    #[test]
    fn a_folder_made_from_something_else_is_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        make_once(&path, "old", || with_file(&path, "old")).unwrap();
        make_once(&path, "new", || with_file(&path, "new")).unwrap();
        assert!(path.join("new").exists());
        assert!(!path.join("old").exists());
    }
}
