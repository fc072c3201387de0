//! The command line: commands, options, and their help.

use beamlet::config::{FailurePolicy, MaxFailures};
use beamlet_formats::{Compression, Delimiter, Format, OnConflict, UnknownType, ValueType};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

const EXIT_CODES: &str = "Exit codes:
  0  every row was written, or is a dead letter; the configuration is valid
  1  the run failed, or was stopped; the output file does not exist
  2  bad usage or configuration
  129, 130, 143  a second SIGHUP, SIGINT or SIGTERM";

const CONFORM_EXIT_CODES: &str = "Exit codes:
  0  no check failed
  1  a check failed
  2  bad usage or configuration, or the file is not a handler";

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
    Run(Box<Run>),
    /// Check a configuration and report every problem in it
    #[command(after_help = EXIT_CODES)]
    Validate(Validate),
    /// Ask the store whether a configuration is right, and which fields a run will add
    #[command(after_help = EXIT_CODES)]
    Check(Check),
    /// Test whether a handler keeps the promises of the contract
    #[command(after_help = CONFORM_EXIT_CODES)]
    Conform(Conform),
    /// Describe a handler: its name, its version, and the JSON Schema of its configuration
    #[command(after_help = EXIT_CODES)]
    Describe(Describe),
}

/// The handler, and where its compiled form is kept.
#[derive(Args, Debug)]
pub(crate) struct Handler {
    /// The handler, overriding `handler` of the configuration: `tecton`, which is built in, a
    /// component file, or one in a registry, by digest [default: tecton]
    #[arg(long, value_name = "tecton|FILE.wasm|oci://REGISTRY/NAME@sha256:…")]
    pub(crate) handler: Option<beamlet::load::Handler>,
    /// Where compiled and downloaded handlers are kept [default: beamlet in the user's cache
    /// directory]
    #[arg(long, env = "BEAMLET_CACHE_DIR", value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// `beamlet run`
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The configuration, TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Rows to enrich: a file, a directory or a pattern of files; - is standard input
    #[arg(long, default_value = "-", value_name = "FILE|DIR|GLOB|-")]
    pub(crate) input: PathBuf,
    /// Where enriched rows are written; - is standard output. A file appears when it is complete
    #[arg(long, default_value = "-", value_name = "FILE|-")]
    pub(crate) output: PathBuf,
    /// The input's format: ndjson, csv, parquet, arrow (file) or arrows (stream) [default: detected
    /// from the first bytes, otherwise from the extension; otherwise ndjson for standard input]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_format: Option<Format>,
    /// The output's format [default: from the extension; for standard output, the input's format]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_format: Option<Format>,
    /// How pipes are compressed: none, gzip or zstd. For files, the extension decides
    #[arg(long, value_name = "none|gzip|zstd")]
    pub(crate) compression: Option<Compression>,
    /// The cell of a CSV that means null
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub(crate) null: String,
    /// The delimiter of CSV, in the input and in the output: one byte, or tab [default: a comma]
    #[arg(long, value_name = "BYTE")]
    pub(crate) delimiter: Option<Delimiter>,
    /// The type of a field, if it cannot be inferred from the first values: string, int64, float64,
    /// boolean, timestamp, date or json
    #[arg(long = "type", value_name = "FIELD=TYPE", value_parser = field_type)]
    pub(crate) types: Vec<(String, ValueType)>,
    /// Bundles in flight at once, overriding `run.in_flight` of the configuration [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) in_flight: Option<u16>,
    /// Rows in a bundle, overriding `run.bundle_size` of the configuration [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) bundle_size: Option<u32>,
    /// Write rows in the order of the input; this is the default
    #[arg(long, conflicts_with = "unordered")]
    pub(crate) ordered: bool,
    /// Write rows as their bundles are done, so that a slow bundle does not delay others
    #[arg(long)]
    pub(crate) unordered: bool,
    /// What happens to rows that fail: the first one fails the run, or they are written without
    /// features
    #[arg(long, value_name = "fail|keep", conflicts_with = "dead_letter")]
    pub(crate) on_failure: Option<OnFailure>,
    /// Write rows that fail to this file, as NDJSON with the reason, and go on; - is standard
    /// output
    #[arg(long, value_name = "FILE|-")]
    pub(crate) dead_letter: Option<PathBuf>,
    /// How many rows may fail before the run fails, with --dead-letter or --on-failure keep: a
    /// number or a percentage [default with --dead-letter: 10%, after 1,000 rows]
    #[arg(long, value_name = "N|N%", value_parser = str::parse::<MaxFailures>)]
    pub(crate) max_failures: Option<MaxFailures>,
    /// What happens to a feature with the same name as a field of the row: the row's value is kept,
    /// the feature replaces it, the run fails, or the feature's name gets --suffix
    #[arg(long, value_name = "left|right|error|suffix")]
    pub(crate) on_conflict: Option<Conflict>,
    /// The text to append to the name of a feature that has the same name as a field of the row
    #[arg(long, value_name = "TEXT")]
    pub(crate) suffix: Option<String>,
    /// How long the rows of a bundle wait for more rows from a pipe, overriding
    /// `run.max_bundle_wait_ms` of the configuration [default: 200]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(0..=86_400_000))]
    pub(crate) max_bundle_wait_ms: Option<u32>,
    /// The longest allowed row of NDJSON or CSV, up to 1 GiB [default: 67108864]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub(crate) max_row_bytes: Option<u32>,
    /// The largest uncompressed size that an Arrow batch or a Parquet page may declare [default:
    /// 2147483648]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_batch_bytes: Option<u64>,
    /// Also write the summary as JSON; - is standard output
    #[arg(long, value_name = "FILE|-")]
    pub(crate) summary: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) observe: Observe,
    #[command(flatten)]
    pub(crate) handler: Handler,
}

