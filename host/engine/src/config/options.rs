//! How rows are run through a handler.

use super::MaxFailures;
use crate::enrich::EnrichOptions;
use crate::sandbox::Limits;
use beamlet_contract::join::OnConflict;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// How rows are run through a handler.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOptions {
    /// Rows of a bundle.
    pub bundle_size: usize,
    /// How long the rows of a bundle wait for others, where they come bit by bit as from a pipe: it
    /// is closed then, however few they are.
    pub max_bundle_wait: Duration,
    /// Bundles that are read and not yet written: what a slow one does not hold up. `None` is
    /// four times the bundles in flight.
    pub window: Option<NonZeroUsize>,
    /// Whether rows come out in the order in which they came in.
    pub ordered: bool,
    /// What becomes of rows that fail.
    pub on_failure: FailurePolicy,
    /// How many rows may fail before the run does; `None` is as the policy has it.
    pub max_failures: Option<MaxFailures>,
    /// How rows are enriched.
    pub enrich: EnrichOptions,
    /// What the store is spared.
    pub limits: Limits,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            bundle_size: 1000,
            max_bundle_wait: Duration::from_millis(200),
            window: None,
            ordered: true,
            on_failure: FailurePolicy::default(),
            max_failures: None,
            enrich: EnrichOptions::default(),
            limits: Limits::default(),
        }
    }
}

impl RunOptions {
    /// Bundles that are read and not yet written.
    pub fn window(&self) -> usize {
        let in_flight = self.enrich.in_flight;
        self.window.map_or(4 * in_flight, NonZeroUsize::get).max(in_flight)
    }

    /// How many rows may fail: where they are set aside, by default not most of them.
    pub fn max_failures(&self) -> Option<MaxFailures> {
        let default = MaxFailures::OF_DEAD_LETTERS;
        let set_aside = self.on_failure == FailurePolicy::DeadLetter;
        self.max_failures.or(set_aside.then_some(default))
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

/// `[run]`: what there is beside the run itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutputOptions {
    /// What happens to a feature whose name a row has itself.
    pub on_conflict: OnConflict,
    /// Where rows go that fail.
    pub dead_letter: Option<PathBuf>,
}
