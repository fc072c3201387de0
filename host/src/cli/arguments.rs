//! What can be typed, and its help.

use beamlet_rows::{Format, RowsError, ValueType};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXIT_CODES: &str = "Exit codes:
  0  all rows were written; the configuration is valid
  1  the run failed; nothing stands under the output's name
  2  bad usage or configuration";

/// Enriches rows from a feature store, through a sandboxed WebAssembly handler.
#[derive(Debug, Parser)]
#[command(name = "beamlet", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Enrich the rows of a file or a pipe
    #[command(after_help = EXIT_CODES)]
    Run(Run),
    /// Check a configuration and tell every problem that it has
    #[command(after_help = EXIT_CODES)]
    Validate(Validate),
    /// Ask the store whether a configuration fits it, and which fields will come out
    #[command(after_help = EXIT_CODES)]
    Check(Check),
    /// Tell what a handler is: name, version, and what its configuration may hold
    #[command(after_help = EXIT_CODES)]
    Describe(Describe),
}

/// Which handler, and where it is kept when compiled.
#[derive(Args, Debug)]
pub(crate) struct Handler {
    /// The handler: `tecton`, which is built in, or a component's file
    #[arg(long, default_value = "tecton", value_name = "tecton|FILE.wasm")]
    pub(crate) handler: String,
    /// Where compiled handlers are kept [default: beamlet in the user's cache directory]
    #[arg(long, env = "BEAMLET_CACHE_DIR", value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// `beamlet run`
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The configuration, TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Rows to enrich; - is standard input
    #[arg(long, default_value = "-", value_name = "FILE|-")]
    pub(crate) input: PathBuf,
    /// Where enriched rows go; - is standard output. A file appears when it is complete
    #[arg(long, default_value = "-", value_name = "FILE|-")]
    pub(crate) output: PathBuf,
    /// The input's format [default: by its extension; ndjson of standard input]
    #[arg(long, value_name = "ndjson|csv")]
    pub(crate) input_format: Option<Format>,
    /// The output's format [default: by its extension; the input's to standard output]
    #[arg(long, value_name = "ndjson|csv")]
    pub(crate) output_format: Option<Format>,
    /// The cell of a CSV that stands for null
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub(crate) null: String,
    /// The type of a field, where its first values do not tell: string, int64, float64 or boolean
    #[arg(long = "type", value_name = "FIELD=TYPE", value_parser = field_type)]
    pub(crate) types: Vec<(String, ValueType)>,
    /// Bundles in flight at once, over `run.in_flight` of the configuration [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) in_flight: Option<u16>,
    /// Rows of a bundle, over `run.bundle_size` of the configuration [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) bundle_size: Option<u32>,
    /// Write the summary as JSON, too
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) handler: Handler,
}

fn field_type(text: &str) -> Result<(String, ValueType), String> {
    let (field, name) = text.rsplit_once('=').ok_or("write it as FIELD=TYPE")?;
    let value_type = name.parse().map_err(|error: RowsError| error.to_string())?;
    Ok((field.to_owned(), value_type))
}

/// `beamlet validate`
#[derive(Args, Debug)]
pub(crate) struct Validate {
    /// The configuration, TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) handler: Handler,
}

/// `beamlet check`
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The configuration, TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) handler: Handler,
}

/// `beamlet describe`
#[derive(Args, Debug)]
pub(crate) struct Describe {
    /// A configuration: then the fields that the handler reads from a row are told, too
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Only the JSON Schema of the configuration
    #[arg(long, conflicts_with = "config")]
    pub(crate) schema: bool,
    #[command(flatten)]
    pub(crate) handler: Handler,
}
