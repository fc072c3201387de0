//! `cargo xtask bench --instructions`: instructions per row of `beamlet run`, by part, counted with
//! callgrind. The measure does not depend on the load of the machine.

use super::callgrind::{Parts, Profile};
use super::{directory, store};
use crate::emulator::Emulator;
use crate::machine::{self, BENCH_COMPONENT, EMULATOR, run};
use crate::timings::step;
use crate::{dist, tools};
use anyhow::{Context, Result, bail};
use comfy_table::{CellAlignment, Table, presets};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is counted: rows of a request, and of a bundle. Tecton takes ten rows a request at most,
/// so that a bundle of a hundred is ten requests.
#[derive(Clone, Copy, Serialize)]
struct Case {
    name: &'static str,
    request: u64,
    bundle: u64,
}

const CASES: [Case; 3] = [
    Case { name: "1 row a request", request: 1, bundle: 1 },
    Case { name: "10 rows a request", request: 10, bundle: 10 },
    Case { name: "100 rows a bundle, 10 a request", request: 10, bundle: 100 },
];

/// Two runs of so many rows: what one costs more than the other is the rows' alone.
const ROWS: [u64; 2] = [1_000, 4_000];

/// The parts of the program, in the order of a row's way.
const PARTS: [&str; 5] = ["command line", "Arrow", "crossing", "guest", "HTTP client"];

/// Code that is not in [`PARTS`] serves what calls it: the standard library, allocation, bytes.
struct ByPlace;

impl Parts for ByPlace {
    fn of(&self, object: &str, file: &str) -> Option<usize> {
        const PLACES: [(&str, &[&str]); 4] = [
            ("command line", &["/host/formats/", "/host/cli/src", "/csv", "/parquet-", "/clap"]),
            (
                "Arrow",
                &["/arrow-", "/host/engine/src/columns", "/host/engine/src/enrich", "/moka-"],
            ),
            (
                "crossing",
                &[
                    "/wasmtime",
                    "/cranelift",
                    "/wiggle",
                    "/host/engine/src/plugin",
                    "/host/engine/src/sandbox",
                ],
            ),
            (
                "HTTP client",
                &[
                    "/h2-",
                    "/http",
                    "/hyper",
                    "/host/egress/",
                    "/mio-",
                    "/rustls",
                    "/socket2",
                    "/tokio",
                    "/tower",
                    "/want-",
                ],
            ),
        ];
        // Compiled guests are in no file.
        if object.is_empty() || object == "???" {
            return PARTS.iter().position(|part| *part == "guest");
        }
        let (part, _) =
            PLACES.iter().find(|(_, places)| places.iter().any(|place| file.contains(place)))?;
        PARTS.iter().position(|known| known == part)
    }
}

/// One case, counted.
#[derive(Serialize)]
struct Outcome {
    case: Case,
    /// Instructions a row, by [`PARTS`], and what belongs to none.
    parts: Vec<f64>,
    /// wasmtime's fuel of the guest, a row.
    fuel: f64,
}

/// Counts, prints a table, and writes JSON.
pub(crate) fn instructions() -> Result<()> {
    if !tools::debian("valgrind", &["valgrind"])? {
        bail!("valgrind is missing");
    }
    // Fuel is of the component, which is the same in each profile.
    machine::build(&[EMULATOR, BENCH_COMPONENT])?;
    dist::build(&["beamlet-cli"])?;
    let outcomes: Vec<Outcome> =
        CASES.iter().map(|case| step(case.name, || count(*case))).collect::<Result<_>>()?;
    println!("{}", table(&outcomes));
    let path = machine::target_dir().join("instructions.json");
    fs::write(&path, serde_json::to_string_pretty(&outcomes)?)?;
    println!("written to {}", path.display());
    Ok(())
}

