//! Formats, end to end: types of rows are preserved, and features have the types of the store's
//! schema.

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::redacted;
use crate::support::store::{Store, config, data, folder_of, planes};
use insta::assert_snapshot;
use std::fs;
use std::io::Write;

/// A folder with the sample of flights in it.
fn sampled(store: &Store) -> Folder {
    let folder = store.folder();
    fs::copy(data("flights-sample.csv"), folder.file("flights.csv")).unwrap();
    folder
}

/// Every pair of formats comes to the same rows: through each of them and back to NDJSON.
#[test]
fn a_run_through_any_format_comes_to_the_same_rows() {
    let store = Store::start();
    let folder = sampled(&store);
    let run = |arguments: &str| Beamlet::run(&folder, arguments).succeed();
    run("--input flights.csv --null NA --output expected.ndjson");
    let expected = folder.read("expected.ndjson");
    for format in ["parquet", "arrow", "arrows", "ndjson.gz", "ndjson.zst"] {
        run(&format!("--input flights.csv --null NA --output enriched.{format}"));
        // The features are the rows' own now, and win.
        run(&format!("--input enriched.{format} --output back.ndjson"));
        assert_eq!(folder.read("back.ndjson"), expected, "{format}");
    }
}

#[test]
fn features_of_a_table_have_the_types_that_the_store_declares() {
    let store = Store::start();
    let folder = store.folder();
    // The store knows none of them, so only the schema defines the features.
    let rows = "{\"tailnum\":\"N0\",\"n\":1}\n";
    let arguments = "--output out.parquet";
    Beamlet::run(&folder, arguments).stdin(rows).succeed();
    let out = Beamlet::run(&folder, "--input out.parquet --output-format ndjson").succeed();
    assert!(out.contains("\"planes.year\":null"), "{out}");
    let known = "{\"tailnum\":\"N10156\",\"n\":2}\n";
    Beamlet::run(&folder, "--output known.parquet").stdin(known).succeed();
    let arguments = "--input *.parquet --output-format ndjson";
    let both = Beamlet::run(&folder, arguments).succeed();
    // Parts of one schema: an int64 that is null, and one that is not.
    assert_eq!(both.lines().count(), 2, "{both}");
    assert!(both.contains("\"planes.year\":2004"), "{both}");
}

#[test]
fn parts_of_a_directory_come_out_in_the_order_of_their_names() {
    let store = Store::start();
    let folder = store.folder();
    fs::create_dir(folder.file("parts")).unwrap();
    for (name, row) in [("b.ndjson", 2), ("a.ndjson", 1), ("c.ndjson", 3)] {
        folder.write(&format!("parts/{name}"), format!("{{\"tailnum\":\"N{row}\"}}\n"));
    }
    folder.write("parts/_SUCCESS", "");
    let out = Beamlet::run(&folder, "--input parts").succeed();
    let order: Vec<&str> = out.lines().map(|line| &line[13..14]).collect();
    assert_eq!(order, ["1", "2", "3"]);
}

#[test]
fn an_error_in_a_part_names_it() {
    let store = Store::start();
    let folder = store.folder();
    folder.write("a-1.ndjson", "{\"tailnum\":\"N1\"}\n");
    folder.write("a-2.ndjson", "{\"tailnum\":\"N1\"}\nno json\n");
    let ended = Beamlet::run(&folder, "--input a-*.ndjson --output out.ndjson").end();
    redacted(|| {
        assert_snapshot!(ended, @"
        error: a-2.ndjson:2:1: row is not a JSON object: it does not begin with {; write one JSON object on each line
        3 rows in: 0 enriched, 1 missing, 0 with a null key, 0 failed
        1 request, [speed]
        failed: nothing was written to out.ndjson
        exit code 1
        ")
    });
}

#[test]
fn a_row_of_a_table_is_a_dead_letter_with_its_number() {
    let store = Store::that_answers(tecton_emulator::FaultAnswer::status(422));
    let folder = store.folder();
    let good = Store::start();
    let source = good.folder();
    let rows = "{\"tailnum\":\"N1\",\"n\":1.5}\n{\"tailnum\":\"N2\",\"n\":2.5}\n";
    Beamlet::run(&source, "--output rows.parquet").stdin(rows).succeed();
    fs::copy(source.file("rows.parquet"), folder.file("rows.parquet")).unwrap();
    Beamlet::run(&folder, "--input rows.parquet --output out.parquet --dead-letter dead.ndjson.gz")
        .succeed();
    let mut unpacked = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::GzDecoder::new(fs::File::open(folder.file("dead.ndjson.gz")).unwrap()),
        &mut unpacked,
    )
    .unwrap();
    let second: serde_json::Value = serde_json::from_str(unpacked.lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        (&second["source"], &second["row"]["n"]),
        (&"rows.parquet:row 2".into(), &2.5.into())
    );
}

#[test]
fn pipes_are_packed_as_the_command_line_says() {
    let store = Store::start();
    let folder = store.folder();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"{\"tailnum\":\"N10156\"}\n").unwrap();
    let packed = packed.finish().unwrap();
    let ended = Beamlet::run(&folder, "--compression gzip --output out.ndjson").stdin(packed).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(folder.read("out.ndjson").contains("\"planes.year\":2004"));
}

