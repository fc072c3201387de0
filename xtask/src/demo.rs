//! `cargo xtask demo`: from nothing to enriched rows.

use crate::emulator::Emulator;
use crate::machine::{self, BEAMLET, EMULATOR};
use crate::timings::step;
use crate::wheel;
use anyhow::{Context, Result, bail};
use comfy_table::{Table, presets};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// What the table shows of a row: of a flight's 19 fields and its plane's 8, the telling ones.
const SHOWN: [&str; 9] = [
    "carrier",
    "flight",
    "origin",
    "dest",
    "tailnum",
    "planes.manufacturer",
    "planes.model",
    "planes.year",
    "planes.seats",
];

/// How many rows it shows.
const ROWS: usize = 10;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Through a pipeline of Apache Beam, with the wheel in a fresh virtual environment
    #[arg(long)]
    beam: bool,
}

/// Builds what it runs, enriches the sample, and shows what came out.
pub(crate) fn demo(options: &Options) -> Result<()> {
    machine::ensure_target()?;
    if options.beam {
        return beam();
    }
    eprintln!("building the handler as a component, the host and the emulator, in release");
    eprintln!("(the first build takes minutes: it compiles wasmtime)");
    machine::build(&[BEAMLET, EMULATOR])?;
    step("enrich the sample", enrich)
}

/// Enriches the sample against an emulator of its own, and prints what came out.
fn enrich() -> Result<()> {
    let directory = machine::target_dir().join("demo");
    fs::create_dir_all(&directory)?;
    let emulator = Emulator::start(&machine::root().join("data/tecton-repository.toml"), &[])?;
    let config = directory.join("beamlet.toml");
    fs::write(&config, configuration(emulator.url()))?;
    let output = directory.join("enriched.ndjson");
    let summary = directory.join("summary.json");

    let mut beamlet = Command::new(machine::binary(BEAMLET));
    beamlet
        .args(["run", "--null", "NA", "--input"])
        .arg(machine::root().join("data/flights-sample.csv"))
        .arg("--config")
        .arg(&config)
        .arg("--output")
        .arg(&output)
        .arg("--summary")
        .arg(&summary)
        .env("TECTON_API_KEY", "demo-key")
        .stderr(Stdio::piped());
    let ran = beamlet.output().context("beamlet could not be started")?;
    if !ran.status.success() {
        bail!("beamlet failed:\n{}", String::from_utf8_lossy(&ran.stderr));
    }
    drop(emulator);

    println!("{}\n", table(&output, str::to_owned)?);
    println!("{}", counts(&summary, &output, &config)?);
    Ok(())
}

/// The same flights through a pipeline: `examples/beam/enrich.py`.
fn beam() -> Result<()> {
    eprintln!("building the wheel and the emulator, in release");
    machine::build(&[EMULATOR])?;
    let wheel = wheel::quick()?;
    let directory = machine::target_dir().join("demo");
    fs::create_dir_all(&directory)?;
    let python = step("make a virtual environment", || wheel::fresh(&directory, &wheel))?;
    let emulator = Emulator::start(&machine::root().join("data/tecton-repository.toml"), &[])?;
    let config = directory.join("beamlet.toml");
    fs::write(&config, configuration(emulator.url()))?;
    let output = directory.join("beam");
    let mut example = Command::new(python);
    example.current_dir(&directory).env("TECTON_API_KEY", "demo-key");
    example.arg(machine::root().join("examples/beam/enrich.py")).arg("--config").arg(&config);
    example.arg("--input").arg(machine::root().join("data/flights-sample.csv"));
    example.arg("--output").arg(&output).arg(FN_API_RUNNER).stderr(Stdio::piped());
    let ran = step("run the pipeline", || example.output().context("python could not be started"))?;
    if !ran.status.success() {
        bail!("the pipeline failed:\n{}", String::from_utf8_lossy(&ran.stderr));
    }
    drop(emulator);
    let output = output.with_file_name("beam-00000-of-00001.ndjson");
    println!("{}\n", table(&output, |name| name.replace('.', "__"))?);
    println!("counted under the step, in the namespace `beamlet`:\n");
    print!("{}", String::from_utf8_lossy(&ran.stdout));
    println!("\noutput {}", here(&output));
    Ok(())
}

/// Beam's runner in the process itself.
const FN_API_RUNNER: &str =
    "--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner";

fn here(path: &Path) -> String {
    path.strip_prefix(machine::root()).unwrap_or(path).display().to_string()
}

fn configuration(url: &str) -> String {
    format!(
        r#"[connection]
url = "{url}"
default_workspace_name = "prod"
api_key = {{ env = "TECTON_API_KEY" }}

[retrieval]
feature_service_name = "planes_features"
entity_id = "tailnum"

[batching]
max_batch_size = 10
max_in_flight = 4
"#
    )
}

/// The first rows; `name` gives a field's name in them.
fn table(output: &Path, name: impl Fn(&str) -> String) -> Result<Table> {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(SHOWN);
    for line in BufReader::new(File::open(output)?).lines().take(ROWS) {
        let row: Value = serde_json::from_str(&line?)?;
        table.add_row(SHOWN.map(|field| match &row[name(field)] {
            Value::String(text) => text.clone(),
            Value::Null => "null".to_owned(),
            other => other.to_string(),
        }));
    }
    Ok(table)
}

fn counts(summary: &Path, output: &Path, config: &Path) -> Result<String> {
    let summary: Value = serde_json::from_reader(File::open(summary)?)?;
    let count = |name: &str| summary[name].as_u64().unwrap_or_default();
    let known_by_nobody = count("missing") + count("null_keys");
    let rate = summary["rows_per_second"].as_f64().unwrap_or_default();
    Ok(format!(
        "rows in        {}\n\
         enriched       {}\n\
         missing        {known_by_nobody} ({} with a null key)\n\
         failed         {}\n\
         requests       {} (rows that are equal are asked for once)\n\
         rows a second  {rate:.0}\n\
         output         {}\n\
         configuration  {}",
        count("rows"),
        count("enriched"),
        count("null_keys"),
        count("failed"),
        count("requests"),
        here(output),
        here(config),
    ))
}
