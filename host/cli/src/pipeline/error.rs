//! Why a run failed.

use super::{Failure, Summary};
use beamlet::config::MaxFailures;
use beamlet::enrich::{EnrichError, RowFailure};
use beamlet_formats::{Origin, RowsError, Unit};

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The input, the output, or a row in them.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// A row that is at fault, and that the policy would keep.
    #[error(
        "{0} (--on-failure keep keeps a row that can be written, and this one cannot; --dead-letter FILE sets it aside)"
    )]
    NotKept(#[source] RowsError),
    /// The handler could not be set up.
    #[error(transparent)]
    SetUp(EnrichError),
    /// The handler failed on a bundle, and would on every other one.
    #[error(transparent)]
    Bundle(Box<FailedBundle>),
    /// A row could not be enriched.
    #[error("{origin}: {error}{}", others(*.more))]
    Row {
        /// Where it stands.
        origin: Origin,
        /// What happened.
        error: RowFailure,
        /// How many rows of its bundle failed besides.
        more: u64,
    },
    /// More rows failed than may.
    #[error(
        "{failed} of {rows} rows failed, more than --max-failures {most} allows{}; mend the cause, or allow more",
        mostly(.first)
    )]
    TooManyFailures {
        /// Rows that failed.
        failed: u64,
        /// Rows of which it is known what became of them.
        rows: u64,
        /// How many may.
        most: MaxFailures,
        /// What most of them failed with.
        first: Option<Failure>,
    },
    /// The features of a bundle cannot be put together.
    #[error("{0}")]
    Features(String),
    /// A part of the host stopped.
    #[error("a part of the run stopped: {0}")]
    Panic(String),
}

/// A bundle that ended its run.
#[derive(Debug, thiserror::Error)]
#[error("{first}: the bundle from here to {} {}: {error}", unit(.last), .last.line)]
pub(crate) struct FailedBundle {
    /// Where its first row stands.
    pub(crate) first: Origin,
    /// Where its last row stands.
    pub(crate) last: Origin,
    /// What happened.
    pub(crate) error: EnrichError,
}

fn unit(origin: &Origin) -> &'static str {
    match origin.unit {
        Unit::Line => "line",
        Unit::Row => "row",
    }
}

fn mostly(first: &Option<Failure>) -> String {
    first.as_ref().map_or(String::new(), |first| format!("; {} with {first}", first.rows))
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
pub(crate) struct RunFailure {
    /// Why.
    pub(crate) error: RunError,
    /// What had been done. Nothing of it stands under the output's name.
    pub(crate) summary: Summary,
}
