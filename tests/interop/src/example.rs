//! An example of `examples/`, copied as a person would copy it, and its README's lines.

use crate::{built, root};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// An example in a folder of its own, with the Tecton handler beside it.
pub struct Example {
    folder: TempDir,
    readme: String,
    variables: Vec<(&'static str, String)>,
}

/// What a line left.
pub struct Ended {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Example {
    /// Copies `examples/NAME`. What it installs comes from what `cargo xtask interop` downloaded.
    ///
    /// # Panics
    /// If something of it is not there.
    pub fn copy(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(root().join("examples").join(name)).unwrap() {
            let file = entry.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
            }
        }
        let handler = folder.path().join("tecton.wasm");
        std::fs::copy(built("components/tecton.wasm"), handler).unwrap();
        let readme = std::fs::read_to_string(folder.path().join("README.md")).unwrap();
        let tools = std::env::var_os("BEAMLET_TOOLS").map(PathBuf::from);
        let tools = tools.expect("BEAMLET_TOOLS is set: run `cargo xtask interop`");
        let kept = |name: &str| tools.join(name).display().to_string();
        let variables = vec![
            ("npm_config_cache", kept("npm")),
            ("npm_config_prefer_offline", "true".to_owned()),
            ("PIP_NO_INDEX", "1".to_owned()),
            ("PIP_FIND_LINKS", kept("wheels")),
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1".to_owned()),
        ];
        Example { folder, readme, variables }
    }

    /// With this variable in the environment of all that runs from now on.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.push((name, value.into()));
    }

    /// Changes a file of the copy.
    ///
    /// # Panics
    /// If the file does not have what is to be replaced.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// The lines that the README has in its blocks of shell, in order.
    pub fn lines(&self) -> Vec<String> {
        self.blocks("sh").iter().flat_map(|block| block.lines()).map(str::to_owned).collect()
    }

    /// The README's blocks of a language.
    pub fn blocks(&self, language: &str) -> Vec<String> {
        let opening = format!("```{language}\n");
        let after = self.readme.split(&opening).skip(1);
        after.filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
    }

    /// Runs a line as a person would type it.
    ///
    /// # Panics
    /// If there is no shell.
    pub fn run(&self, line: &str) -> Ended {
        let mut shell = Command::new("bash");
        shell.current_dir(self.folder.path()).args(["-c", line]).stdin(Stdio::null());
        shell.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = shell.output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The example's flights with the features of their planes, joined by hand.
    ///
    /// # Panics
    /// If `data/` is not as it was.
    pub fn expected(&self) -> Vec<Value> {
        let planes = std::fs::read_to_string(root().join("data/planes.csv")).unwrap();
        let mut planes = planes.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = planes.next().unwrap();
        let planes: Vec<Vec<&str>> = planes.collect();
        let flights = std::fs::read_to_string(self.folder.path().join("flights.ndjson")).unwrap();
        let join = |line: &str| {
            let mut row: Map<String, Value> = serde_json::from_str(line).unwrap();
            let plane = planes.iter().find(|plane| row["tailnum"] == plane[0]);
            for (at, name) in names.iter().enumerate().skip(1) {
                let value = match plane.map_or("NA", |plane| plane[at]) {
                    "NA" => Value::Null,
                    text => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
                };
                row.insert(format!("planes.{name}"), value);
            }
            Value::Object(row)
        };
        flights.lines().map(join).collect()
    }
}

/// The rows of NDJSON.
///
/// # Panics
/// If it is not one.
pub fn rows(ndjson: &str) -> Vec<Value> {
    ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
