//! SIGINT and SIGTERM: bundles in flight are finished, and no row is lost or half-written.
#![cfg(unix)]

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::store::{config, folder_of, planes};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tecton_emulator::Background;

fn slow_store() -> (Background, Folder) {
    let store = planes().latency(Duration::from_millis(200)).start_blocking().unwrap();
    let folder = folder_of(&config(&store.url()));
    (store, folder)
}

/// Where the tests themselves were started by `nohup`, a child would inherit that SIGHUP is ignored.
const NOT_IGNORED: &[&str] =
    if cfg!(target_os = "linux") { &["env", "--default-signal=HUP"] } else { &["env"] };

fn start(folder: &Folder, arguments: &str) -> Child {
    start_by(NOT_IGNORED, folder, arguments)
}

/// Starts a run by a command that takes the place of its process.
fn start_by(by: &[&str], folder: &Folder, arguments: &str) -> Child {
    let beamlet = Beamlet::run(folder, arguments).into_command();
    let mut command = Command::new(by[0]);
    command.args(&by[1..]).arg(beamlet.get_program()).args(beamlet.get_args());
    command.current_dir(folder.path());
    for (name, value) in beamlet.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}

fn rows(count: usize) -> String {
    (0..count).map(|n| format!("{{\"n\":{n},\"tailnum\":\"N{n}\"}}\n")).collect()
}

fn asked(store: &Background) {
    let started = Instant::now();
    // One of them is for the metadata.
    while store.stats().requests < 2 {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn rest(child: Child) -> (Option<i32>, String, String) {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn stopping_a_run_over_a_pipe_writes_every_row_that_was_read() {
    let (store, folder) = slow_store();
    let mut child = start(&folder, "--bundle-size 10");
    // It stays open, so the run does not know that there is no more.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(rows(25).as_bytes()).unwrap();
    asked(&store);
    signal(&child, "TERM");
    let (code, out, err) = rest(child);
    assert_eq!(code, Some(0), "{err}");
    // The last five are no whole bundle, and were read all the same.
    assert_eq!(out.lines().count(), 25, "{err}");
    assert!(
        err.contains("SIGTERM: no more rows are read; a second signal ends the run immediately"),
        "{err}"
    );
    assert!(
        err.contains("stopped: all rows that were read are written to standard output"),
        "{err}"
    );
    drop(stdin);
}

#[test]
fn a_run_ends_when_nobody_reads_its_output_though_its_input_stays_open() {
    let store = planes().start_blocking().unwrap();
    let folder = folder_of(&config(&store.url()));
    let mut child = start(&folder, "--bundle-size 1");
    // Open to the end: no more rows come, and nobody says so.
    let mut stdin = child.stdin.take().unwrap();
    drop(child.stdout.take());
    stdin.write_all(rows(1).as_bytes()).unwrap();
    let started = Instant::now();
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("it waits for rows that nobody would get");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(code, Some(1));
    drop(stdin);
}

#[test]
fn stopping_a_run_over_a_file_leaves_no_partial_output() {
    let (store, folder) = slow_store();
    folder.write("rows.ndjson", rows(20_000));
    let child = start(&folder, "--input rows.ndjson --output out.ndjson --bundle-size 10");
    asked(&store);
    signal(&child, "INT");
    let (code, _, err) = rest(child);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("stopped: nothing was written to out.ndjson"), "{err}");
    assert_eq!(folder.names(), ["beamlet.toml", "rows.ndjson"]);
}

#[test]
fn a_second_signal_stops_at_once() {
    let store = planes().latency(Duration::from_secs(30)).start_blocking().unwrap();
    let folder = folder_of(&config(&store.url()));
    let mut child = start(&folder, "--bundle-size 1 --progress never");
    let mut stdin = child.stdin.take().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stdin.write_all(rows(5).as_bytes()).unwrap();
    asked(&store);
    signal(&child, "INT");
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("SIGINT: no more rows are read"), "{line}");
    let started = Instant::now();
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(started.elapsed() < Duration::from_secs(10));
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "SIGINT: stopped\n");
}

/// A run that reads a file, and has begun all of its outputs.
fn writing(folder: &Folder) -> Child {
    folder.write("rows.ndjson", rows(20_000));
    let outputs = "--output o.ndjson --dead-letter d.ndjson --summary s.json";
    start(folder, &format!("--input rows.ndjson {outputs} --bundle-size 10 --progress never"))
}

#[test]
fn a_signal_that_ends_the_process_leaves_no_unfinished_file() {
    let store = planes().latency(Duration::from_secs(30)).start_blocking().unwrap();
    for (signals, code) in [
        (&["INT", "INT"][..], 130),
        (&["TERM", "TERM"], 143),
        (&["HUP", "HUP"], 129),
        (&["TERM", "HUP"], 129),
        (&["HUP", "INT"], 130),
        (&["QUIT"], 131),
    ] {
        let folder = folder_of(&config(&store.url()));
        let before = store.stats().requests;
        let mut child = writing(&folder);
        let started = Instant::now();
        while store.stats().requests < before + 1 {
            assert!(started.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        }
        // The first request is for the metadata: it comes after the files are made.
        std::thread::sleep(Duration::from_millis(300));
        for name in signals {
            signal(&child, name);
            std::thread::sleep(Duration::from_millis(300));
        }
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signals:?}");
        assert_eq!(folder.names(), ["beamlet.toml", "rows.ndjson"], "{signals:?}");
    }
}

#[test]
fn sighup_finishes_bundles_in_flight() {
    let (store, folder) = slow_store();
    let mut child = start(&folder, "--bundle-size 10 --progress never");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(rows(25).as_bytes()).unwrap();
    asked(&store);
    signal(&child, "HUP");
    let (code, out, err) = rest(child);
    assert_eq!((code, out.lines().count()), (Some(0), 25), "{err}");
    assert!(err.contains("SIGHUP: no more rows are read"), "{err}");
    drop(stdin);
}

#[test]
fn sighup_is_ignored_under_nohup() {
    let (store, folder) = slow_store();
    let mut child = start_by(&["nohup"], &folder, "--bundle-size 10 --progress never");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(rows(10).as_bytes()).unwrap();
    asked(&store);
    signal(&child, "HUP");
    std::thread::sleep(Duration::from_millis(300));
    stdin.write_all(rows(10).as_bytes()).unwrap();
    drop(stdin);
    let (code, out, err) = rest(child);
    assert_eq!((code, out.lines().count()), (Some(0), 20), "{err}");
}

#[test]
fn a_signal_before_there_are_rows_ends_the_run_and_leaves_nothing() {
    let (_store, folder) = slow_store();
    assert!(Command::new("mkfifo").arg(folder.file("pipe.ndjson")).status().unwrap().success());
    folder.write("rows.ndjson", rows(1));
    // Nobody opens the other end: the run waits for that.
    let arguments = "--input rows.ndjson --output pipe.ndjson --dead-letter d.ndjson";
    let mut child = start(&folder, arguments);
    let started = Instant::now();
    while !folder.names().iter().any(|name| name.ends_with(".partial")) {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(folder.names(), ["beamlet.toml", "pipe.ndjson", "rows.ndjson"]);
}
