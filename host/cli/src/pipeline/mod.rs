//! A run passes rows from a reader through bundles in flight to a writer, joined with their
//! features. Memory holds only the bundles of the window, however long the input is.
//!
//! Every row that is read is written once: with its features, without them, or as a dead letter, as
//! the [`FailurePolicy`](beamlet::config::FailurePolicy) says. Or the run fails, and the output
//! file does not exist.

mod bundle;
mod dead_letter;
mod error;
mod job;
mod metrics;
mod summary;
mod telemetry;

pub(crate) use dead_letter::DeadLetters;
pub(crate) use error::RunError;
pub(crate) use job::{Job, OnStop, Stop, run};
pub(crate) use metrics::RunMetrics;
pub(crate) use summary::Summary;
