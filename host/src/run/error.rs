//! Why a run failed.

use super::Summary;
use crate::plugin::{HandlerError, PluginError};
use beamlet_rows::{Origin, RowsError};

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The input, the output, or a row in them.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// The handler could not be set up.
    #[error(transparent)]
    SetUp(PluginError),
    /// The handler failed on a bundle.
    #[error("{first}: the bundle from here to line {}: {error}", .last.line)]
    Bundle {
        /// Where its first row stands.
        first: Origin,
        /// Where its last row stands.
        last: Origin,
        /// What happened.
        error: PluginError,
    },
    /// A row could not be enriched.
    #[error("{origin}: {error}{}", others(*.more))]
    Row {
        /// Where it stands.
        origin: Origin,
        /// What happened.
        error: HandlerError,
        /// How many rows of its bundle failed besides.
        more: u64,
    },
    /// The features of a bundle cannot be put together.
    #[error("the handler broke a promise of the contract: {0}")]
    Features(String),
    /// A part of the host stopped.
    #[error("a part of the run stopped: {0}")]
    Panic(String),
}

fn others(more: u64) -> String {
    match more {
        0 => String::new(),
        1 => " (and 1 more row of its bundle)".to_owned(),
        more => format!(" (and {more} more rows of its bundle)"),
    }
}

/// A run that failed, and how far it had come.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct RunFailure {
    /// Why.
    pub error: RunError,
    /// What had been done. Nothing of it stands under the output's name.
    pub summary: Summary,
}