fn count(case: Case) -> Result<Outcome> {
    let emulator = Emulator::start(&store()?, &["--threads", "1"])?;
    let config = directory().join("instructions.toml");
    fs::write(&config, configuration(emulator.url(), case))?;
    // The first fills the cache of compiled components.
    callgrind(&config, ROWS[0], case)?;
    let counted: Vec<Vec<f64>> = ROWS
        .iter()
        .map(|rows| Ok(callgrind(&config, *rows, case)?.by_part(&ByPlace, PARTS.len())))
        .collect::<Result<_>>()?;
    let [few, many] = &counted[..] else { bail!("not two runs") };
    let rows = (ROWS[1] - ROWS[0]) as f64;
    let parts = many.iter().zip(few).map(|(many, few)| (many - few) / rows).collect();
    Ok(Outcome { case, parts, fuel: fuel(&emulator, case)? })
}

/// One sandbox and one request at a time, and each row asked for, so that every run does the same.
fn configuration(url: &str, case: Case) -> String {
    format!(
        r#"[connection]
url = "{url}"
default_workspace_name = "prod"
api_key = "demo-key"

[retrieval]
feature_service_name = "planes_features"
entity_id = "tailnum"

[batching]
max_batch_size = {}
max_in_flight = 1

[run]
in_flight = 1
bundle_size = {}

[sandbox]
deadline_ms = 600000
"#,
        case.request, case.bundle
    )
}

/// Runs the command line over the first planes of the store, from CSV to NDJSON.
fn callgrind(config: &Path, rows: u64, case: Case) -> Result<Profile> {
    let (input, output) = (directory().join("rows.csv"), directory().join("rows.ndjson"));
    let counts = directory().join(format!("callgrind-{}-{rows}", case.bundle));
    let planes = fs::read_to_string(directory().join("planes.csv"))?;
    let keys = planes.lines().map(|line| line.split(',').next().unwrap_or_default());
    let flights = keys.take(rows as usize + 1).enumerate().map(|(at, key)| match at {
        0 => format!("flight,{key},origin\n"),
        _ => format!("{at},{key},EWR\n"),
    });
    fs::write(&input, flights.collect::<String>())?;
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(machine::target_dir().join("dist/beamlet"))
        .args(["run", "--progress", "never", "--cache-dir"])
        .arg(directory().join("cache"))
        .arg("--config")
        .arg(config)
        .arg("--input")
        .arg(&input)
        .arg("--output")
        .arg(&output)
        .stderr(Stdio::null());
    run(&mut command)?;
    Profile::read(&counts)
}

/// What the bench's component prints where it counts fuel.
#[derive(Deserialize)]
struct Fuel {
    rows: u64,
    fuel: u64,
}

fn fuel(emulator: &Emulator, case: Case) -> Result<f64> {
    let mut counts = Vec::new();
    for rows in ROWS {
        let mut command = Command::new(machine::binary(BENCH_COMPONENT));
        command.args(["--url", emulator.url(), "--count-fuel", "--in-flight", "1"]);
        command.args(["--bundles", "1", "--rows", &rows.to_string()]);
        command.args(["--bundle-size", &case.bundle.to_string()]);
        command.args(["--batch-size", &case.request.to_string()]);
        command.arg("--keys").arg(directory().join("planes.csv"));
        let output = command.stderr(Stdio::inherit()).output()?;
        let fuel: Fuel = serde_json::from_slice(&output.stdout).context("no fuel was printed")?;
        counts.push(fuel);
    }
    let [few, many] = &counts[..] else { bail!("not two runs") };
    Ok((many.fuel - few.fuel) as f64 / (many.rows - few.rows) as f64)
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    let cases = outcomes.iter().map(|outcome| outcome.case.name);
    table.set_header(std::iter::once("instructions a row").chain(cases));
    let mut line = |name: &str, of: &dyn Fn(&Outcome) -> f64| {
        let values = outcomes.iter().map(|outcome| format!("{:.0}", of(outcome)));
        table.add_row(std::iter::once(name.to_owned()).chain(values));
    };
    for (at, part) in PARTS.iter().enumerate() {
        line(part, &|outcome| outcome.parts[at]);
    }
    line("other", &|outcome| outcome.parts[PARTS.len()]);
    line("all", &|outcome| outcome.parts.iter().sum());
    line("guest, in fuel of wasmtime", &|outcome| outcome.fuel);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
