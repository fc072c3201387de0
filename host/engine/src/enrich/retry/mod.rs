//! When a row that failed is asked for again.

mod backoff;
mod budget;

pub(super) use backoff::wait;
pub(super) use budget::Budget;
