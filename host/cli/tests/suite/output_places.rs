//! Outputs to links, pipes, devices and standard output.
#![cfg(unix)]

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::store::Store;
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::Command;

/// A folder with one row, and a store that knows it.
fn folder() -> (Store, Folder) {
    let store = Store::start();
    let folder = store.folder();
    folder.write("rows.ndjson", "{\"tailnum\":\"N10156\"}\n");
    (store, folder)
}

fn mode(folder: &Folder, name: &str) -> u32 {
    fs::metadata(folder.file(name)).unwrap().permissions().mode() & 0o777
}

#[track_caller]
fn assert_summary(text: &str) {
    let summary: Value = serde_json::from_str(text).unwrap();
    assert_eq!(summary["written"], 1);
}

fn fifo(folder: &Folder, name: &str) -> std::thread::JoinHandle<String> {
    assert!(Command::new("mkfifo").arg(folder.file(name)).status().unwrap().success());
    let path = folder.file(name);
    std::thread::spawn(move || fs::read_to_string(path).unwrap())
}

/// The three outputs, each at a path of its own.
const OUTPUTS: [&str; 3] = [
    "--output PLACE",
    "--output o.ndjson --dead-letter PLACE",
    "--output o.ndjson --summary PLACE",
];

#[test]
fn the_target_of_a_link_is_written_and_the_link_stays() {
    for output in OUTPUTS {
        let (_store, folder) = folder();
        fs::create_dir(folder.file("sub")).unwrap();
        folder.write("sub/old.ndjson", "of yesterday\n");
        symlink("sub/old.ndjson", folder.file("there.ndjson")).unwrap();
        symlink("sub/new.ndjson", folder.file("dangling.ndjson")).unwrap();
        for (link, file) in
            [("there.ndjson", "sub/old.ndjson"), ("dangling.ndjson", "sub/new.ndjson")]
        {
            let arguments = format!("--input rows.ndjson {}", output.replace("PLACE", link));
            Beamlet::run(&folder, &arguments).succeed();
            assert!(folder.file(link).is_symlink(), "{arguments}");
            assert!(!folder.read(file).contains("yesterday"), "{arguments}");
        }
        let left = fs::read_dir(folder.file("sub")).unwrap().count();
        assert_eq!(left, 2, "{output}");
    }
}

#[test]
fn a_named_pipe_gets_what_is_written_and_stays_one() {
    for output in OUTPUTS {
        let (_store, folder) = folder();
        let reader = fifo(&folder, "pipe.ndjson");
        let arguments = format!("--input rows.ndjson {}", output.replace("PLACE", "pipe.ndjson"));
        Beamlet::run(&folder, &arguments).succeed();
        let text = reader.join().unwrap();
        assert_eq!(text.is_empty(), output.contains("dead-letter"), "{arguments}: {text}");
        assert!(fs::metadata(folder.file("pipe.ndjson")).unwrap().file_type().is_fifo());
    }
}

#[test]
fn rows_and_summary_go_to_two_pipes_that_are_read_one_after_the_other() {
    let (_store, folder) = folder();
    let rows = fifo(&folder, "rows.pipe");
    assert!(Command::new("mkfifo").arg(folder.file("summary.pipe")).status().unwrap().success());
    let summary = folder.file("summary.pipe");
    let both = std::thread::spawn(move || {
        let rows = rows.join().unwrap();
        (rows, fs::read_to_string(summary).unwrap())
    });
    let arguments = "--output-format ndjson --output rows.pipe --summary summary.pipe";
    Beamlet::run(&folder, &format!("--input rows.ndjson {arguments}")).succeed();
    let (rows, summary) = both.join().unwrap();
    assert!(rows.starts_with("{\"tailnum\":\"N10156\",\"planes.year\":2004"), "{rows}");
    assert_summary(&summary);
}

