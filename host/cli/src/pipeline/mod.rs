//! A run: rows from a reader, through bundles in flight, joined with their features, to a
//! writer. Memory holds the bundles of the window and no more, however long the input is.
//!
//! Every row that is read comes out once: with its features, or without them, or as a dead
//! letter, as the [`FailurePolicy`](beamlet::config::FailurePolicy) says; or the run fails, and nothing stands under the
//! output's name.

mod bundle;
mod dead_letter;
mod error;
mod failures;
mod job;
mod metrics;
mod stop;
mod summary;
mod telemetry;

pub(crate) use dead_letter::DeadLetters;
pub(crate) use error::RunError;
pub(crate) use failures::Failure;
pub(crate) use job::{Job, run};
pub(crate) use metrics::RunMetrics;
pub(crate) use stop::{OnStop, Stop};
pub(crate) use summary::Summary;
