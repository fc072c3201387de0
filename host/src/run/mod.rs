//! A run: rows from a reader, through bundles in flight, joined with their features, to a
//! writer. Memory holds the bundles in flight and no more, however long the input is.

mod bundle;
mod error;
mod instances;
mod pipeline;
mod summary;

pub use error::{RunError, RunFailure};
pub use pipeline::{Job, run};
pub use summary::Summary;
