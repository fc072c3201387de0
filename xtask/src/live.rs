//! The scenarios against a live Tecton, which variables of the environment name.

use crate::machine::{cargo, run};
use anyhow::{Result, bail};

/// What `host/cli/tests/suite/scenarios` asks for, all or none of it.
const VARIABLES: [&str; 4] =
    ["TECTON_URL", "TECTON_API_KEY", "TECTON_WORKSPACE", "TECTON_FEATURE_SERVICE"];

/// Whether there is a live Tecton to test against.
pub(crate) enum Live {
    There,
    NotThere,
}

impl Live {
    /// Looks at the environment; a part of the variables is an error.
    pub(crate) fn of_environment() -> Result<Self> {
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let (set, missing): (Vec<&str>, Vec<&str>) = VARIABLES.into_iter().partition(is_set);
        match (set.is_empty(), missing.is_empty()) {
            (_, true) => Ok(Live::There),
            (true, _) => Ok(Live::NotThere),
            _ => bail!(
                "{}: set, and not set: {}; the live scenarios want all of them, set all or none",
                set.join(", "),
                missing.join(", ")
            ),
        }
    }

    /// Runs the scenarios against it.
    pub(crate) fn test(&self) -> Result<()> {
        match self {
            // Of the workspace, as all tests are: it is built so.
            Live::There => run(cargo(&["test", "--workspace", "--release", "--test", "suite"])
                .args(["--", "--ignored", "scenarios::live::"])),
            Live::NotThere => Ok(()),
        }
    }

    /// Says so where there is none.
    pub(crate) fn tell_skipped(&self) {
        if let Live::NotThere = self {
            let variables = VARIABLES.join(", ");
            eprintln!("\nSKIPPED: the scenarios against a live Tecton. Not set: {variables}");
        }
    }
}
