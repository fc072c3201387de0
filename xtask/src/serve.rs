//! `wasmtime serve` as a process that ends with this one.

use crate::machine::{self, WASMTIME};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A component that is being served; dropped, it is gone.
pub(crate) struct Serve {
    child: Child,
    url: String,
}

impl Serve {
    /// Serves a component on a free port, with an environment and more options.
    pub(crate) fn start(
        component: &Path,
        environment: &[(&str, &str)],
        options: &[&str],
    ) -> Result<Self> {
        let mut command = Command::new(machine::built(WASMTIME)?);
        command.args(["serve", "-S", "cli", "--addr", "127.0.0.1:0"]).args(options);
        for (name, value) in environment {
            command.args(["--env", name]).env(name, value);
        }
        command.arg(component).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("wasmtime could not be started")?;
        let stderr = child.stderr.take().context("wasmtime has no standard error")?;
        let mut serve = Serve { child, url: String::new() };
        let mut lines = BufReader::new(stderr).lines();
        for line in lines.by_ref() {
            let line = line?;
            if let Some(url) = line.strip_prefix("Serving HTTP on ") {
                serve.url = url.trim_end_matches('/').to_owned();
                // What it says later is a line a request, and has to be taken.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(serve);
            }
            eprintln!("{line}");
        }
        bail!("wasmtime serve did not say where it listens")
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
