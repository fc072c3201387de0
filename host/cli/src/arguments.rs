//! What can be typed, and its help.

use beamlet::config::{FailurePolicy, MaxFailures};
use beamlet_formats::{Compression, Delimiter, Format, OnConflict, RowsError, ValueType};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

const EXIT_CODES: &str = "Exit codes:
  0  every row was written, or is a dead letter; the configuration is valid
  1  the run failed, or was stopped; nothing stands under the output's name
  2  bad usage or configuration
  129, 130, 143  a second SIGHUP, SIGINT or SIGTERM";

const CONFORM_EXIT_CODES: &str = "Exit codes:
  0  every promise that could be looked at is kept
  1  a check failed
  2  bad usage or configuration, or no handler component";

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
    /// Check a configuration and tell every problem that it has
    #[command(after_help = EXIT_CODES)]
    Validate(Validate),
    /// Ask the store whether a configuration fits it, and which fields will come out
    #[command(after_help = EXIT_CODES)]
    Check(Check),
    /// Hold a handler to the promises of the contract, and tell which it keeps
    #[command(after_help = CONFORM_EXIT_CODES)]
    Conform(Conform),
    /// Tell what a handler is: name, version, and what its configuration may hold
    #[command(after_help = EXIT_CODES)]
    Describe(Describe),
}

/// Which handler, and where it is kept when compiled.
#[derive(Args, Debug)]
pub(crate) struct Handler {
    /// The handler, over `handler` of the configuration: `tecton`, which is built in, a component's
    /// file, or one in a registry, by digest [default: tecton]
    #[arg(long, value_name = "tecton|FILE.wasm|oci://REGISTRY/NAME@sha256:…")]
    pub(crate) handler: Option<beamlet::load::Handler>,
    /// Where handlers are kept, compiled and as they were pulled [default: beamlet in the user's
    /// cache directory]
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
    /// Where enriched rows go; - is standard output. A file appears when it is complete
    #[arg(long, default_value = "-", value_name = "FILE|-")]
    pub(crate) output: PathBuf,
    /// The input's format: ndjson, csv, parquet, arrow (file) or arrows (stream) [default: by its
    /// first bytes or its extension; else ndjson of standard input]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) input_format: Option<Format>,
    /// The output's format [default: by its extension; the input's to standard output]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_format: Option<Format>,
    /// How pipes are packed: none, gzip or zstd. Files are as their extension says
    #[arg(long, value_name = "none|gzip|zstd")]
    pub(crate) compression: Option<Compression>,
    /// The cell of a CSV that stands for null
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub(crate) null: String,
    /// What separates the cells of a CSV, in the input and in the output: one byte, or tab
    /// [default: a comma]
    #[arg(long, value_name = "BYTE")]
    pub(crate) delimiter: Option<Delimiter>,
    /// The type of a field, where its first values do not tell: string, int64, float64, boolean,
    /// timestamp, date or json
    #[arg(long = "type", value_name = "FIELD=TYPE", value_parser = field_type)]
    pub(crate) types: Vec<(String, ValueType)>,
    /// Bundles in flight at once, over `run.in_flight` of the configuration [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) in_flight: Option<u16>,
    /// Rows of a bundle, over `run.bundle_size` of the configuration [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) bundle_size: Option<u32>,
    /// Rows come out in the order in which they came in; this is the default
    #[arg(long, conflicts_with = "unordered")]
    pub(crate) ordered: bool,
    /// Rows come out as their bundles are done: one that is slow holds up no other
    #[arg(long)]
    pub(crate) unordered: bool,
    /// What becomes of rows that fail: the first one fails the run, or they come out without
    /// features
    #[arg(long, value_name = "fail|keep", conflicts_with = "dead_letter")]
    pub(crate) on_failure: Option<OnFailure>,
    /// Write rows that fail there, as NDJSON with why, and go on; - is standard output
    #[arg(long, value_name = "FILE|-")]
    pub(crate) dead_letter: Option<PathBuf>,
    /// How many rows may fail before the run does, with --dead-letter or --on-failure keep: so
    /// many, or a share of them [default with --dead-letter: 10%, after 1,000 rows]
    #[arg(long, value_name = "N|N%", value_parser = str::parse::<MaxFailures>)]
    pub(crate) max_failures: Option<MaxFailures>,
    /// What happens to a feature whose name a row has itself: the row's own value stays, the
    /// feature takes its place, the run fails, or the feature's name gets --suffix
    #[arg(long, value_name = "left|right|error|suffix")]
    pub(crate) on_conflict: Option<Conflict>,
    /// What goes behind the name of a feature that a row has itself
    #[arg(long, value_name = "TEXT")]
    pub(crate) suffix: Option<String>,
    /// How long the rows of a bundle wait for others on a pipe, over `run.max_bundle_wait_ms` of the
    /// configuration [default: 200]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(0..=86_400_000))]
    pub(crate) max_bundle_wait_ms: Option<u32>,
    /// The longest row of NDJSON or CSV, up to 1 GiB [default: 67108864]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub(crate) max_row_bytes: Option<u32>,
    /// The largest batch of Arrow or page of Parquet, as it says of itself and before there is room
    /// for it [default: 2147483648]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_batch_bytes: Option<u64>,
    /// Write the summary as JSON, too; - is standard output
    #[arg(long, value_name = "FILE|-")]
    pub(crate) summary: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) observe: Observe,
    #[command(flatten)]
    pub(crate) handler: Handler,
}

