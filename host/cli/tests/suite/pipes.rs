//! Rows from slow pipes: a bundle does not wait without limit until it is full.
#![cfg(unix)]

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::store::Store;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A run whose standard input stays open, and the lines that it writes.
struct Piped {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
}

impl Piped {
    fn start(folder: &Folder, arguments: &str) -> Self {
        Piped::reading(folder, arguments, |out| Box::new(out))
    }

    fn reading(
        folder: &Folder,
        arguments: &str,
        unpack: fn(std::process::ChildStdout) -> Box<dyn Read + Send>,
    ) -> Self {
        let mut command = Beamlet::run(folder, arguments).into_command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(unpack(stdout)).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Piped { child, stdin, lines }
    }

    fn write(&mut self, text: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(text.as_ref()).unwrap();
        stdin.flush().unwrap();
    }

    /// The next line, though no more comes in.
    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).expect("no row comes out")
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// What is still written, after the process has come to its end.
    fn rest(self) -> (Option<i32>, Vec<String>, String) {
        let output = self.child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), self.lines.iter().collect(), stderr)
    }
}

impl Piped {
    /// Closes standard input.
    fn close(&mut self) {
        drop(self.stdin.take());
    }
}

const ROWS: &str = "{\"tailnum\":\"N1\"}\n{\"tailnum\":\"N2\"}\n{\"tailnum\":\"N10156\"}\n";

#[test]
fn rows_are_written_while_the_pipe_stays_open() {
    let store = Store::start();
    let folder = store.folder();
    let mut run = Piped::start(&folder, "--progress never");
    for round in 0..3 {
        run.write(ROWS);
        let lines = [run.line(), run.line(), run.line()];
        assert!(lines[2].starts_with("{\"tailnum\":\"N10156\",\"planes.year\":2004"), "{round}");
    }
    run.close();
    let (code, rest, err) = run.rest();
    assert_eq!((code, rest.len()), (Some(0), 0), "{err}");
    assert!(err.contains("9 rows in"), "{err}");
}

#[test]
fn rows_of_a_csv_are_written_while_the_pipe_stays_open() {
    for arguments in ["", "--bundle-size 1", "--output-format ndjson"] {
        let store = Store::start();
        let arguments = format!("--input-format csv --progress never {arguments}");
        let folder = store.folder();
        let mut run = Piped::start(&folder, &arguments);
        run.write("n,tailnum\n1,N1\n2,N10156\n");
        if arguments.contains("ndjson") {
            assert!(run.line().starts_with("{\"n\":1,"), "{arguments}");
            assert!(run.line().starts_with("{\"n\":2,"), "{arguments}");
        } else {
            assert!(run.line().starts_with("n,tailnum,planes.year"), "{arguments}");
            assert!(run.line().starts_with("1,N1,"), "{arguments}");
            assert!(run.line().starts_with("2,N10156,2004,"), "{arguments}");
        }
        run.write("3,N3\n");
        assert!(run.line().contains('3'), "{arguments}");
        run.close();
        assert_eq!(run.rest().0, Some(0), "{arguments}");
    }
}

#[test]
fn a_row_that_comes_in_two_halves_is_one_row() {
    for (format, first, second) in [
        ("ndjson", "{\"n\":1,\"tailnum\":\"N1\"}\n{\"n\":2,\"tail", "num\":\"N10156\"}\n"),
        ("csv", "n,tailnum\n1,N1\n2,N10", "156\n"),
        ("csv", "n,tailnum\n1,N1\n\"2\",\"N10", "156\"\n"),
        ("csv", "n,tailnum\r\n1,N1\r", "\n2,N10156\r\n"),
    ] {
        let store = Store::start();
        let arguments = format!("--input-format {format} --output-format ndjson --progress never");
        let folder = store.folder();
        let mut run = Piped::start(&folder, &arguments);
        run.write(first);
        assert!(run.line().contains("N1\""), "{format}");
        // Longer than a bundle waits.
        std::thread::sleep(Duration::from_millis(700));
        run.write(second);
        assert!(run.line().contains("\"tailnum\":\"N10156\",\"planes.year\":2004"), "{format}");
        run.close();
        let (code, rest, err) = run.rest();
        assert_eq!((code, rest.len()), (Some(0), 0), "{format}: {err}");
    }
}

