//! `cargo xtask homes`: the components in their other homes, each with that home's own tools.

use crate::machine::{cargo, ensure_target, run};
use crate::tools;
use anyhow::Result;

/// Installs what the tests of the other homes want, and runs them.
pub(crate) fn homes() -> Result<()> {
    ensure_target()?;
    run(cargo(&["test", "--package", "beamlet-homes", "--release"])
        .env("BEAMLET_TOOLS", tools::dir()?))
}
