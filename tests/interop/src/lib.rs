//! Shared parts of the tests of components outside the host: the tools that `cargo xtask interop`
//! installs, the components that it builds, a store, examples, and `wasmtime serve`.
#![allow(clippy::unwrap_used)] // only tests call this, and end there

mod example;
mod http;
mod registry;
mod serve;
mod store;

pub use example::{Ended, Example, rows};
pub use http::{Answer, Connection, Request};
pub use registry::{Registry, User};
pub use serve::Serve;
pub use store::{KEY, Store, planes};

use std::path::{Path, PathBuf};

/// A program that `cargo xtask interop` installs or builds.
///
/// # Panics
/// If it is not there.
pub fn tool(name: &str) -> PathBuf {
    if name == "wasmtime" {
        return built("release/wasmtime");
    }
    let tools = std::env::var_os("BEAMLET_TOOLS");
    let tools = PathBuf::from(tools.expect("BEAMLET_TOOLS is set: run `cargo xtask interop`"));
    let tool = tools.join("bin").join(name);
    assert!(tool.exists(), "{} is missing: run `cargo xtask interop`", tool.display());
    tool
}

/// The Python of an environment that `cargo xtask interop` installs.
///
/// # Panics
/// If it is not there.
pub fn python(environment: &str) -> PathBuf {
    let tools = std::env::var_os("BEAMLET_TOOLS");
    let tools = PathBuf::from(tools.expect("BEAMLET_TOOLS is set: run `cargo xtask interop`"));
    let python = tools.join("venv").join(environment).join("bin/python");
    assert!(python.exists(), "{} is missing: run `cargo xtask interop`", python.display());
    python
}

/// The project's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/interop is in it")
}

/// A file that was built: below cargo's target directory.
///
/// # Panics
/// If it is not there.
pub fn built(path: &str) -> PathBuf {
    // target/PROFILE/deps/TEST
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(3).expect("a test is in the target directory").join(path);
    assert!(built.exists(), "{} is missing: run `cargo xtask interop`", built.display());
    built
}

/// The flights of the sample as NDJSON.
///
/// # Panics
/// If `data/` is not as it was.
pub fn flights() -> String {
    let sample = std::fs::read_to_string(root().join("data/flights-sample.csv")).unwrap();
    let mut lines = sample.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut rows = String::new();
    for line in lines {
        let mut row = serde_json::Map::new();
        for (name, value) in names.iter().zip(line.split(',')) {
            let value = match value {
                "NA" => serde_json::Value::Null,
                value => value.parse::<i64>().map_or_else(|_| value.into(), Into::into),
            };
            row.insert((*name).to_owned(), value);
        }
        rows.push_str(&serde_json::Value::Object(row).to_string());
        rows.push('\n');
    }
    rows
}
