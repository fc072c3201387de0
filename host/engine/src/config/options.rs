//! What a configuration says besides the handler's tables: `[run]` and `[sandbox]`.

use crate::enrich::EnrichOptions;
use crate::sandbox::{Limits, Permissions};
use beamlet_contract::join::OnConflict;
use beamlet_egress::{PrivateAddresses, Timeouts};
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How rows are run through a handler.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunOptions {
    /// Rows of a bundle.
    pub bundle_size: usize,
    /// How long the rows of a bundle wait for others where they come one by one, as from a pipe; then
    /// the bundle is closed, however few they are.
    pub max_bundle_wait: Duration,
    /// Bundles that are read and not yet written, so that a slow one does not delay the others. `None`
    /// is four times the bundles in flight.
    pub window: Option<NonZeroUsize>,
    /// Whether rows come out in the order in which they came in.
    pub ordered: bool,
    /// What happens to rows that fail.
    pub on_failure: FailurePolicy,
    /// How many rows may fail before the run does; `None` is the policy's default.
    pub max_failures: Option<MaxFailures>,
    /// How rows are enriched.
    pub enrich: EnrichOptions,
    /// The limits of the load on the store.
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

    /// How many rows may fail; by default a tenth, where they are dead letters.
    pub fn max_failures(&self) -> Option<MaxFailures> {
        let default = MaxFailures::OF_DEAD_LETTERS;
        let set_aside = self.on_failure == FailurePolicy::DeadLetter;
        self.max_failures.or(set_aside.then_some(default))
    }
}

/// What happens to rows that cannot be enriched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// The first one fails the run.
    #[default]
    Fail,
    /// They are written to a file of their own, each with its error.
    DeadLetter,
    /// They come out without features.
    Keep,
}

/// The settings of the output in `[run]`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct OutputOptions {
    /// What happens to a feature whose name a row has itself.
    pub on_conflict: OnConflict,
    /// The file for rows that fail.
    pub dead_letter: Option<PathBuf>,
}

/// `[sandbox]`: what an instance may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SandboxOptions {
    /// Memory and time.
    pub permissions: Permissions,
    /// How long requests may take.
    pub timeouts: Timeouts,
    /// Whether requests go to the store directly, whatever proxies the environment names.
    pub no_proxy: bool,
    /// Whether names of stores may resolve to addresses of private networks.
    pub private_addresses: PrivateAddresses,
}

/// How many rows may fail before the run does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum MaxFailures {
    /// A number of rows.
    Rows(u64),
    /// A share of the rows that are answered, in percent, once there are
    /// [enough](Self::ENOUGH) of them; and of all rows, however few, where `of_all` says so.
    Percent {
        /// From 0 to 100.
        percent: f64,
        /// Whether an input of fewer rows is judged, too, at its end.
        of_all: bool,
    },
}

impl MaxFailures {
    /// The default where failed rows are dead letters: if a tenth of many rows fails, the cause is not in
    /// single rows.
    pub const OF_DEAD_LETTERS: Self = Self::Percent { percent: 10.0, of_all: false };

    /// The number of rows from which on a share is judged.
    pub const ENOUGH: u64 = 1_000;

    /// Whether more of the answered rows have failed than may. `ended` says that no more rows come.
    pub fn is_exceeded(&self, failed: u64, answered: u64, ended: bool) -> bool {
        match self {
            Self::Rows(most) => failed > *most,
            Self::Percent { percent, of_all } => {
                let is_judged = answered >= Self::ENOUGH || (*of_all && ended);
                is_judged && 100.0 * failed as f64 > percent * answered as f64
            }
        }
    }
}

impl FromStr for MaxFailures {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "write a number of rows, such as 100, or a share of them, such as 10%";
        let Some(percent) = text.trim().strip_suffix('%') else {
            return text.trim().parse().map(Self::Rows).map_err(|_| WRONG);
        };
        match percent.trim_end().parse() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => {
                Ok(Self::Percent { percent, of_all: true })
            }
            _ => Err(WRONG),
        }
    }
}

impl fmt::Display for MaxFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::Percent { percent, .. } => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_judged_from_a_thousand_rows_on_and_a_number_at_once() {
        let share = MaxFailures::OF_DEAD_LETTERS;
        assert!(!share.is_exceeded(999, 999, true));
        assert!(!share.is_exceeded(100, 1000, false));
        assert!(share.is_exceeded(101, 1000, false));
        assert!(MaxFailures::Rows(2).is_exceeded(3, 3, false));
        assert!(!MaxFailures::Rows(2).is_exceeded(2, 2, true));
    }

    #[test]
    fn a_stated_share_holds_for_a_few_rows_too_when_no_more_come() {
        let share: MaxFailures = "10%".parse().unwrap();
        assert!(!share.is_exceeded(2, 10, false));
        assert!(share.is_exceeded(2, 10, true));
        assert!(!share.is_exceeded(1, 10, true));
    }

    #[test]
    fn what_is_no_number_and_no_share_is_refused() {
        for text in ["", "%", "-1", "101%", "ten", "1.5", "NaN%", "10%%"] {
            assert!(text.parse::<MaxFailures>().is_err(), "{text}");
        }
    }
}
