//! A run works, and has the right exit code, even if nobody reads its standard error.
#![cfg(unix)]

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::store::{Store, planes};
use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ways to have no standard error, each a redirection of the shell.
const NOWHERE: [&str; 2] = ["2>&-", "2>/dev/full"];

/// The exit code of a command in a shell, with a redirection.
fn code(folder: &Folder, arguments: &str, redirection: &str) -> Option<i32> {
    shell(folder, arguments, redirection).status().unwrap().code()
}

fn shell(folder: &Folder, arguments: &str, redirection: &str) -> Command {
    let beamlet = Beamlet::new(folder, arguments).into_command();
    let words = std::iter::once(beamlet.get_program()).chain(beamlet.get_args());
    let line: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {} {redirection}", line.join(" "))]);
    shell.current_dir(folder.path()).stdin(Stdio::null());
    shell.envs(beamlet.get_envs().map(|(name, value)| (name, value.unwrap())));
    shell
}

/// A standard error of which nobody reads the other end.
fn without_reader() -> File {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    File::from(std::os::fd::OwnedFd::from(writer))
}

fn folder(store: &Store) -> Folder {
    let folder = store.folder();
    folder.write("rows.ndjson", "{\"tailnum\":\"N1\"}\n");
    folder
}

#[test]
fn a_run_that_cannot_say_anything_succeeds_and_writes_its_summary() {
    let store = Store::start();
    let arguments = "--input rows.ndjson --output o.ndjson --summary s.json --log debug";
    for redirection in NOWHERE {
        let folder = folder(&store);
        let run = format!("run --config beamlet.toml {arguments}");
        assert_eq!(code(&folder, &run, redirection), Some(0), "{redirection}");
        assert_eq!(folder.names(), ["beamlet.toml", "o.ndjson", "rows.ndjson", "s.json"]);
    }
    let folder = folder(&store);
    let ended = Beamlet::run(&folder, arguments).stderr(without_reader()).end();
    assert_eq!(ended.code, Some(0));
    assert!(folder.read("s.json").contains("\"complete\": true"));
}

#[test]
fn exit_codes_of_failures_do_not_depend_on_standard_error() {
    let store = Store::start();
    let folder = folder(&store);
    folder.write("bad.ndjson", "no json\n");
    for redirection in NOWHERE {
        for (arguments, expected) in [
            ("run --config beamlet.toml --input bad.ndjson --output o.ndjson", 1),
            ("run --config beamlet.toml --input no-such.ndjson --output o.ndjson", 1),
            ("run --config no-such.toml --input rows.ndjson --output o.ndjson", 2),
            ("run --unknown", 2),
            ("check --config no-such.toml", 2),
            ("validate --config no-such.toml", 2),
        ] {
            assert_eq!(code(&folder, arguments, redirection), Some(expected), "{arguments}");
        }
    }
}

#[test]
fn a_run_goes_on_if_nobody_reads_metrics_and_progress() {
    let store = Store::start();
    let folder = folder(&store);
    let more = "--metrics-addr 127.0.0.1:0 --progress lines --log-format json --log debug";
    let arguments = format!("--input rows.ndjson --output o.ndjson {more}");
    let full = File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(Beamlet::run(&folder, &arguments).stderr(full).end().code, Some(0));
}

fn start(folder: &Folder, stderr: File) -> Child {
    let mut command = Beamlet::run(folder, "--bundle-size 1").into_command();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}

fn code_of(mut child: Child) -> Option<i32> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn signals_work_if_standard_error_is_closed() {
    let store = planes().latency(Duration::from_secs(30)).start_blocking().unwrap();
    let folder = crate::support::store::folder_of(&crate::support::store::config(&store.url()));
    let (unread, unread_by_nobody) = std::io::pipe().unwrap();
    let mut filled = unread_by_nobody.try_clone().unwrap();
    // A pipe takes so much before its writer waits.
    std::thread::spawn(move || filled.write_all(&[b'x'; 1 << 20]));
    let stuck = File::from(std::os::fd::OwnedFd::from(unread_by_nobody));
    let full = File::options().write(true).open("/dev/full").unwrap();
    for stderr in [full, without_reader(), stuck] {
        let before = store.stats().requests;
        let mut child = start(&folder, stderr);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(b"{\"tailnum\":\"N1\"}\n").unwrap();
        let started = Instant::now();
        while store.stats().requests < before + 1 && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        // The answer takes long: the second one does not wait for it.
        std::thread::sleep(Duration::from_millis(500));
        signal(&child, "TERM");
        std::thread::sleep(Duration::from_millis(200));
        signal(&child, "INT");
        assert_eq!(code_of(child), Some(130));
    }
    drop(unread);
}
