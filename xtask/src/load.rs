//! `cargo xtask load`: the edge under load, in turns with a component that only answers one word.

use crate::components;
use crate::emulator::Emulator;
use crate::machine::{self, EMULATOR, GUEST_BUILD, PLUG, WASMTIME};
use crate::serve::Serve;
use crate::tools;
use anyhow::{Context, Result, bail};
use clap::Args;
use comfy_table::{Table, presets};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How to load.
#[derive(Args)]
pub(crate) struct Options {
    /// Turns of each case; the medians count
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: u8,
    /// Seconds of a turn
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    seconds: u16,
    /// Clients at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    clients: u16,
}

/// One kind of request.
struct Case {
    name: &'static str,
    url: String,
    /// Rows of the body; none for a `GET`.
    rows: usize,
}

/// The results of a turn of wrk.
#[derive(Clone, Copy, Deserialize)]
struct Turn {
    requests: u64,
    errors: u64,
    seconds: f64,
    p50_us: f64,
    p99_us: f64,
}

/// The medians of a case.
#[derive(Serialize)]
struct Outcome {
    name: &'static str,
    requests: u64,
    requests_per_second: f64,
    rows_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// Makes wrk tell its figures as JSON; what it asks stands before.
const SCRIPT: &str = r#"
done = function(summary, latency)
  local e = summary.errors
  print(string.format(
    '{"requests":%d,"errors":%d,"seconds":%f,"p50_us":%f,"p99_us":%f}', summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99)))
end
"#;

/// Loads, prints a table, and writes JSON. An error of any request ends it.
pub(crate) fn load(options: &Options) -> Result<()> {
    machine::ensure_target()?;
    if !tools::debian("wrk", &["wrk"])? {
        bail!("wrk is missing");
    }
    machine::build(&[EMULATOR, GUEST_BUILD, PLUG, WASMTIME])?;
    let directory = machine::target_dir().join("load");
    fs::create_dir_all(&directory)?;
    let emulator = Emulator::start(&machine::root().join("data/tecton-repository.toml"), &[])?;
    let config = serde_json::json!({
        "connection": {
            "url": emulator.url(),
            "default_workspace_name": "prod",
            "api_key": { "env": "TECTON_API_KEY" },
        },
        "retrieval": { "feature_service_name": "planes_features", "entity_id": "tailnum" },
    });
    let config = config.to_string();
    let environment = [("BEAMLET_CONFIG", config.as_str()), ("TECTON_API_KEY", "demo-key")];
    let component = components::tecton_edge()?;
    let hello = Serve::start(&components::hello()?, &[], &[])?;
    let fresh = Serve::start(&component, &environment, &[])?;
    let again = Serve::start(&component, &environment, &["--max-instance-reuse-count", "1000000"])?;
    let counts = directory.join("counts");
    fs::create_dir_all(&counts)?;
    let counts = format!("{}::/counts", counts.display());
    let counting = [
        "--dir",
        &counts,
        "--env",
        "BEAMLET_METRICS_DIR=/counts",
        "--max-instance-reuse-count",
        "1000000",
    ];
    let counted = Serve::start(&component, &environment, &counting)?;
    let case = |name, server: &Serve, path, rows| {
        let url = format!("{}{path}", server.url());
        Case { name, url, rows }
    };
    let cases = [
        case("hello", &hello, "/", 0),
        case("healthz", &fresh, "/healthz", 0),
        case("1 row", &fresh, "/enrich", 1),
        case("10 rows", &fresh, "/enrich", 10),
        case("100 rows", &fresh, "/enrich", 100),
        case("1 row, instances used again", &again, "/enrich", 1),
        case("10 rows, instances used again", &again, "/enrich", 10),
        case("100 rows, instances used again", &again, "/enrich", 100),
        case("10 rows, used again, counted in a directory", &counted, "/enrich", 10),
    ];
    let tailnums = tailnums()?;
    let mut turns: Vec<Vec<Turn>> = cases.iter().map(|_| Vec::new()).collect();
    for round in 1..=options.rounds {
        for (case, turns) in cases.iter().zip(&mut turns) {
            eprintln!("round {round} of {}: {}", options.rounds, case.name);
            let script = script(&directory, case, &tailnums)?;
            turns.push(turn(case, &script, options)?);
        }
    }
    let outcomes: Vec<_> =
        cases.iter().zip(&turns).map(|(case, turns)| outcome(case, turns)).collect();
    println!("{}", table(&outcomes));
    let path = machine::target_dir().join("load.json");
    fs::write(&path, serde_json::to_string_pretty(&outcomes)?)?;
    println!("no request failed; written to {}", path.display());
    Ok(())
}

/// The planes that the store knows.
fn tailnums() -> Result<Vec<String>> {
    let planes = fs::read_to_string(machine::root().join("data/planes.csv"))?;
    let keys = planes.lines().skip(1).filter_map(|line| line.split_once(','));
    Ok(keys.map(|(key, _)| key.to_owned()).collect())
}

fn script(directory: &Path, case: &Case, tailnums: &[String]) -> Result<PathBuf> {
    let mut script = String::new();
    if case.rows > 0 {
        let rows: Vec<_> = tailnums
            .iter()
            .cycle()
            .take(case.rows)
            .enumerate()
            .map(|(n, key)| format!("{{\"flight\":{n},\"tailnum\":\"{key}\"}}"))
            .collect();
        script = format!(
            "wrk.method = \"POST\"\n\
             wrk.headers[\"content-type\"] = \"application/json\"\n\
             wrk.body = [==[[{}]]==]\n",
            rows.join(",")
        );
    }
    let path = directory.join("case.lua");
    fs::write(&path, script + SCRIPT)?;
    Ok(path)
}

fn turn(case: &Case, script: &Path, options: &Options) -> Result<Turn> {
    let (clients, seconds) = (options.clients.to_string(), format!("{}s", options.seconds));
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", &clients, "--duration", &seconds])
        .arg("--script")
        .arg(script)
        .arg(&case.url)
        .stderr(Stdio::inherit())
        .output()
        .context("wrk could not be started")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let figures = printed.lines().last().unwrap_or_default();
    let turn: Turn =
        serde_json::from_str(figures).with_context(|| format!("wrk said: {printed}"))?;
    if turn.errors > 0 || turn.requests == 0 {
        bail!("{}: {} of {} requests failed", case.name, turn.errors, turn.requests);
    }
    Ok(turn)
}

fn outcome(case: &Case, turns: &[Turn]) -> Outcome {
    let median = |of: fn(&Turn) -> f64| {
        let mut values: Vec<_> = turns.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    let requests_per_second = median(|turn| turn.requests as f64 / turn.seconds);
    Outcome {
        name: case.name,
        requests: turns.iter().map(|turn| turn.requests).sum(),
        requests_per_second,
        rows_per_second: requests_per_second * case.rows as f64,
        p50_ms: median(|turn| turn.p50_us) / 1000.0,
        p99_ms: median(|turn| turn.p99_us) / 1000.0,
    }
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header([
        "request",
        "requests",
        "requests/s",
        "rows/s",
        "p50 ms",
        "p99 ms",
    ]);
    for outcome in outcomes {
        table.add_row([
            outcome.name.to_owned(),
            outcome.requests.to_string(),
            format!("{:.0}", outcome.requests_per_second),
            format!("{:.0}", outcome.rows_per_second),
            format!("{:.2}", outcome.p50_ms),
            format!("{:.2}", outcome.p99_ms),
        ]);
    }
    table
}
