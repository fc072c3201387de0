//! The binary: the line that it prints, and the ways in which it ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

const REPOSITORY: &str = "[[api_key]]\nkey = \"demo-key\"\n";

struct Started {
    child: Child,
    address: String,
    _folder: TempDir,
}

fn command(folder: &TempDir, repository: &str) -> Command {
    let path = folder.path().join("repository.toml");
    std::fs::write(&path, repository).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tecton-emulator"));
    command.arg("--repository").arg(path);
    command
}

fn start(arguments: &[&str]) -> Started {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(&folder, REPOSITORY)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let address = line.strip_prefix("listening on http://").unwrap();
    Started { address: address.trim_end().to_owned(), child, _folder: folder }
}

impl Started {
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    fn end(mut self) -> ExitStatus {
        let ended = self.child.wait().unwrap();
        assert!(TcpStream::connect(&self.address).is_err());
        ended
    }
}

#[test]
fn it_listens_where_it_says_and_ends_well_on_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let started = start(&["--latency", "1ms", "--threads", "1"]);
        TcpStream::connect(&started.address).unwrap();
        started.signal(signal);
        assert!(started.end().success());
    }
}

#[test]
fn it_ends_with_its_standard_input_when_told_to() {
    let mut started = start(&["--exit-with-stdin"]);
    let mut stdin = started.child.stdin.take().unwrap();
    stdin.write_all(b"still here\n").unwrap();
    TcpStream::connect(&started.address).unwrap();
    drop(stdin);
    assert!(started.end().success());
}

#[test]
fn a_bad_repository_is_reported_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(&folder, "[[workspace]]\nname = 7\n").output().unwrap();
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(problem.contains("repository.toml"), "{problem}");
    assert!(problem.contains("line 2, column 8"), "{problem}");
    assert!(output.stdout.is_empty());
}
