//! `cargo xtask …`: the two commands of the README, and commands for CI and benchmarks.

mod bench;
mod check;
mod components;
mod demo;
mod dist;
mod emulator;
mod fuzz;
mod interop;
mod load;
mod machine;
mod runners;
mod serve;
mod test;
mod timings;
mod tools;
mod wheel;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    /// Print at the end how long each step took
    #[arg(long, global = true)]
    timings: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Enrich a sample of the flights of 2013 with their planes, against the emulator
    Demo(demo::Options),
    /// Run every test of the project itself
    Test,
    /// Run the tests of the components outside this host, with programs of other projects
    Interop,
    /// Run the tests of the Python wheel, Apache Beam's among them
    Python,
    /// Build the Python wheel: target/wheels/beamlet-*.whl
    Wheel(wheel::Options),
    /// Build the binary to deploy, stripped, with its symbols in a separate file
    Dist,
    /// Check format, lints, documentation, and the licences and advisories of dependencies
    Check,
    /// Fuzz the readers of files, bodies and responses
    Fuzz(fuzz::Options),
    /// Build the components as files: target/components/tecton.wasm and edge.wasm
    Components,
    /// Plug a handler into the edge: target/components/tecton-edge.wasm
    Compose(components::Composition),
    /// Measure the handler as a component against the same logic compiled natively
    Bench(bench::Options),
    /// Put the edge under load, compared with a component that only answers one word
    Load(load::Options),
}

fn main() -> ExitCode {
    let Arguments { timings, command } = Arguments::parse();
    let done = components::note_revision().and_then(|()| match command {
        Command::Demo(options) => demo::demo(&options),
        Command::Test => test::test(),
        Command::Interop => interop::interop(),
        Command::Python => wheel::python(),
        Command::Wheel(options) => wheel::wheel(&options),
        Command::Dist => dist::dist(),
        Command::Check => check::check(),
        Command::Fuzz(options) => fuzz::fuzz(&options),
        Command::Components => components::components(),
        Command::Compose(composition) => components::compose(&composition),
        Command::Bench(options) => bench::bench(&options),
        Command::Load(options) => load::load(&options),
    });
    if timings {
        timings::print();
    }
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