/// Options for observing a run.
#[derive(Args, Debug)]
#[command(next_help_heading = "Observing")]
pub(crate) struct Observe {
    /// What is logged: error, warn, info, debug, or a filter as for RUST_LOG
    #[arg(long, env = "BEAMLET_LOG", default_value = "warn", value_name = "FILTER")]
    pub(crate) log: String,
    /// The format of the log
    #[arg(long, default_value = "text", value_name = "text|json")]
    pub(crate) log_format: LogFormat,
    /// Serve metrics for Prometheus at this address; port 0 takes a free port and prints it
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics_addr: Option<SocketAddr>,
    /// Send traces and metrics to an OpenTelemetry collector, over OTLP/HTTP
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,
    /// Show the progress of the run: a bar on a terminal and a line every 10 s elsewhere, such
    /// lines everywhere, or nothing
    #[arg(long, default_value = "auto", value_name = "auto|lines|never")]
    pub(crate) progress: ShowProgress,
}

/// The values of `--log-format`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines of text.
    Text,
    /// JSON objects.
    Json,
}

/// The values of `--progress`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ShowProgress {
    /// A bar on a terminal, lines elsewhere.
    Auto,
    /// Lines, even on a terminal.
    Lines,
    /// Nothing.
    Never,
}

/// The values of `--on-failure`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnFailure {
    /// The first one fails the run.
    Fail,
    /// They are written without features.
    Keep,
}

impl From<OnFailure> for FailurePolicy {
    fn from(policy: OnFailure) -> Self {
        match policy {
            OnFailure::Fail => FailurePolicy::Fail,
            OnFailure::Keep => FailurePolicy::Keep,
        }
    }
}

/// The values of `--on-conflict`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Conflict {
    /// The row's own value is kept.
    Left,
    /// The feature replaces it.
    Right,
    /// The run fails.
    Error,
    /// The feature's name gets a suffix.
    Suffix,
}

impl From<Conflict> for OnConflict {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Left => OnConflict::Left,
            Conflict::Right => OnConflict::Right,
            Conflict::Error => OnConflict::Error,
            Conflict::Suffix => OnConflict::Suffix(String::new()),
        }
    }
}

fn field_type(text: &str) -> Result<(String, ValueType), String> {
    let (field, name) = text.rsplit_once('=').ok_or("write it as FIELD=TYPE")?;
    if field.is_empty() {
        return Err("write it as FIELD=TYPE".to_owned());
    }
    let value_type = name.parse().map_err(|error: UnknownType| error.to_string())?;
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

/// `beamlet conform`
#[derive(Args, Debug)]
pub(crate) struct Conform {
    /// The handler: a component file, or `tecton`, which is built in
    #[arg(value_name = "FILE.wasm|tecton")]
    pub(crate) handler: Option<beamlet::load::Handler>,
    /// The configuration, TOML or JSON. The checks call the store that it names
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Rows to ask for, some of which the store knows: NDJSON, CSV, Parquet or Arrow [default:
    /// generated rows that no store knows]; - is standard input, NDJSON
    #[arg(long, value_name = "FILE|-")]
    pub(crate) keys: Option<PathBuf>,
    /// The cell of a CSV that means null
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub(crate) null: String,
    /// The number of rows for the check answers/many
    #[arg(long, default_value_t = beamlet_conform::Suite::MANY, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) rows: u32,
    /// Run only this check, or the checks of this group; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// List every check and its promise, and run none
    #[arg(long)]
    pub(crate) list: bool,
    /// Also write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Where compiled handlers are kept [default: beamlet in the user's cache directory]
    #[arg(long, env = "BEAMLET_CACHE_DIR", value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// `beamlet describe`
#[derive(Args, Debug)]
pub(crate) struct Describe {
    /// A configuration: with it, the fields that the handler reads from a row are shown, too
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print only the JSON Schema of the configuration
    #[arg(long, conflicts_with = "config")]
    pub(crate) schema: bool,
    #[command(flatten)]
    pub(crate) handler: Handler,
}
