//! `cargo xtask bench`: the handler as a component against the same logic compiled natively,
//! interleaved, so that other load of the machine affects both.

mod callgrind;
mod instructions;

use crate::dist;
use crate::emulator::{Emulator, Stats};
use crate::machine::{self, EMULATOR};
use anyhow::{Context, Result, bail};
use clap::Args;
use comfy_table::{Table, presets};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Count instructions a row instead, by part of the program
    #[arg(long)]
    instructions: bool,
    /// Measurements of each side; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(5..))]
    rounds: u8,
    /// Rows of a measurement
    #[arg(long, default_value_t = 300_000)]
    rows: u64,
}

/// One setting of the store and of what is in flight.
#[derive(Clone, Copy, Serialize)]
struct Case {
    latency_ms: u64,
    /// Bundles times requests of a bundle: what is in flight.
    bundles: usize,
    in_flight: usize,
    /// Component ÷ native that is aimed at.
    target: f64,
}

const CASES: [Case; 2] = [
    Case { latency_ms: 0, bundles: 2, in_flight: 4, target: 0.65 },
    Case { latency_ms: 5, bundles: 16, in_flight: 4, target: 0.95 },
];

/// What one side's process prints.
#[derive(Clone, Copy, Deserialize)]
struct Figures {
    rows: u64,
    seconds: f64,
    cpu_seconds: f64,
}

/// The medians of one side.
#[derive(Serialize)]
struct Side {
    rows_per_second: f64,
    cpu_us_per_row: f64,
    requests_per_connection: f64,
    most_at_once: u64,
    seconds: Vec<f64>,
}

/// One case, measured.
#[derive(Serialize)]
struct Outcome {
    case: Case,
    component: Side,
    natives: Vec<Native>,
}

/// The handler compiled natively, run in one way.
#[derive(Serialize)]
struct Native {
    name: &'static str,
    side: Side,
    /// Rows a second, component ÷ native: the median of the rounds' own ratios.
    ratio: f64,
    /// What is aimed at.
    target: Option<f64>,
}

/// A plain program over tokio, which is what is aimed at, and one with the host's threads.
const NATIVES: [(&str, &[&str]); 2] =
    [("native", &[]), ("native, a thread a core", &["--thread-per-core"])];

/// Measures, prints a table, and writes JSON.
pub(crate) fn bench(options: &Options) -> Result<()> {
    machine::ensure_target()?;
    if options.instructions {
        return instructions::instructions();
    }
    machine::build(&[EMULATOR])?;
    // Both at their best, as they would be deployed.
    dist::build(&["beamlet-bench-component", "beamlet-bench-native"])?;
    let outcomes: Vec<Outcome> =
        CASES.iter().map(|case| measure(*case, options)).collect::<Result<_>>()?;
    println!("{}", table(&outcomes));
    let path = machine::target_dir().join("bench.json");
    fs::write(&path, serde_json::to_string_pretty(&outcomes)?)?;
    println!("written to {}", path.display());
    Ok(())
}

fn measure(case: Case, options: &Options) -> Result<Outcome> {
    let latency = format!("{}ms", case.latency_ms);
    // On one thread it takes least of the cores that it shares with what is measured.
    let emulator = Emulator::start(&store()?, &["--latency", &latency, "--threads", "1"])?;
    let built = machine::target_dir().join("dist");
    let component = built.join("beamlet-bench-component");
    let native = built.join("beamlet-bench-native");
    let mut sides: Vec<(&PathBuf, &[&str], Vec<_>)> = vec![(&component, &[], Vec::new())];
    sides.extend(NATIVES.iter().map(|(_, options)| (&native, *options, Vec::new())));
    // The first of each is to warm up: caches, the emulator's memory, the clock of the CPU.
    for round in 0..=options.rounds {
        eprintln!("{latency}: round {round} of {}", options.rounds);
        let rows = if round == 0 { options.rows / 10 } else { options.rows };
        for turn in 0..sides.len() {
            // Each goes first, and last, as often as the others.
            let at = (turn + usize::from(round)) % sides.len();
            let (binary, its_options, measured) = &mut sides[at];
            let one = once(binary, its_options, &emulator, case, rows)?;
            if round > 0 {
                measured.push(one);
            }
        }
    }
    let [(_, _, of_component), of_natives @ ..] = &sides[..] else { bail!("nothing was measured") };
    let natives = NATIVES.iter().zip(of_natives).map(|((name, its_options), (_, _, measured))| {
        let ratios = of_component.iter().zip(measured).map(|(c, n)| n.0.seconds / c.0.seconds);
        Native {
            name,
            side: side(measured),
            ratio: median(ratios.collect()),
            target: its_options.is_empty().then_some(case.target),
        }
    });
    Ok(Outcome { case, component: side(of_component), natives: natives.collect() })
}

