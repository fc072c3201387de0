//! Rows that fail: what happens to them, and that none is lost.

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::redacted;
use crate::support::store::{Store, config, folder_of};
use insta::assert_snapshot;
use serde_json::Value;
use std::collections::BTreeSet;
use tecton_emulator::{FaultAnswer, StatusFault};

/// A run of few attempts, quickly.
const QUICK: &str = "
[run.retry]
max_attempts = 2
backoff_ms = 1
";

/// A store that knows planes and does not know what to do with what is no string.
fn some_rows() -> &'static str {
    "{\"n\": 1, \"tailnum\": \"N10156\"}\n{\"n\": 2}\n{\"n\": 3, \"tailnum\": \"N0\"}\n\
     no json\n{\"n\": 5, \"tailnum\": [1]}\n{\"n\": 6, \"tailnum\": \"N102UW\"}\n"
}

/// The dead letters of a file, without their time, which is checked.
fn letters(folder: &Folder, name: &str) -> Vec<Value> {
    let letter = |line: &str| {
        let mut letter: Value = serde_json::from_str(line).unwrap();
        let time = letter.as_object_mut().unwrap().remove("time").unwrap();
        humantime::parse_rfc3339(time.as_str().unwrap()).unwrap();
        letter
    };
    folder.read(name).lines().map(letter).collect()
}

#[test]
fn dead_letters_hold_what_the_output_does_not() {
    let store = Store::start();
    let folder = store.folder();
    folder.write("rows.ndjson", some_rows());
    let ended = Beamlet::run(
        &folder,
        "--input rows.ndjson --output out.ndjson --dead-letter dead.ndjson --summary s.json",
    )
    .end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let numbers = |rows: Vec<Value>| -> BTreeSet<i64> {
        rows.iter().filter_map(|row| row["n"].as_i64()).collect()
    };
    let written = folder.read("out.ndjson");
    let written: Vec<Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(written[0]["planes.year"], 2004);
    assert_eq!(numbers(written), BTreeSet::from([1, 3, 6]));
    let letters = letters(&folder, "dead.ndjson");
    insta::assert_json_snapshot!(letters, @r#"
    [
      {
        "row": {
          "n": 2
        },
        "kind": "invalid-input",
        "message": "rows.ndjson:2: field \"tailnum\" is missing, and the handler requires it; add it to the row (null is allowed)",
        "attempts": 0,
        "source": "rows.ndjson:2"
      },
      {
        "row": "no json",
        "kind": "invalid-input",
        "message": "rows.ndjson:4:1: row is not a JSON object: it does not begin with {; write one JSON object on each line",
        "attempts": 0,
        "source": "rows.ndjson:4"
      },
      {
        "row": {
          "n": 5,
          "tailnum": [
            1
          ]
        },
        "kind": "invalid-input",
        "message": "field `tailnum` is a list; a join key is a string, an integer or null",
        "attempts": 1,
        "source": "rows.ndjson:5"
      }
    ]
    "#);
    let summary: Value = serde_json::from_str(&folder.read("s.json")).unwrap();
    let counts = ["rows", "written", "dead_letters", "enriched", "missing", "failed"]
        .map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [6, 3, 3, 2, 1, 3]);
}

