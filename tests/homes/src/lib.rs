//! What the tests of the other homes share: the tools that `cargo xtask homes` installs.

use std::path::{Path, PathBuf};

/// A program that `cargo xtask homes` installs.
///
/// # Panics
/// If it is not there.
pub fn tool(name: &str) -> PathBuf {
    let tools = std::env::var_os("BEAMLET_TOOLS");
    let tools = PathBuf::from(tools.expect("BEAMLET_TOOLS is set: run `cargo xtask homes`"));
    let tool = tools.join("bin").join(name);
    assert!(tool.exists(), "{} is missing: run `cargo xtask homes`", tool.display());
    tool
}

/// The project's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/homes is in it")
}
