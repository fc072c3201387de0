//! A Redis for the tests of the shared cache.

use crate::machine::run;
use anyhow::Result;
use std::process::{Command, Stdio};

/// What the tests with one begin with.
pub(crate) const TESTS: &str = "redis::";

/// The server, or what Debian's `redis-tools` has it as.
const SERVERS: [&str; 2] = ["redis-server", "redis-check-rdb"];

/// Whether there is a server; where Debian's packages can be installed, there is.
pub(crate) fn ensure() -> Result<bool> {
    if is_there() {
        return Ok(true);
    }
    if !is_root() || !answers("apt-get", &["--version"]) {
        return Ok(false);
    }
    eprintln!("installing redis-tools");
    let install = || {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--no-install-recommends", "redis-tools"]);
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

fn is_there() -> bool {
    SERVERS.iter().any(|server| answers(server, &["--version"]))
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