#[test]
fn dead_letters_count_the_attempts() {
    let store = Store::that_answers(StatusFault::new(503).message("busy"));
    let folder = folder_of(&format!("{}{QUICK}", config(&store.url())));
    folder.write("rows.csv", "n,tailnum\n1,N1\n2,N2\n");
    let ended =
        Beamlet::run(&folder, "--input rows.csv --output out.csv --dead-letter dead.ndjson").end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(folder.read("out.csv"), "n,tailnum\n");
    insta::assert_json_snapshot!(letters(&folder, "dead.ndjson"), @r#"
    [
      {
        "row": {
          "n": 1,
          "tailnum": "N1"
        },
        "kind": "unavailable",
        "message": "the feature store answered 503: busy",
        "attempts": 2,
        "source": "rows.csv:2"
      },
      {
        "row": {
          "n": 2,
          "tailnum": "N2"
        },
        "kind": "unavailable",
        "message": "the feature store answered 503: busy",
        "attempts": 2,
        "source": "rows.csv:3"
      }
    ]
    "#);
}

#[test]
fn dead_letters_are_an_input_again() {
    let bad = Store::that_answers(FaultAnswer::status(503));
    let folder = folder_of(&format!("{}{QUICK}", config(&bad.url())));
    let rows = "{\"n\":1,  \"tailnum\":\"N10156\"}\n{\"tailnum\":\"N0\",\"n\":2}\n";
    folder.write("rows.ndjson", rows);
    Beamlet::run(&folder, "--input rows.ndjson --output o.ndjson --dead-letter d.ndjson").succeed();
    let again: Vec<String> = folder
        .read("d.ndjson")
        .lines()
        .map(|line| {
            let start = line.find("\"row\":").unwrap() + 6;
            let end = line.find(",\"kind\":").unwrap();
            line[start..end].to_owned()
        })
        .collect();
    assert_eq!(again.join("\n") + "\n", rows);
}

#[test]
fn rows_that_are_kept_come_out_without_features() {
    let store = Store::start();
    let folder = store.folder();
    folder.write("rows.ndjson", some_rows().replace("no json\n", ""));
    let out = Beamlet::run(&folder, "--input rows.ndjson --on-failure keep").succeed();
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let years: Vec<&Value> = rows.iter().map(|row| &row["planes.year"]).collect();
    assert_eq!(years, [2004.into(), Value::Null, Value::Null, Value::Null, 1998.into()].each_ref());
    assert!(rows.iter().all(|row| row.as_object().unwrap().contains_key("planes.model")));
}

#[test]
fn a_row_that_is_not_json_cannot_be_kept() {
    let folder = Store::start().folder();
    let ended = Beamlet::run(&folder, "--on-failure keep").stdin("no json\n").end();
    redacted(|| {
        assert_snapshot!(ended, @"
        error: standard input:1:1: row is not a JSON object: it does not begin with {; write one JSON object on each line (--on-failure keep can only keep a row that can be written, and this one cannot; use --dead-letter FILE to set it aside)
        1 row in: 0 enriched, 0 missing, 0 with a null key, 1 failed
        0 requests, [speed]
        failed: the output in standard output is not complete
        exit code 1
        ")
    });
}

#[test]
fn an_error_for_every_row_ends_the_run_whatever_the_policy() {
    let store = Store::that_answers(FaultAnswer::status(401));
    let folder = store.folder();
    folder.write("rows.ndjson", "{\"tailnum\": \"N1\"}\n");
    let ended =
        Beamlet::run(&folder, "--input rows.ndjson --output out.ndjson --dead-letter dead.ndjson")
            .end();
    assert_eq!(ended.code, Some(1));
    assert_eq!(folder.names(), ["beamlet.toml", "rows.ndjson"]);
}

#[test]
fn dead_letters_beside_a_pipe_are_kept_when_the_run_fails() {
    let store = Store::that_answers(FaultAnswer::status(401));
    let folder = store.folder();
    let rows = "no json\n{\"tailnum\": \"N1\"}\n";
    let ended =
        Beamlet::run(&folder, "--dead-letter dead.ndjson --bundle-size 1").stdin(rows).end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(letters(&folder, "dead.ndjson").len(), 1);
}

/// The rows, as they came out, and of each letter what it has of the row, and its source.
fn sifted(folder: &Folder, input: &str, output: &str) -> (String, Vec<String>) {
    let arguments = format!(
        "--input {input} --output {output} --dead-letter dead.ndjson --summary s.json --delimiter ,"
    );
    let arguments = match [input, output].iter().any(|it| it.ends_with("csv")) {
        true => arguments,
        false => arguments.replace(" --delimiter ,", ""),
    };
    let ended = Beamlet::run(folder, &arguments).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let letter = |letter: &Value| {
        assert_eq!((&letter["kind"], &letter["attempts"]), (&"invalid-input".into(), &0.into()));
        let row = letter.get("row_base64").unwrap_or(&letter["row"]);
        format!("{} {row}", letter["source"].as_str().unwrap())
    };
    let letters: Vec<_> = letters(folder, "dead.ndjson").iter().map(letter).collect();
    let summary: Value = serde_json::from_str(&folder.read("s.json")).unwrap();
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(count("dead_letters"), letters.len() as u64, "{summary}");
    assert_eq!(count("rows"), count("written") + count("dead_letters"), "{summary}");
    let written = if output.ends_with("parquet") { String::new() } else { folder.read(output) };
    (written, letters)
}

#[test]
fn rows_that_cannot_be_read_are_dead_letters_with_their_bytes() {
    let store = Store::start();
    let folder = store.folder();
    let rows = b"n,tailnum\n1,N10156\n2\n3,\"N\"\"1\",4\n\xff,N1\n6,\"N\"1\n7,N102UW\n";
    folder.write("rows.csv", rows);
    let (written, letters) = sifted(&folder, "rows.csv", "out.ndjson");
    let numbers = ["{\"n\":1,", "{\"n\":7,"];
    assert!(written.lines().zip(numbers).all(|(row, begin)| row.starts_with(begin)), "{written}");
    assert_eq!(written.lines().count(), 2);
    assert_snapshot!(letters.join("\n"), @r#"
    rows.csv:3 "2"
    rows.csv:4 "3,\"N\"\"1\",4"
    rows.csv:5 "/yxOMQ=="
    rows.csv:6 "6,\"N\"1"
    "#);
    folder.write("rows.ndjson", b"no json\n{\"tailnum\":\"\xff\"}\n{\"tailnum\":null}\n");
    let (written, letters) = sifted(&folder, "rows.ndjson", "out.ndjson");
    assert_eq!(written.lines().count(), 1);
    assert_snapshot!(letters.join("\n"), @r#"
    rows.ndjson:1 "no json"
    rows.ndjson:2 "eyJ0YWlsbnVtIjoi/yJ9"
    "#);
}

#[test]
fn rows_that_cannot_be_written_are_dead_letters() {
    let store = Store::start();
    let folder = store.folder();
    let numbers: String = (0..1_000).map(|number| format!("{number},N0\n")).collect();
    folder.write("rows.csv", format!("n,tailnum\n{numbers}x,N10156\n7,N102UW\n"));
    for output in ["out.ndjson", "out.parquet"] {
        let (_, letters) = sifted(&folder, "rows.csv", output);
        assert_eq!(letters, [r#"rows.csv:1002 {"n":"x","tailnum":"N10156"}"#], "{output}");
    }
    let rows = "{\"tailnum\":\"N0\",\"a\":\"x\"}\n{\"tailnum\":\"N0\",\"a\":\"\\ud800\"}\n";
    folder.write("rows.ndjson", rows);
    for output in ["out.csv", "out.parquet"] {
        let input = "--input rows.ndjson --dead-letter dead.ndjson --output";
        let ended = Beamlet::run(&folder, &format!("{input} {output}")).end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let letter = folder.read("dead.ndjson");
        let begin = "{\"row\":{\"tailnum\":\"N0\",\"a\":\"\\ud800\"},\"kind\":\"invalid-input\"";
        assert!(letter.starts_with(begin) && letter.lines().count() == 1, "{letter}");
    }
}

#[test]
fn a_row_that_is_too_long_is_a_dead_letter_whole() {
    let store = Store::start();
    let folder = store.folder();
    let long = "x".repeat((64 << 20) + 7);
    folder.write("rows.csv", format!("n,tailnum\n1,N10156\n{long},N1\n3,N102UW\n"));
    let (written, letters) = sifted(&folder, "rows.csv", "out.ndjson");
    assert_eq!((written.lines().count(), letters.len()), (2, 1));
    let base64 = letters[0].strip_prefix("rows.csv:3 \"").unwrap().strip_suffix('"').unwrap();
    let whole = base64.strip_prefix("eHh4").unwrap();
    assert_eq!(base64.len(), (long.len() + 3).div_ceil(3) * 4);
    // xx,N1
    assert!(whole.ends_with("eHgsTjE="), "{}", &whole[whole.len() - 20..]);
}

#[test]
fn a_row_that_cannot_be_kept_says_so() {
    let store = Store::start();
    let folder = store.folder();
    folder.write("rows.csv", "n,tailnum\n1,N10156\n2\n");
    let ended = Beamlet::run(&folder, "--input rows.csv --output o.csv --on-failure keep").end();
    assert_eq!(ended.code, Some(1));
    let error = ended.stderr.lines().next().unwrap_or_default();
    assert_snapshot!(error, @r#"error: rows.csv:3: row has too few fields: expected 2, got 1; the first missing field is "tailnum" (--on-failure keep can only keep a row that can be written, and this one cannot; use --dead-letter FILE to set it aside)"#);
}

#[test]
fn unordered_rows_are_written_as_their_bundles_are_done() {
    let slow = FaultAnswer::Hang(std::time::Duration::from_millis(600));
    let fault =
        tecton_emulator::Fault::first(1, slow).on(tecton_emulator::Endpoint::GetFeaturesBatch);
    for (order, first) in [("--ordered", "\"n\":0"), ("--unordered", "\"n\":")] {
        let store = crate::support::store::planes().fault(fault.clone()).start_blocking().unwrap();
        let folder = folder_of(&config(&store.url()));
        let rows: String =
            (0..400).map(|n| format!("{{\"n\":{n},\"tailnum\":\"N{n}\"}}\n")).collect();
        let arguments = format!("{order} --bundle-size 10 --in-flight 4");
        let out = Beamlet::run(&folder, &arguments).stdin(rows).succeed();
        let order_of: Vec<u64> = out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["n"].as_u64().unwrap())
            .collect();
        assert!(out.starts_with(&format!("{{{first}")), "{order}");
        assert_eq!(order_of.is_sorted(), order == "--ordered", "{order}: {order_of:?}");
        assert_eq!(order_of.iter().collect::<BTreeSet<_>>().len(), 400);
    }
}

#[test]
fn a_conflict_is_settled_as_the_command_line_says() {
    let store = Store::start();
    let folder = store.folder();
    let row = "{\"planes.year\": \"mine\", \"tailnum\": \"N10156\"}\n";
    let year = |options: &str| {
        let out = Beamlet::run(&folder, options).stdin(row).succeed();
        let row: Value = serde_json::from_str(&out).unwrap();
        (row["planes.year"].clone(), row.get("planes.year_tecton").cloned())
    };
    assert_eq!(year(""), ("mine".into(), None));
    assert_eq!(year("--on-conflict left"), ("mine".into(), None));
    assert_eq!(year("--on-conflict right"), (2004.into(), None));
    assert_eq!(year("--suffix _tecton"), ("mine".into(), Some(2004.into())));
    let ended = Beamlet::run(&folder, "--on-conflict error").stdin(row).end();
    assert!(!ended.stderr.contains("mine"), "{}", ended.stderr);
    redacted(|| {
        assert_snapshot!(ended, @r#"
        error: standard input:1: feature "planes.year" has the same name as a field of the row; rename the field, or choose with --on-conflict left, right or suffix which value to keep
        1 row in: 1 enriched, 0 missing, 0 with a null key, 0 failed
        1 request, [speed]
        failed: the output in standard output is not complete
        exit code 1
        "#)
    });
}

/// A store that is down, and a folder with rows of keys that differ.
fn down(rows: usize) -> (Store, Folder) {
    let store = Store::that_answers(StatusFault::new(503).message("busy"));
    let fast_retry = format!("{QUICK}[run.breaker]\nenabled = false\n");
    let folder = folder_of(&(config(&store.url()) + &fast_retry));
    let row = |n: usize| format!("{{\"n\":{n},\"tailnum\":\"N{n}\"}}\n");
    folder.write("rows.ndjson", (0..rows).map(row).collect::<String>());
    (store, folder)
}

const ASIDE: &str = "--input rows.ndjson --output o.ndjson --dead-letter d.ndjson --summary s.json";

#[test]
fn a_store_that_is_down_ends_the_run_instead_of_making_dead_letters_of_all_rows() {
    let (_store, folder) = down(6000);
    let ended = Beamlet::run(&folder, &format!("{ASIDE} --bundle-size 100 --in-flight 1")).end();
    assert_eq!(ended.code, Some(1), "{ended}");
    let why = "rows failed, more than --max-failures 10% allows; ";
    assert!(ended.stderr.contains(why), "{ended}");
    let reason = "rows failed with unavailable: the feature store answered 503: busy";
    assert!(ended.stderr.contains(reason), "{ended}");
    assert_eq!(folder.names(), ["beamlet.toml", "rows.ndjson", "s.json"]);
    let summary: Value = serde_json::from_str(&folder.read("s.json")).unwrap();
    assert_eq!(summary["complete"], false);
    assert_eq!(summary["failures"][0]["kind"], "unavailable");
    assert_eq!(summary["failures"][0]["message"], "the feature store answered 503: busy");
    assert_eq!(summary["failures"][0]["rows"], summary["failed"]);
}

#[test]
fn a_few_failed_rows_do_not_end_a_run() {
    let (_store, folder) = down(900);
    Beamlet::run(&folder, ASIDE).succeed();
    assert_eq!(letters(&folder, "d.ndjson").len(), 900);
}

#[test]
fn how_many_rows_may_fail_is_a_number_or_a_share() {
    let store = Store::start();
    let folder = store.folder();
    let row = |n: usize| match n % 10 {
        0 => "{\"tailnum\":[1]}\n".to_owned(),
        _ => format!("{{\"tailnum\":\"N{n}\"}}\n"),
    };
    folder.write("rows.ndjson", (0..200).map(row).collect::<String>());
    for (most, code) in
        [("0", 1), ("19", 1), ("20", 0), ("9.9%", 1), ("10%", 0), ("100%", 0), ("0%", 1)]
    {
        for arguments in [ASIDE, "--input rows.ndjson --output o.ndjson --on-failure keep"] {
            let ended = Beamlet::run(&folder, &format!("{arguments} --max-failures {most}")).end();
            assert_eq!(ended.code, Some(code), "{most}: {ended}");
        }
        let config = config(&store.url()) + &format!("[run]\nmax_failures = '{most}'\n");
        folder.write("beamlet.toml", config);
        assert_eq!(Beamlet::run(&folder, ASIDE).end().code, Some(code), "{most}");
        folder.write("beamlet.toml", crate::support::store::config(&store.url()));
    }
}

#[test]
fn max_failures_without_a_policy_that_goes_on_is_bad_usage() {
    let (_store, folder) = down(1);
    let ended = Beamlet::run(&folder, "--input rows.ndjson --max-failures 10%").end();
    assert_snapshot!(ended, @"
    error: --max-failures 10%: needs --dead-letter FILE or --on-failure keep: otherwise the first row that fails ends the run
    exit code 2
    ");
    let ended = Beamlet::run(&folder, &format!("{ASIDE} --max-failures some")).end();
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("such as 10%"), "{ended}");
}

#[test]
fn the_summary_lists_failures_by_kind_and_message_without_places() {
    let store = Store::start();
    let folder = store.folder();
    let rows = "{\"tailnum\":[1]}\n{\"n\":1}\nno json\n{\"n\":2}\n{\"tailnum\":\"N1\"}\n";
    folder.write("rows.ndjson", rows);
    let ended = Beamlet::run(&folder, ASIDE).end();
    redacted(|| {
        assert_snapshot!(ended, @r#"
        5 rows in: 0 enriched, 1 missing, 0 with a null key, 4 failed
        2 rows failed with invalid-input: field "tailnum" is missing, and the handler requires it; add it to the row (null is allowed)
        1 row failed with invalid-input: field `tailnum` is a list; a join key is a string, an integer or null
        1 row failed with invalid-input: row is not a JSON object: it does not begin with {; write one JSON object on each line
        5 rows out: 1 written, 4 dead letters
        1 request, [speed]
        written to o.ndjson
        exit code 0
        "#);
    });
    let summary: Value = serde_json::from_str(&folder.read("s.json")).unwrap();
    let rows = |at: usize| summary["failures"][at]["rows"].as_u64().unwrap();
    assert_eq!([rows(0), rows(1), rows(2)], [2, 1, 1]);
}
