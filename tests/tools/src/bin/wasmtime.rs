//! The wasmtime command line: the commands `run` and `serve` of the crate `wasmtime-cli`, parsed
//! by that crate's own types.

use clap::{Parser, Subcommand};
use wasmtime_cli::commands::{RunCommand, ServeCommand};

/// Runs components.
#[derive(Parser)]
#[command(name = "wasmtime")]
struct Wasmtime {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a component, or a function of one
    Run(RunCommand),
    /// Serves a component that exports wasi:http
    Serve(ServeCommand),
}

fn main() -> wasmtime::Result<()> {
    match Wasmtime::parse().command {
        Command::Run(run) => run.execute(),
        Command::Serve(serve) => serve.execute(),
    }
}
