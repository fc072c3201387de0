//! `beamlet run` as a process: its outputs, their order, and its exit codes.

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::redacted;
use crate::support::rows::{Join, Table};
use crate::support::store::{Store, config, data, folder_of};
use serde_json::Value;
use std::process::Stdio;

/// A folder with a configuration for the store, and the sample as `flights.csv`.
/// Each row is asked for, equal ones too, so that requests can be counted.
fn sampled(store: &Store) -> Folder {
    let folder = folder_of(&each(store));
    std::fs::copy(data("flights-sample.csv"), folder.file("flights.csv")).unwrap();
    folder
}

fn each(store: &Store) -> String {
    config(&store.url()) + "[run]\ncoalesce = false\n"
}

/// What `beamlet run` makes of the sample with these arguments more.
fn ndjson_with(folder: &Folder, arguments: &str) -> String {
    let arguments = format!("--input flights.csv --null NA --output-format ndjson {arguments}");
    Beamlet::run(folder, &arguments).succeed()
}

/// The first of the texts' lines that differ, rather than all of them.
#[track_caller]
fn assert_same_lines(found: &str, expected: &str) {
    for (at, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", at + 1);
    }
    assert_eq!(found.len(), expected.len());
}

fn summary(folder: &Folder) -> Value {
    let mut summary: Value = serde_json::from_str(&folder.read("summary.json")).unwrap();
    for timed in ["seconds", "rows_per_second"] {
        let number = summary[timed].take();
        assert!(number.as_f64().unwrap() > 0.0, "{timed} is {number}");
    }
    summary
}

#[test]
fn every_value_of_the_sample_is_that_of_a_join_made_by_hand() {
    let (store, join) = (Store::start(), Join::of_data());
    let output = ndjson_with(&sampled(&store), "");
    let expected: String =
        join.flights.rows.iter().map(|flight| format!("{}\n", join.enriched(flight))).collect();
    assert_same_lines(&output, &expected);
}

#[test]
fn a_csv_keeps_its_cells_and_gains_a_column_for_each_feature() {
    let (store, join) = (Store::start(), Join::of_data());
    let folder = sampled(&store);
    Beamlet::run(&folder, "--input flights.csv --null NA --output out.csv").succeed();
    let output = Table::read(folder.read("out.csv").as_bytes());
    assert_eq!(output.header[..19], join.flights.header[..]);
    assert_eq!(output.header[19], "planes.year");
    assert_eq!(output.rows.len(), 6000);
    for (row, flight) in output.rows.iter().zip(&join.flights.rows) {
        let features = join.features(flight).into_iter().map(|(_, cell)| cell);
        let own = flight.iter().map(String::as_str);
        assert_eq!(*row, own.chain(features).collect::<Vec<_>>());
    }
}

#[test]
fn lines_of_ndjson_keep_every_byte_and_gain_the_features_at_their_end() {
    let (store, join) = (Store::start(), Join::of_data());
    let folder = store.folder();
    folder.write("flights.ndjson", join.ndjson());
    Beamlet::run(&folder, "--input flights.ndjson --output out.ndjson").succeed();
    let (input, output) = (folder.read("flights.ndjson"), folder.read("out.ndjson"));
    assert_eq!(output.lines().count(), 6000);
    for ((own, line), flight) in input.lines().zip(output.lines()).zip(&join.flights.rows) {
        let own = own.strip_suffix('}').unwrap();
        assert!(line.starts_with(&format!("{own},\"planes.year\":")), "{line}");
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line.to_string(), join.enriched(flight).to_string());
    }
}

#[test]
fn a_pipe_gives_what_files_give() {
    let store = Store::start();
    let folder = sampled(&store);
    Beamlet::run(&folder, "--input flights.csv --null NA --output out.csv").succeed();
    let piped = Beamlet::run(&folder, "--input - --input-format csv --null NA")
        .stdin(folder.read("flights.csv"))
        .succeed();
    assert_same_lines(&piped, &folder.read("out.csv"));
}