/// How often each plane is in the store, under keys of its own: more of them than are ever in
/// flight at once, so that none is asked for by two bundles.
const COPIES: usize = 20;

fn directory() -> PathBuf {
    machine::target_dir().join("bench")
}

/// Writes the store's repository and its planes; the repository's path.
fn store() -> Result<PathBuf> {
    let data = machine::root().join("data");
    let planes = fs::read_to_string(data.join("planes.csv"))?;
    let (header, rows) = planes.split_once('\n').context("data/planes.csv has no rows")?;
    let mut copies = format!("{header}\n");
    for copy in 0..COPIES {
        for (key, features) in rows.lines().filter_map(|row| row.split_once(',')) {
            copies.push_str(&format!("{key}-{copy},{features}\n"));
        }
    }
    fs::create_dir_all(directory())?;
    fs::write(directory().join("planes.csv"), copies)?;
    let repository = directory().join("tecton-repository.toml");
    fs::copy(data.join("tecton-repository.toml"), &repository)?;
    Ok(repository)
}

fn once(
    binary: &Path,
    options: &[&str],
    emulator: &Emulator,
    case: Case,
    rows: u64,
) -> Result<(Figures, Stats)> {
    emulator.reset()?;
    let output = Command::new(binary)
        .args(["--url", emulator.url()])
        .arg("--keys")
        .arg(directory().join("planes.csv"))
        .args(["--rows", &rows.to_string()])
        .args(["--bundles", &case.bundles.to_string()])
        .args(["--in-flight", &case.in_flight.to_string()])
        .args(options)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} could not be started", binary.display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", binary.display(), output.status);
    }
    let figures = serde_json::from_slice(&output.stdout).context("no figures were printed")?;
    Ok((figures, emulator.stats()?))
}

fn side(measured: &[(Figures, Stats)]) -> Side {
    let of = |value: fn(&Figures, &Stats) -> f64| {
        median(measured.iter().map(|(figures, stats)| value(figures, stats)).collect())
    };
    Side {
        rows_per_second: of(|figures, _| figures.rows as f64 / figures.seconds),
        cpu_us_per_row: of(|figures, _| figures.cpu_seconds * 1e6 / figures.rows as f64),
        // The question for the statistics comes over a connection of its own.
        requests_per_connection: of(|_, stats| {
            stats.requests as f64 / stats.connections.saturating_sub(1).max(1) as f64
        }),
        most_at_once: measured
            .iter()
            .map(|(_, stats)| stats.most_at_once)
            .max()
            .unwrap_or_default(),
        seconds: measured.iter().map(|(figures, _)| figures.seconds).collect(),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_header([
        "store",
        "in flight",
        "side",
        "rows/s",
        "CPU µs/row",
        "requests/connection",
        "component ÷ it",
        "aim",
    ]);
    for Outcome { case, component, natives } in outcomes {
        let none = (String::new(), String::new());
        let natives = natives.iter().map(|Native { name, side, ratio, target }| {
            let target = target.map_or_else(String::new, |target| format!("{target:.2}"));
            (*name, side, (format!("{ratio:.2}"), target))
        });
        for (name, side, (ratio, target)) in
            std::iter::once(("component", component, none)).chain(natives)
        {
            table.add_row([
                format!("{} ms", case.latency_ms),
                (case.bundles * case.in_flight).to_string(),
                name.to_owned(),
                format!("{:.0}", side.rows_per_second),
                format!("{:.2}", side.cpu_us_per_row),
                format!("{:.0}", side.requests_per_connection),
                ratio,
                target,
            ]);
        }
    }
    table
}