#[test]
fn a_pipe_is_read_as_what_its_first_bytes_say() {
    let store = Store::start();
    let folder = sampled(&store);
    Beamlet::run(&folder, "--input flights.csv --null NA --output expected.ndjson").succeed();
    let expected = folder.read("expected.ndjson");
    for format in ["parquet", "arrow", "arrows", "ndjson.gz", "ndjson.zst"] {
        let output = format!("--input flights.csv --null NA --output enriched.{format}");
        Beamlet::run(&folder, &output).succeed();
        let bytes = fs::read(folder.file(&format!("enriched.{format}"))).unwrap();
        let back = Beamlet::run(&folder, "--output back.ndjson").stdin(bytes).end();
        assert_eq!(back.code, Some(0), "{}", back.stderr);
        assert_eq!(folder.read("back.ndjson"), expected, "{format}");
    }
}

#[test]
fn csv_is_read_and_written_with_the_delimiter_that_the_command_line_says() {
    let store = Store::start();
    let folder = store.folder();
    folder.write("rows.csv", "sep=;\nn;tailnum\n1,5;N0\n");
    Beamlet::run(&folder, "--input rows.csv --output out.csv --delimiter ;").succeed();
    assert!(folder.read("out.csv").starts_with("n;tailnum;"), "{}", folder.read("out.csv"));
    let ended = Beamlet::run(&folder, "--input rows.csv --output out.csv").end();
    assert!(ended.stderr.contains("use --delimiter ';'"), "{ended}");
    let ended = Beamlet::run(&folder, "--output out.ndjson --delimiter tab").stdin("{}\n").end();
    assert_eq!(ended.code, Some(2), "{ended}");
}

/// Beyond the window, a bundle that hangs stops the reading; within it, it stops nothing.
#[test]
fn a_slow_bundle_delays_others_only_at_the_end_of_the_window() {
    let slow = tecton_emulator::FaultAnswer::Hang(std::time::Duration::from_secs(4));
    let fault =
        tecton_emulator::Fault::first(1, slow).on(tecton_emulator::Endpoint::GetFeaturesBatch);
    let store = planes().fault(fault).start_blocking().unwrap();
    // Smaller bundles would share the slow request.
    let options = "[run]\nin_flight = 2\nbundle_size = 10\nwindow = 10\n";
    let folder = folder_of(&(config(&store.url()) + options));
    let rows: String = (0..1000).map(|n| format!("{{\"tailnum\":\"N{n}\"}}\n")).collect();
    let run = std::thread::spawn(move || Beamlet::run(&folder, "").stdin(rows).succeed());
    // Until nothing more is asked for: others have been, and there is a last one.
    let (mut asked, mut still) = (0, 0);
    while asked < 3 || still < 10 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let now = store.stats().requests;
        still = if now == asked { still + 1 } else { 0 };
        asked = now;
    }
    // One for the metadata, the bundles before the slow one, which is within the first window, and
    // a window from there on.
    assert!(asked <= 1 + 9 + 10, "{asked}");
    assert_eq!(run.join().unwrap().lines().count(), 1000);
}
