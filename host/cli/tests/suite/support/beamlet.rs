//! The command line, run in a folder of a test's own, so that paths in messages are relative.

use std::fs;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `beamlet`, about to be started in a folder.
pub struct Beamlet {
    command: Command,
    stdin: Vec<u8>,
    stdout: Option<File>,
    stderr: Option<File>,
}

/// What a process left.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Beamlet {
    /// `beamlet` with these arguments, which are separated by spaces.
    pub fn new(folder: &Folder, arguments: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_beamlet"));
        command.current_dir(folder.path()).args(arguments.split_whitespace());
        command.env("BEAMLET_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/beamlet-cache"));
        Beamlet { command, stdin: Vec::new(), stdout: None, stderr: None }
    }

    /// `beamlet run --config beamlet.toml`, with more arguments.
    pub fn run(folder: &Folder, arguments: &str) -> Self {
        Beamlet::new(folder, &format!("run --config beamlet.toml {arguments}"))
    }

    /// What comes in by standard input; nothing, where this is not called.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Where standard output goes, as a redirection of a shell has it.
    pub fn stdout(mut self, file: File) -> Self {
        self.stdout = Some(file);
        self
    }

    /// Where standard error goes.
    pub fn stderr(mut self, file: File) -> Self {
        self.stderr = Some(file);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// The command, for those who watch the process.
    pub fn into_command(self) -> Command {
        self.command
    }

    pub fn end(mut self) -> Ended {
        let to = |file: Option<File>| file.map_or_else(Stdio::piped, Stdio::from);
        self.command.stdin(Stdio::piped());
        self.command.stdout(to(self.stdout.take())).stderr(to(self.stderr.take()));
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A thread of its own: the process may fill its pipes before it has read all of this, or
        // end without having read any.
        let feeding = std::thread::spawn(move || stdin.write_all(&self.stdin));
        let output = child.wait_with_output().unwrap();
        let _ = feeding.join().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs to an end that must be good; what was written to standard output.
    #[track_caller]
    pub fn succeed(self) -> String {
        let ended = self.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    }
}

/// Exit code and messages, for a snapshot.
impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map_or("killed".to_owned(), |code| format!("exit code {code}"));
        write!(f, "{}{}{code}", self.stdout, self.stderr)
    }
}

/// It is gone with the test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.file(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// The names of all that is in it, hidden files too, in order.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The content of every file.
    pub fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let content = |name: String| (name.clone(), fs::read(self.file(&name)).unwrap());
        self.names().into_iter().map(content).collect()
    }
}
