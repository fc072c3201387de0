//! `beamlet`: enriches rows from a feature store, through a sandboxed handler.

mod arguments;
mod conform;
mod failure;
mod files;
mod inspect;
mod loaded;
mod observe;
mod pipeline;
mod run;
mod trust;

use arguments::{Arguments, Command};
use clap::Parser;
use failure::ExitKind;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(arguments) {
        Ok(code) => code,
        Err(error) => {
            say(format_args!("error: {error}"));
            ExitKind::of(&error).into()
        }
    }
}

/// Prints a line. A closed pipe (`| head`) is not an error.
fn print(line: impl std::fmt::Display) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("standard output: cannot be written: {error}"))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error. If that fails, the command goes on.
pub(crate) fn say(line: impl std::fmt::Display) {
    // One call, so that lines of several threads do not mingle.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Runs the command.
fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        match arguments.command {
            Command::Run(arguments) => run::run(*arguments).await,
            Command::Check(arguments) => inspect::check(arguments).await,
            Command::Validate(arguments) => inspect::validate(arguments).await,
            Command::Conform(arguments) => conform::conform(arguments).await,
            Command::Describe(arguments) => inspect::describe(arguments).await,
        }
    });
    // A thread may still be waiting for standard input; do not wait for it.
    runtime.shutdown_background();
    ended
}
