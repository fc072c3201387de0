//! `cargo xtask test`: every test there is.

use crate::machine;
use anyhow::Result;

/// Builds what tests run and runs them, in release: one build of wasmtime serves the demo, the
/// tests and the benches.
pub(crate) fn test() -> Result<()> {
    machine::ensure_target()?;
    machine::run(&mut machine::cargo(&["test", "--workspace", "--release"]))
}
