//! `beamlet`: enriches rows from a feature store, through a sandboxed handler.

mod arguments;
mod check;
mod conform;
mod describe;
mod failure;
mod loaded;
mod observe;
mod pipeline;
mod report_file;
mod run;
mod touched;
mod trust;
mod validate;

use arguments::{Arguments, Command};
use clap::Parser;
use failure::Failure;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(arguments) {
        Ok(code) => code,
        Err(error) => {
            say(format_args!("error: {error}"));
            Failure::of(&error).into()
        }
    }
}

/// Prints a line. A reader that has gone (`| head`) has read what it wanted.
fn print(line: impl std::fmt::Display) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("standard output: cannot be written: {error}"))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error. Where that is closed or full nobody reads it, and a command
/// does its work all the same.
pub(crate) fn say(line: impl std::fmt::Display) {
    // One call, so that lines of several threads do not mingle.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Does what the command says.
fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        match arguments.command {
            Command::Run(arguments) => run::run(*arguments).await,
            Command::Check(arguments) => check::check(arguments).await,
            Command::Validate(arguments) => validate::validate(arguments).await,
            Command::Conform(arguments) => conform::conform(arguments).await,
            Command::Describe(arguments) => describe::describe(arguments).await,
        }
    });
    // A thread may wait for standard input: nobody waits for it any more.
    runtime.shutdown_background();
    ended
}
