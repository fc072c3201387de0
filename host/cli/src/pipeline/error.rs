//! Why a run failed.

use super::metrics::FailureReason;
use super::summary::Summary;
use beamlet::config::MaxFailures;
use beamlet::enrich::{EnrichError, RowFailure};
use beamlet_formats::{Origin, RowsError, Unit};

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// An error in the input, the output, or a row.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// A faulty row that cannot be written, although the policy is to keep rows.
    #[error(
        "{0} (--on-failure keep can only keep a row that can be written, and this one cannot; use --dead-letter FILE to set it aside)"
    )]
    NotKept(#[source] RowsError),
    /// The handler could not be set up.
    #[error(transparent)]
    SetUp(EnrichError),
    /// The handler failed on a whole bundle.
    #[error(transparent)]
    Bundle(Box<FailedBundle>),
    /// A row could not be enriched.
    #[error("{origin}: {error}{}", others(*.more))]
    Row {
        /// Where the row is.
        origin: Origin,
        /// What happened.
        error: RowFailure,
        /// How many other rows of its bundle failed.
        more: u64,
    },
    /// More rows failed than are allowed.
    #[error(
        "{failed} of {rows} rows failed, more than --max-failures {most} allows{}; correct the cause, or allow more",
        mostly(.first)
    )]
    TooManyFailures {
        /// Rows that failed.
        failed: u64,
        /// Rows whose outcome is known.
        rows: u64,
        /// How many are allowed.
        most: MaxFailures,
        /// The most frequent reason.
        first: Option<FailureReason>,
    },
    /// The feature columns of a bundle cannot be assembled.
    #[error("{0}")]
    Features(String),
    /// A task of the host panicked.
    #[error("an internal task failed: {0}")]
    Panic(String),
}

/// A bundle that ended its run.
#[derive(Debug, thiserror::Error)]
#[error("{first}: the bundle from here to {} {}: {error}", unit(.last), .last.line)]
pub(crate) struct FailedBundle {
    /// Where its first row is.
    pub(crate) first: Origin,
    /// Where its last row is.
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

fn mostly(first: &Option<FailureReason>) -> String {
    first.as_ref().map_or(String::new(), |first| format!("; {} with {first}", first.rows))
}

fn others(more: u64) -> String {
    match more {
        0 => String::new(),
        1 => " (and 1 more row of its bundle)".to_owned(),
        more => format!(" (and {more} more rows of its bundle)"),
    }
}

/// A run that failed, and what it had done until then.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct RunFailure {
    /// Why.
    pub(crate) error: RunError,
    /// What had been done. The output file does not exist.
    pub(crate) summary: Summary,
}
