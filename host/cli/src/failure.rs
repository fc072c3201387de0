//! How a failure ends the process.

use std::process::ExitCode;

/// What kind of failure it was, for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The run failed: exit code 1.
    Run,
    /// Bad usage or configuration: exit code 2.
    Usage,
}

/// An error of bad usage.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

impl Failure {
    /// The kind of an error: usage where it says so, else the run's.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if error.is::<Usage>() { Failure::Usage } else { Failure::Run }
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Run => ExitCode::from(1),
            Failure::Usage => ExitCode::from(2),
        }
    }
}
