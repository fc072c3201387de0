//! Many rows: nothing is lost, nothing changes its place, and memory does not grow with them.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::Stdio;
use support::beamlet::Beamlet;
use support::folder::Folder;
use support::store::{Store, data};

/// The rows of the sample.
const SAMPLE: usize = 6000;

/// What a run came to.
struct Ran {
    summary: Value,
    /// The most memory that the process had, in KiB, where the system tells it.
    peak: Option<u64>,
}

/// Writes the sample so many times over into `flights.csv`, behind one header.
fn repeat(folder: &Folder, times: usize) {
    let sample = std::fs::read_to_string(data("flights-sample.csv")).unwrap();
    let (header, rows) = sample.split_once('\n').unwrap();
    let mut file = BufWriter::new(File::create(folder.file("flights.csv")).unwrap());
    writeln!(file, "{header}").unwrap();
    (0..times).for_each(|_| file.write_all(rows.as_bytes()).unwrap());
    file.flush().unwrap();
}

/// Runs the sample, so many times over, through a pipe, and compares each line with its own.
fn run(times: usize) -> Ran {
    let store = Store::start();
    let folder = store.folder();
    repeat(&folder, times);
    let arguments = "--input flights.csv --null NA --bundle-size 1000 --summary summary.json";
    let mut command = Beamlet::run(&folder, arguments).into_command();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = BufReader::new(File::open(folder.file("flights.csv")).unwrap()).lines();
    let mut peak = None;
    for (at, line) in BufReader::new(child.stdout.take().unwrap()).lines().enumerate() {
        let (line, own) = (line.unwrap(), input.next().unwrap().unwrap());
        let features = line.strip_prefix(&own).unwrap_or_else(|| panic!("line {}: {line}", at + 1));
        assert_eq!(features.matches(',').count(), 8, "line {}: {line}", at + 1);
        if at % 1000 == 0 {
            peak = memory(child.id()).max(peak);
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(input.next().is_none());
    Ran { summary: serde_json::from_str(&folder.read("summary.json")).unwrap(), peak }
}

/// The most memory that a process has had so far, in KiB; of Linux only.
fn memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[track_caller]
fn assert_counts(ran: &Ran, times: usize) {
    let count = |name: &str| ran.summary[name].as_u64().unwrap() as usize;
    assert_eq!(count("rows"), times * SAMPLE);
    assert_eq!(
        ["enriched", "missing", "null_keys", "failed"].map(count),
        [5076, 878, 46, 0].map(|rows| rows * times)
    );
}

#[test]
fn ten_times_the_rows_come_out_in_their_order_and_take_no_more_memory() {
    let (few, many) = (run(6), run(60));
    assert_counts(&few, 6);
    assert_counts(&many, 60);
    if cfg!(target_os = "linux") {
        let (few, many) = (few.peak.unwrap(), many.peak.unwrap());
        let most = few * 13 / 10;
        assert!(many <= most, "{many} KiB for ten times the rows, {few} KiB for the few");
    }
}