#[test]
fn appending_rows_to_a_file_keeps_its_content() {
    for path in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let (_store, folder) = folder();
        folder.write("log", "of yesterday\n");
        let log = File::options().append(true).open(folder.file("log")).unwrap();
        Beamlet::run(&folder, &format!("--input rows.ndjson --output {path}"))
            .stdout(log)
            .succeed();
        let log = folder.read("log");
        assert!(log.starts_with("of yesterday\n{\"tailnum\":\"N10156\""), "{path}: {log}");
        assert_eq!(folder.names(), ["beamlet.toml", "log", "rows.ndjson"]);
    }
}

#[test]
fn earlier_content_of_a_file_stays_even_without_append() {
    use std::io::Write;
    let (_store, folder) = folder();
    let mut log = File::create(folder.file("log")).unwrap();
    log.write_all(b"written before\n").unwrap();
    Beamlet::run(&folder, "--input rows.ndjson --output /dev/stdout").stdout(log).succeed();
    assert!(folder.read("log").starts_with("written before\n{\"tailnum\""));
}

#[test]
fn a_summary_goes_to_standard_error_and_to_standard_output() {
    let (_store, folder) = folder();
    let run = |to: &str| {
        let arguments = format!("--input rows.ndjson --output o.ndjson --summary {to}");
        Beamlet::run(&folder, &arguments).end()
    };
    let ended = run("/dev/stderr");
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("\"written\": 1"), "{ended}");
    for path in ["-", "/dev/stdout"] {
        assert_summary(&run(path).stdout);
    }
    assert_eq!(folder.names(), ["beamlet.toml", "o.ndjson", "rows.ndjson"]);
}

#[test]
fn dead_letters_go_to_standard_output_where_the_rows_do_not() {
    let (_store, folder) = folder();
    folder.write("rows.ndjson", "{\"tailnum\":\"N10156\"}\n{\"tailnum\":[1]}\n");
    let config = folder.read("beamlet.toml");
    for (arguments, config) in
        [("--dead-letter -", config.clone()), ("", config.clone() + "[run]\ndead_letter = '-'\n")]
    {
        folder.write("beamlet.toml", config);
        let arguments = format!("--input rows.ndjson --output o.ndjson {arguments}");
        let letters = Beamlet::run(&folder, &arguments).succeed();
        let letter: Value = serde_json::from_str(&letters).unwrap();
        assert_eq!(letter["row"]["tailnum"][0], 1);
        assert_eq!(folder.names(), ["beamlet.toml", "o.ndjson", "rows.ndjson"]);
    }
}

#[test]
fn new_files_have_the_mode_that_the_umask_leaves_and_old_ones_keep_theirs() {
    let (_store, folder) = folder();
    folder.write("old.ndjson", "");
    fs::set_permissions(folder.file("old.ndjson"), PermissionsExt::from_mode(0o640)).unwrap();
    folder.write("new", "");
    let expected = mode(&folder, "new");
    let arguments = "--input rows.ndjson --output o.ndjson --dead-letter d.ndjson --summary";
    Beamlet::run(&folder, &format!("{arguments} s.json")).succeed();
    for name in ["o.ndjson", "d.ndjson", "s.json"] {
        assert_eq!(mode(&folder, name), expected, "{name}");
    }
    Beamlet::run(&folder, &format!("{arguments} old.ndjson")).succeed();
    assert_eq!(mode(&folder, "old.ndjson"), 0o640);
}

#[test]
fn several_outputs_may_go_to_nothing() {
    let (_store, folder) = folder();
    let arguments = "--output-format ndjson --output /dev/null --dead-letter /dev/null";
    Beamlet::run(&folder, &format!("--input rows.ndjson {arguments} --summary /dev/null"))
        .succeed();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn a_run_that_fails_leaves_nothing_at_the_end_of_a_link() {
    let (_store, folder) = folder();
    folder.write("rows.ndjson", "no json\n");
    symlink("there.ndjson", folder.file("link.ndjson")).unwrap();
    let ended = Beamlet::run(&folder, "--input rows.ndjson --output link.ndjson").end();
    assert_eq!(ended.code, Some(1), "{ended}");
    assert_eq!(folder.names(), ["beamlet.toml", "link.ndjson", "rows.ndjson"]);
}
