//! A run: rows from a reader, through bundles in flight, joined with their features, to a
//! writer. Memory holds the bundles of the window and no more, however long the input is.
//!
//! Every row that is read comes out once: with its features, or without them, or as a dead
//! letter, as the [`FailurePolicy`] says; or the run fails, and nothing stands under the
//! output's name.

mod bundle;
mod dead_letter;
mod error;
mod failures;
mod metrics;
mod options;
mod pipeline;
mod stop;
mod summary;
mod telemetry;

pub use dead_letter::DeadLetters;
pub use error::{FailedBundle, RunError, RunFailure};
pub use failures::{Failure, Failures, MaxFailures};
pub use metrics::RunMetrics;
pub use options::{FailurePolicy, RunOptions};
pub use pipeline::{Job, run};
pub use stop::{OnStop, Stop};
pub use summary::Summary;
