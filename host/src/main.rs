//! `beamlet`: enriches rows from a feature store, through a sandboxed handler.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match cli::execute(arguments) {
        Ok(code) => code,
        Err(error) => {
            cli::say(format_args!("error: {error}"));
            cli::Failure::of(&error).into()
        }
    }
}