/// What is seen of a run from outside.
#[derive(Args, Debug)]
#[command(next_help_heading = "Observing")]
pub(crate) struct Observe {
    /// What is logged: error, warn, info, debug, or as RUST_LOG has it
    #[arg(long, env = "BEAMLET_LOG", default_value = "warn", value_name = "FILTER")]
    pub(crate) log: String,
    /// How it is logged
    #[arg(long, default_value = "text", value_name = "text|json")]
    pub(crate) log_format: LogFormat,
    /// Serve metrics for Prometheus there; port 0 takes a free one, and tells it
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics_addr: Option<SocketAddr>,
    /// Send traces and metrics to an OpenTelemetry collector, over OTLP/HTTP
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,
    /// Show how far the run has come: a bar on a terminal and a line each 10 s elsewhere, such
    /// lines everywhere, or nothing
    #[arg(long, default_value = "auto", value_name = "auto|lines|never")]
    pub(crate) progress: ShowProgress,
}

/// What `--log-format` may say.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for a person.
    Text,
    /// An object for a program.
    Json,
}

/// What `--progress` may say.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ShowProgress {
    /// As the place allows.
    Auto,
    /// Lines, also on a terminal.
    Lines,
    /// Nothing.
    Never,
}

/// What `--on-failure` may say.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnFailure {
    /// The first one fails the run.
    Fail,
    /// They come out without features.
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

/// What `--on-conflict` may say.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Conflict {
    /// The row's own value stays.
    Left,
    /// The feature takes its place.
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

/// `beamlet conform`
#[derive(Args, Debug)]
pub(crate) struct Conform {
    /// The handler: a component's file, or `tecton`, which is built in
    #[arg(value_name = "FILE.wasm|tecton")]
    pub(crate) handler: Option<beamlet::load::Handler>,
    /// The configuration, TOML or JSON: the checks ask the store that it names
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Rows to ask for, some of which the store knows: NDJSON, CSV, Parquet or Arrow [default:
    /// made ones, that no store knows]; - is standard input, NDJSON
    #[arg(long, value_name = "FILE|-")]
    pub(crate) keys: Option<PathBuf>,
    /// The cell of a CSV that stands for null
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub(crate) null: String,
    /// Rows of the check with very many
    #[arg(long, default_value_t = beamlet_conform::Suite::MANY, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) rows: u32,
    /// Make only this check, or the checks of this group; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Tell every check and its promise, and make none
    #[arg(long)]
    pub(crate) list: bool,
    /// Write the report as JSON, too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Where compiled handlers are kept [default: beamlet in the user's cache directory]
    #[arg(long, env = "BEAMLET_CACHE_DIR", value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
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
