//! The Tecton emulator as a process that ends with this one, however this one ends.

use crate::machine::{self, EMULATOR};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running emulator; dropped, it is gone.
pub(crate) struct Emulator {
    child: Child,
    url: String,
}

/// What the emulator counted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Stats {
    pub(crate) connections: u64,
    pub(crate) requests: u64,
    pub(crate) most_at_once: u64,
}

impl Emulator {
    /// Starts it on a free port with a feature repository.
    pub(crate) fn start(repository: &Path, options: &[&str]) -> Result<Self> {
        let mut child = Command::new(machine::binary(EMULATOR))
            .arg("--repository")
            .arg(repository)
            // It ends when its standard input does: when this process is gone.
            .arg("--exit-with-stdin")
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the emulator could not be started")?;
        let stdout = child.stdout.take().context("the emulator has no standard output")?;
        let mut emulator = Emulator { child, url: String::new() };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        match line.trim().strip_prefix("listening on ") {
            Some(url) => emulator.url = url.to_owned(),
            None => bail!("the emulator did not say where it listens: {line:?}"),
        }
        Ok(emulator)
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it has counted since the last reset.
    pub(crate) fn stats(&self) -> Result<Stats> {
        let answer = self.ask("GET", "/_emulator/stats")?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        serde_json::from_str(body).with_context(|| format!("no statistics: {answer:?}"))
    }

    /// Sets its counts to zero.
    pub(crate) fn reset(&self) -> Result<()> {
        self.ask("POST", "/_emulator/reset").map(drop)
    }

    fn ask(&self, method: &str, path: &str) -> Result<String> {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