#[test]
fn compressed_rows_are_written_while_the_pipe_stays_open() {
    type Unpack = fn(std::process::ChildStdout) -> Box<dyn Read + Send>;
    let gzip: Unpack = |out| Box::new(flate2::read::MultiGzDecoder::new(out));
    let store = Store::start();
    let arguments = "--compression gzip --progress never";
    let folder = store.folder();
    let mut run = Piped::reading(&folder, arguments, gzip);
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    for _ in 0..2 {
        packer.write_all(ROWS.as_bytes()).unwrap();
        packer.flush().unwrap();
        run.write(std::mem::take(packer.get_mut()));
        let lines = [run.line(), run.line(), run.line()];
        assert!(lines[2].starts_with("{\"tailnum\":\"N10156\",\"planes.year\":2004"));
    }
    run.write(packer.finish().unwrap());
    run.close();
    let (code, rest, err) = run.rest();
    assert_eq!((code, rest.len()), (Some(0), 0), "{err}");
}

#[test]
fn the_wait_is_that_of_the_configuration_and_of_the_command_line() {
    let store = Store::start();
    let folder = store.folder();
    let config = folder.read("beamlet.toml") + "[run]\nmax_bundle_wait_ms = 86400000\n";
    folder.write("beamlet.toml", config);
    let mut long = Piped::start(&folder, "--progress never");
    long.write(ROWS);
    assert!(long.lines.recv_timeout(Duration::from_secs(1)).is_err());
    let mut short = Piped::start(&folder, "--progress never --max-bundle-wait-ms 0");
    short.write(ROWS);
    short.line();
    long.close();
    let (code, rows, err) = long.rest();
    assert_eq!((code, rows.len()), (Some(0), 3), "{err}");
    short.close();
    assert_eq!(short.rest().0, Some(0));
}

#[test]
fn sigterm_writes_every_row_that_was_read_though_no_bundle_is_full() {
    let store = Store::start();
    let folder = store.folder();
    for format in ["ndjson", "csv"] {
        let arguments = format!(
            "--input-format {format} --output-format ndjson --max-bundle-wait-ms 86400000 \
             --log debug --progress never"
        );
        let mut run = Piped::start(&folder, &arguments);
        run.write(match format {
            "csv" => "tailnum\nN1\nN2\nN10156\nhalf a r",
            _ => "{\"tailnum\":\"N1\"}\n{\"tailnum\":\"N2\"}\n{\"tailnum\":\"N10156\"}\n{\"tailn",
        });
        // Of a CSV, the header is read before.
        let mut err = BufReader::new(run.child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("rows are read") {
            line.clear();
            assert!(err.read_line(&mut line).unwrap() > 0);
        }
        std::thread::sleep(Duration::from_millis(500));
        run.signal("TERM");
        let (code, rows, _) = run.rest();
        let mut printed = String::new();
        err.read_to_string(&mut printed).unwrap();
        assert_eq!((code, rows.len()), (Some(0), 3), "{format}: {printed}");
        assert!(rows[2].contains("\"planes.year\":2004"), "{format}: {rows:?}");
        assert!(printed.contains("all rows that were read are written"), "{format}: {printed}");
    }
}

#[test]
fn an_object_whose_line_has_not_ended_is_a_row_that_was_read() {
    let store = Store::start();
    let folder = store.folder();
    let mut run = Piped::start(&folder, "--progress never");
    run.write(format!("{ROWS}{{\"tailnum\":\"N4\"}}"));
    (0..3).for_each(|_| drop(run.line()));
    run.signal("TERM");
    let (code, rows, err) = run.rest();
    assert_eq!((code, rows.len()), (Some(0), 1), "{err}");
}

#[test]
fn a_named_pipe_is_read_as_standard_input_is() {
    let store = Store::start();
    let folder = store.folder();
    assert!(Command::new("mkfifo").arg(folder.file("in.ndjson")).status().unwrap().success());
    let run = Piped::start(&folder, "--input in.ndjson --progress never");
    let mut pipe = std::fs::File::options().write(true).open(folder.file("in.ndjson")).unwrap();
    pipe.write_all(ROWS.as_bytes()).unwrap();
    (0..3).for_each(|_| drop(run.line()));
    run.signal("TERM");
    let (code, rows, err) = run.rest();
    assert_eq!((code, rows.len()), (Some(0), 0), "{err}");
    assert!(err.contains("all rows that were read are written"), "{err}");
}
