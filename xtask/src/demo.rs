//! `cargo xtask demo`: from nothing to enriched rows.

use crate::emulator::Emulator;
use crate::machine::{self, BEAMLET, EMULATOR};
use crate::timings::step;
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

/// Builds what it runs, enriches the sample, and shows what came out.
pub(crate) fn demo() -> Result<()> {
    machine::ensure_target()?;
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

    println!("{}\n", table(&output)?);
    println!("{}", counts(&summary, &output, &config)?);
    Ok(())
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

fn table(output: &Path) -> Result<Table> {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header(SHOWN);
    for line in BufReader::new(File::open(output)?).lines().take(ROWS) {
        let row: Value = serde_json::from_str(&line?)?;
        table.add_row(SHOWN.map(|name| match &row[name] {
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
    let here = |path: &Path| {
        let relative = path.strip_prefix(machine::root()).unwrap_or(path);
        relative.display().to_string()
    };
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