#[test]
fn standard_input_and_output_default_to_ndjson() {
    let store = Store::start();
    let output = Beamlet::run(&store.folder(), "").stdin("{\"tailnum\":\"N10156\"}\n").succeed();
    insta::assert_snapshot!(output, @r#"{"tailnum":"N10156","planes.year":2004,"planes.type":"Fixed wing multi engine","planes.manufacturer":"EMBRAER","planes.model":"EMB-145XR","planes.engines":2,"planes.seats":55,"planes.speed":null,"planes.engine":"Turbo-fan"}"#);
}

#[test]
fn bundles_of_any_size_and_number_come_out_the_same_and_in_order() {
    let store = Store::start();
    let folder = sampled(&store);
    let expected = ndjson_with(&folder, "--in-flight 1 --bundle-size 6000");
    for arguments in [
        "--in-flight 1 --bundle-size 1000",
        "--in-flight 8 --bundle-size 1000",
        "--in-flight 8 --bundle-size 7",
        "--in-flight 8 --bundle-size 1",
    ] {
        assert_same_lines(&ndjson_with(&folder, arguments), &expected);
    }
}

#[test]
fn one_entity_a_request_gives_what_ten_give() {
    let store = Store::start();
    let (ten, one) = (sampled(&store), sampled(&store));
    one.write("beamlet.toml", each(&store) + "[batching]\nmax_batch_size = 1\n");
    let expected = ndjson_with(&ten, "--summary summary.json");
    assert_same_lines(&ndjson_with(&one, "--summary summary.json"), &expected);
    assert_eq!(
        [summary(&ten), summary(&one)].map(|mut summary| summary["requests"].take()),
        [600, 6000]
    );
}

#[test]
fn the_summary_counts_every_row_once() {
    let store = Store::start();
    let folder = sampled(&store);
    let arguments = "--input flights.csv --null NA --output out.ndjson --summary summary.json";
    let ended = Beamlet::run(&folder, arguments).end();
    redacted(|| {
        insta::assert_snapshot!(ended, @"
        6000 rows in: 5076 enriched, 878 missing, 46 with a null key, 0 failed
        6000 rows out: 6000 written, 0 dead letters
        600 requests, [speed]
        written to out.ndjson
        exit code 0
        ")
    });
    insta::assert_snapshot!(format!("{:#}", summary(&folder)), @r#"
    {
      "complete": true,
      "stopped": false,
      "rows": 6000,
      "written": 6000,
      "enriched": 5076,
      "missing": 878,
      "null_keys": 46,
      "failed": 0,
      "unwritten": 0,
      "failures": [],
      "dead_letters": 0,
      "requests": 600,
      "retried": 0,
      "coalesced": 0,
      "cache_hits": 0,
      "cache_stale": 0,
      "cache_errors": 0,
      "instances_lost": 0,
      "counters": {
        "feature_retrieval_errors": 0,
        "feature_retrieval_requests": 600,
        "features_retrieved": 5076
      },
      "seconds": null,
      "rows_per_second": null,
      "output": "out.ndjson"
    }
    "#);
}

#[test]
fn a_run_without_rows_is_no_failure() {
    let store = Store::start();
    let folder = store.folder();
    folder.write("none.ndjson", "");
    let arguments = "--input none.ndjson --output out.ndjson --summary summary.json";
    Beamlet::run(&folder, arguments).succeed();
    let summary: Value = serde_json::from_str(&folder.read("summary.json")).unwrap();
    assert_eq!((summary["rows"].as_u64(), summary["requests"].as_u64()), (Some(0), Some(0)));
    assert_eq!(folder.read("out.ndjson"), "");
}

/// A sample whose last row is no row: the run fails when nearly all of it is written.
fn failing_late() -> (Store, Folder) {
    let store = Store::start();
    let folder = sampled(&store);
    folder.write("flights.csv", folder.read("flights.csv") + "2013,1\n");
    (store, folder)
}

#[test]
fn a_run_that_fails_leaves_nothing_under_the_outputs_name_and_no_temporary() {
    let (_store, folder) = failing_late();
    let ended =
        Beamlet::run(&folder, "--input flights.csv --null NA --output out.csv --bundle-size 100")
            .end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(folder.names(), ["beamlet.toml", "flights.csv"]);
}

#[test]
fn a_run_that_fails_leaves_the_output_of_the_last_one_as_it_was() {
    let (_store, folder) = failing_late();
    folder.write("out.csv", "of yesterday\n");
    let ended =
        Beamlet::run(&folder, "--input flights.csv --null NA --output out.csv --bundle-size 100")
            .end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(folder.read("out.csv"), "of yesterday\n");
    assert_eq!(folder.names(), ["beamlet.toml", "flights.csv", "out.csv"]);
}

#[test]
fn the_summary_of_a_failed_run_has_the_counts_until_then() {
    let (_store, folder) = failing_late();
    let arguments = "--input flights.csv --null NA --output out.csv --summary summary.json";
    Beamlet::run(&folder, &format!("{arguments} --in-flight 1 --bundle-size 1000")).end();
    let summary = summary(&folder);
    assert_eq!(summary["complete"], false);
    assert_eq!(summary["rows"], 6000);
}

#[test]
fn a_row_that_fails_is_counted_and_named() {
    let (store, folder) = (Store::start(), Folder::new());
    folder.write("beamlet.toml", config(&store.url()));
    folder.write("rows.ndjson", "{\"tailnum\":\"N10156\"}\n{\"tailnum\":1.5}\n");
    let ended =
        Beamlet::run(&folder, "--input rows.ndjson --output out.ndjson --summary summary.json")
            .end();
    assert_eq!((ended.code, summary(&folder)["failed"].as_u64()), (Some(1), Some(1)));
    redacted(|| {
        insta::assert_snapshot!(ended, @"
        error: rows.ndjson:2: invalid-input: field `tailnum` is a fractional number; a join key is a string, an integer or null
        2 rows in: 1 enriched, 0 missing, 0 with a null key, 1 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn an_output_is_replaced_when_the_run_succeeds() {
    let store = Store::start();
    let folder = store.folder();
    folder.write("rows.ndjson", "{\"tailnum\":null}\n");
    folder.write("out.ndjson", "of yesterday\n");
    Beamlet::run(&folder, "--input rows.ndjson --output out.ndjson").succeed();
    insta::assert_snapshot!(folder.read("out.ndjson"), @r#"{"tailnum":null,"planes.year":null,"planes.type":null,"planes.manufacturer":null,"planes.model":null,"planes.engines":null,"planes.seats":null,"planes.speed":null,"planes.engine":null}"#);
    assert_eq!(folder.names(), ["beamlet.toml", "out.ndjson", "rows.ndjson"]);
}

#[test]
fn an_output_may_take_the_place_of_its_input() {
    let store = Store::start();
    let folder = sampled(&store);
    let expected = Beamlet::run(&folder, "--input flights.csv --null NA").succeed();
    Beamlet::run(&folder, "--input flights.csv --null NA --output flights.csv").succeed();
    assert_same_lines(&folder.read("flights.csv"), &expected);
}

#[test]
fn a_stated_type_overrides_the_look_of_the_first_rows() {
    let store = Store::start();
    let folder = store.folder();
    let numbers: String = (0..1000).map(|number| format!("{number}\n")).collect();
    folder.write("rows.csv", format!("tailnum\n{numbers}N10156\n"));
    let arguments = "--input rows.csv --type tailnum=string --output-format ndjson";
    let output = Beamlet::run(&folder, arguments).succeed();
    let last = output.lines().last().unwrap();
    assert!(last.starts_with("{\"tailnum\":\"N10156\",\"planes.year\":2004,"), "{last}");
}

#[test]
fn bad_usage_ends_with_exit_code_2_and_writes_nothing() {
    for arguments in [
        "--input rows.ndjson --in-flight 0",
        "--input rows.ndjson --bundle-size 0",
        "--input rows.ndjson --unknown",
        "--input rows.xml --output out.ndjson",
        "--input rows.ndjson --output out.xml",
        "--input rows.ndjson --output-format xml",
        "--input rows.csv --type tailnum",
        "--input rows.csv --type tailnum=text",
        "--input rows.csv --type =int64",
        "--input rows.csv --type a=int64 --type a=string",
        "--input rows.csv --log verbose",
        "--input rows.csv --on-conflict suffix",
        "--input rows.csv --on-conflict left --suffix _x",
        "--input rows.csv --suffix=",
        "--input= --output out.csv",
        "--input rows.csv --output=",
        "--input rows.csv --summary=",
        "--input rows.csv --dead-letter=",
        "--input rows.csv --otlp-endpoint collector:4318",
        "--input rows.csv --otlp-endpoint ftp://collector",
        "--input rows.csv --otlp-endpoint http://collector:99999",
    ] {
        let folder = folder_of(&config("http://127.0.0.1:1"));
        let ended = Beamlet::run(&folder, arguments).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments}");
        assert_eq!(folder.names(), ["beamlet.toml"], "{arguments}");
    }
}

#[test]
fn a_summary_in_a_missing_folder_fails_before_the_first_request() {
    let store = Store::start();
    let folder = sampled(&store);
    let arguments = "--input flights.csv --output out.csv --summary no/summary.json";
    let ended = Beamlet::run(&folder, arguments).end();
    assert_eq!((ended.code, store.requests()), (Some(1), 0), "{ended}");
    assert_eq!(folder.names(), ["beamlet.toml", "flights.csv"]);
}

#[test]
fn a_run_into_a_pipe_that_fails_says_that_the_pipe_has_not_got_all() {
    let (_store, folder) = failing_late();
    let arguments = "--input flights.csv --null NA --bundle-size 1000 --in-flight 1";
    let ended = Beamlet::run(&folder, arguments).end();
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(1), 6001));
    redacted(|| {
        insta::assert_snapshot!(ended.stderr, @r#"
        error: flights.csv:6002: row has too few fields: expected 19, got 2; the first missing field is "day"
        6000 rows in: 5076 enriched, 878 missing, 46 with a null key, 0 failed
        600 requests, [speed]
        failed: the output in standard output is not complete
        "#)
    });
}

#[test]
fn a_pipe_that_nobody_reads_ends_the_run() {
    let store = Store::start();
    let folder = sampled(&store);
    let mut command = Beamlet::run(&folder, "--input flights.csv --null NA").into_command();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.starts_with("error: standard output: cannot be written: "), "{stderr}");
}

#[test]
fn an_output_in_a_missing_folder_fails_before_the_first_request() {
    let store = Store::start();
    let folder = sampled(&store);
    let ended = Beamlet::run(&folder, "--input flights.csv --output no/out.csv").end();
    insta::assert_snapshot!(ended, @"
    error: no/out.csv: directory no does not exist; create it first
    exit code 1
    ");
    assert_eq!(store.requests(), 0);
}
