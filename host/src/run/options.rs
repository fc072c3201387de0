//! How rows are run through a handler.

use crate::enrich::EnrichOptions;
use crate::sandbox::Limits;
use std::num::NonZeroUsize;

/// How rows are run through a handler.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOptions {
    /// Rows of a bundle.
    pub bundle_size: usize,
    /// Bundles that are read and not yet written: what a slow one does not hold up. `None` is
    /// four times the bundles in flight.
    pub window: Option<NonZeroUsize>,
    /// Whether rows come out in the order in which they came in.
    pub ordered: bool,
    /// What becomes of rows that fail.
    pub on_failure: FailurePolicy,
    /// How rows are enriched.
    pub enrich: EnrichOptions,
    /// What the store is spared.
    pub limits: Limits,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            bundle_size: 1000,
            window: None,
            ordered: true,
            on_failure: FailurePolicy::default(),
            enrich: EnrichOptions::default(),
            limits: Limits::default(),
        }
    }
}

impl RunOptions {
    /// Bundles that are read and not yet written.
    pub(super) fn window(&self) -> usize {
        let in_flight = self.enrich.in_flight;
        self.window.map_or(4 * in_flight, NonZeroUsize::get).max(in_flight)
    }
}

/// What becomes of rows that cannot be enriched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// The first one fails the run.
    #[default]
    Fail,
    /// They are written to a file of their own, with why.
    DeadLetter,
    /// They come out without features.
    Keep,
}
