//! The exit code of a command that fails.

use std::process::ExitCode;

/// The kind of failure, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitKind {
    /// The run failed: exit code 1.
    Run,
    /// Bad usage or configuration: exit code 2.
    Usage,
}

/// An error in the usage or the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

impl ExitKind {
    /// The kind of an error: `Usage` for a [`Usage`] error, otherwise `Run`.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if error.is::<Usage>() { ExitKind::Usage } else { ExitKind::Run }
    }
}

impl From<ExitKind> for ExitCode {
    fn from(failure: ExitKind) -> Self {
        match failure {
            ExitKind::Run => ExitCode::from(1),
            ExitKind::Usage => ExitCode::from(2),
        }
    }
}
