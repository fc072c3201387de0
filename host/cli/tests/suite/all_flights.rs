//! All flights of 2013: no row is lost, the order is kept, and memory does not grow with the rows.

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::rows::Planes;
use crate::support::store::{Store, data};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

/// All flights, and what becomes of them: with a plane, with an unknown plane, without a tail
/// number, failed. The package that they are from has the same counts (`data/README.md`).
const FLIGHTS: usize = 336_776;
const OUTCOMES: [u64; 4] = [284_170, 50_094, 2_512, 0];

/// The batches of a Parquet file.
fn batches(file: &Path) -> impl Iterator<Item = RecordBatch> + use<> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    reader.with_batch_size(8192).build().unwrap().map(Result::unwrap)
}

/// The cells of a batch as CSV has them, row by row.
fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options =
        FormatOptions::new().with_null("NA").with_timestamp_format(Some("%Y-%m-%dT%H:%M:%SZ"));
    // Arrow formats times of a zone only with a table of zones; these are of UTC.
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .map(|column| match column.as_primitive_opt::<TimestampMillisecondType>() {
            Some(times) => Arc::new(times.clone().with_timezone_opt(None::<&str>)),
            None => column.clone(),
        })
        .collect();
    let columns: Vec<_> =
        columns.iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row = |at| columns.iter().map(|column| column.value(at).to_string()).collect();
    (0..batch.num_rows()).map(row).collect()
}

#[track_caller]
fn assert_outcomes(summary: &Value) {
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(count("rows"), FLIGHTS as u64);
    assert_eq!(["enriched", "missing", "null_keys", "failed"].map(count), OUTCOMES);
}

#[test]
fn every_flight_comes_out_as_it_was_with_the_features_of_its_plane() {
    let store = Store::start();
    let folder = store.folder();
    std::fs::copy(data("flights.parquet"), folder.file("flights.parquet")).unwrap();
    let ran = Beamlet::run(
        &folder,
        "--input flights.parquet --output enriched.parquet --summary summary.json",
    );
    assert!(ran.into_command().stderr(Stdio::null()).status().unwrap().success());
    assert_outcomes(&serde_json::from_str(&folder.read("summary.json")).unwrap());

    let planes = Planes::of_data();
    let mut enriched = batches(&folder.file("enriched.parquet"));
    let mut rows = 0;
    for flights in batches(&data("flights.parquet")) {
        let batch = enriched.next().unwrap();
        let own = batch.project(&(0..flights.num_columns()).collect::<Vec<_>>()).unwrap();
        assert_eq!(own.columns(), flights.columns(), "from row {rows} on");
        let tailnum = flights.schema().index_of("tailnum").unwrap();
        let features = (flights.num_columns()..batch.num_columns()).collect::<Vec<_>>();
        let features = cells(&batch.project(&features).unwrap());
        for (at, flight) in cells(&flights).iter().enumerate() {
            let expected = planes.features(&flight[tailnum]);
            let expected: Vec<&str> = expected.into_iter().map(|(_, cell)| cell).collect();
            assert_eq!(features[at], expected, "row {}: {flight:?}", rows + at);
        }
        rows += flights.num_rows();
    }
    assert_eq!(rows, FLIGHTS);
    assert!(enriched.next().is_none());
}

/// Writes the first flights as CSV.
fn write_csv(folder: &Folder, rows: usize) {
    let mut file = BufWriter::new(File::create(folder.file("flights.csv")).unwrap());
    let mut left = rows;
    for batch in batches(&data("flights.parquet")) {
        if left == rows {
            let schema = batch.schema();
            let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            writeln!(file, "{}", names.join(",")).unwrap();
        }
        for row in cells(&batch).iter().take(left) {
            writeln!(file, "{}", row.join(",")).unwrap();
        }
        left = left.saturating_sub(batch.num_rows());
    }
    file.flush().unwrap();
}

/// Runs the first flights from CSV through a pipe, and compares each line with its own; the
/// summary, and the most memory that the process had, in KiB, if the system reports it.
fn run(rows: usize) -> (Value, Option<u64>) {
    let store = Store::start();
    let folder = store.folder();
    write_csv(&folder, rows);
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
    (serde_json::from_str(&folder.read("summary.json")).unwrap(), peak)
}

/// The most memory that a process has had so far, in KiB; of Linux only.
fn memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn ten_times_the_rows_come_out_in_their_order_and_take_no_more_memory() {
    let (few, few_peak) = run(FLIGHTS / 10);
    assert_eq!(few["rows"], FLIGHTS / 10);
    let (all, all_peak) = run(FLIGHTS);
    assert_outcomes(&all);
    if cfg!(target_os = "linux") {
        let (few, all) = (few_peak.unwrap(), all_peak.unwrap());
        let most = few * 13 / 10;
        assert!(all <= most, "{all} KiB for all flights, {few} KiB for a tenth");
    }
}
