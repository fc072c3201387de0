//! Beam's runners that are programs of their own, for the tests of the wheel: kept beside the other tools.

use crate::machine::{self, run};
use crate::timings::step;
use crate::tools;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Beam's Prism, by Go.
const PRISM: &str = "github.com/apache/beam/sdks/v2/go/cmd/prism";
const PRISM_VERSION: &str = "v2.77.0";
/// Flink's jars, as PyPI has them.
const FLINK: &str = "apache-flink-libraries";
const FLINK_VERSION: &str = "1.19.3";
/// What the job server is put together from.
const JOB_SERVER: &str = "python/tests/flink-job-server.pom.xml";
const COPY_DEPENDENCIES: &str =
    "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";

/// The program, installed where it is missing.
pub(crate) fn prism() -> Result<PathBuf> {
    let folder = tools::dir()?.join(format!("prism-{PRISM_VERSION}"));
    let program = folder.join("prism");
    if !program.exists() {
        eprintln!("installing prism {PRISM_VERSION} under {}", folder.display());
        let mut go = Command::new("go");
        go.arg("install").arg(format!("{PRISM}@{PRISM_VERSION}")).env("GOBIN", &folder);
        step("install Prism", || run(&mut go))?;
    }
    Ok(program)
}

/// A folder of the jars of a cluster, `lib`, of Flink's own tools, `bin`, and of Beam's job server,
/// `job-server`.
pub(crate) fn flink() -> Result<PathBuf> {
    let pom = machine::root().join(JOB_SERVER);
    let folder = tools::dir()?.join(format!("flink-{FLINK_VERSION}"));
    let (made, wanted) = (folder.join("made-from"), fs::read_to_string(&pom)?);
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return Ok(folder);
    }
    eprintln!("installing Flink {FLINK_VERSION} under {}", folder.display());
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    step("install Flink", || cluster(&folder))?;
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", COPY_DEPENDENCIES, "-f"]).arg(&pom);
    maven.arg(format!("-DoutputDirectory={}", folder.join("job-server").display()));
    step("install Beam's job server for Flink", || run(&mut maven))?;
    fs::write(made, wanted)?;
    Ok(folder)
}

/// The archive is not a package to install: it would want a build of its own.
fn cluster(folder: &Path) -> Result<()> {
    let name = format!("{}-{FLINK_VERSION}.tar.gz", FLINK.replace('-', "_"));
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--no-binary", FLINK, "--dest"]).arg(folder);
    pip.arg(format!("{FLINK}=={FLINK_VERSION}"));
    run(&mut pip)?;
    let archive = fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "gz"))
        .with_context(|| format!("pip downloaded no {name}"))?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).arg("-C").arg(folder).args(["--wildcards"]);
    tar.args(["--strip-components=2", "*/deps/lib", "*/deps/bin"]);
    run(&mut tar)?;
    fs::remove_file(archive)?;
    Ok(())
}
