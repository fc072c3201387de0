//! Why rows failed, counted; and how many may, before the run is worth no more.

use super::dead_letter::INVALID;
use super::error::RunError;
use super::metrics::RunMetrics;
use beamlet_rows::{Origin, RowsError};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// Different messages that are kept apart: a store may put into one what no other has.
const MOST_MESSAGES: usize = 100;

/// What stands for the messages beyond them.
const OTHERS: &str = "other messages";

/// Failed rows, by kind and message.
#[derive(Debug, Default)]
pub struct Failures(Mutex<HashMap<(String, String), u64>>);

/// Rows that failed for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The kind of error, as the contract names it.
    pub kind: String,
    /// What the handler or the reader says, without the row's place.
    pub message: String,
    /// How many rows.
    pub rows: u64,
}

impl Failures {
    pub(super) fn add(&self, kind: String, message: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reason = (kind, message.to_owned());
        if all.len() >= MOST_MESSAGES && !all.contains_key(&reason) {
            reason.1 = OTHERS.to_owned();
        }
        *all.entry(reason).or_default() += 1;
    }

    /// A row that is itself at fault.
    pub(super) fn add_row(&self, error: &RowsError, origin: &Origin) {
        self.add(INVALID.to_owned(), &placeless(error, origin));
    }

    /// All of them, the most frequent first.
    pub fn all(&self) -> Vec<Failure> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = |((kind, message), rows): (&(String, String), &u64)| Failure {
            kind: kind.clone(),
            message: message.clone(),
            rows: *rows,
        };
        let mut all: Vec<Failure> = all.iter().map(failure).collect();
        all.sort_by(|one, other| {
            let reason = |it: &Failure| (it.kind.clone(), it.message.clone());
            other.rows.cmp(&one.rows).then_with(|| reason(one).cmp(&reason(other)))
        });
        all
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// What an error says, without the place of its row: so that equal ones can be counted.
fn placeless(error: &RowsError, origin: &Origin) -> String {
    let message = error.to_string();
    let Some(rest) = message.strip_prefix(&origin.to_string()) else { return message };
    // A column may follow.
    rest.trim_start_matches(|it: char| it == ':' || it.is_ascii_digit()).trim_start().to_owned()
}

/// How many rows may fail before the run does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxFailures {
    /// So many.
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
    /// What holds where failed rows are set aside and nothing else is said: a tenth of more than a
    /// few rows is no matter of single rows.
    pub const OF_DEAD_LETTERS: Self = Self::Percent { percent: 10.0, of_all: false };

    /// So many rows tell a share.
    pub const ENOUGH: u64 = 1_000;

    /// Whether more rows have failed than may. `ended` says that no more come.
    pub(super) fn is_exceeded(&self, metrics: &RunMetrics, ended: bool) -> bool {
        let (failed, answered) = (failed(metrics), answered(metrics));
        match self {
            Self::Rows(most) => failed > *most,
            Self::Percent { percent, of_all } => {
                let tells = answered >= Self::ENOUGH || (*of_all && ended);
                tells && 100.0 * failed as f64 > percent * answered as f64
            }
        }
    }
}

/// The end of the run, if more rows have failed than may. `ended` says that no more come.
pub(super) fn too_many(
    metrics: &RunMetrics,
    most: Option<MaxFailures>,
    ended: bool,
) -> Result<(), RunError> {
    match most {
        Some(most) if most.is_exceeded(metrics, ended) => Err(RunError::TooManyFailures {
            failed: failed(metrics),
            rows: answered(metrics),
            most,
            first: metrics.failures.all().into_iter().next(),
        }),
        _ => Ok(()),
    }
}

/// Rows that failed, or that the output cannot hold.
pub(super) fn failed(metrics: &RunMetrics) -> u64 {
    metrics.failed.get() + metrics.unwritten.get()
}

/// Rows of which it is known what became of them.
pub(super) fn answered(metrics: &RunMetrics) -> u64 {
    [&metrics.enriched, &metrics.missing, &metrics.null_keys, &metrics.failed]
        .iter()
        .map(|meter| meter.get())
        .sum()
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

    fn metrics(failed: u64, enriched: u64) -> RunMetrics {
        let metrics = RunMetrics::default();
        metrics.failed.add(failed);
        metrics.enriched.add(enriched);
        metrics
    }

    #[test]
    fn a_share_is_told_by_a_thousand_rows_and_a_number_at_once() {
        let share = MaxFailures::OF_DEAD_LETTERS;
        assert!(!share.is_exceeded(&metrics(999, 0), true));
        assert!(!share.is_exceeded(&metrics(100, 900), false));
        assert!(share.is_exceeded(&metrics(101, 899), false));
        assert!(MaxFailures::Rows(2).is_exceeded(&metrics(3, 0), false));
        assert!(!MaxFailures::Rows(2).is_exceeded(&metrics(2, 0), true));
    }

    #[test]
    fn a_stated_share_holds_for_a_few_rows_too_when_no_more_come() {
        let share: MaxFailures = "10%".parse().unwrap();
        assert!(!share.is_exceeded(&metrics(2, 8), false));
        assert!(share.is_exceeded(&metrics(2, 8), true));
        assert!(!share.is_exceeded(&metrics(1, 9), true));
    }

    #[test]
    fn what_is_no_number_and_no_share_is_refused() {
        for text in ["", "%", "-1", "101%", "ten", "1.5", "NaN%", "10%%"] {
            assert!(text.parse::<MaxFailures>().is_err(), "{text}");
        }
    }

    #[test]
    fn messages_beyond_many_are_counted_as_others() {
        let failures = Failures::default();
        (0..150).for_each(|n| failures.add("unavailable".to_owned(), &n.to_string()));
        let all = failures.all();
        assert_eq!(
            (all.len(), all[0].to_string(), all[0].rows),
            (101, "unavailable: other messages".to_owned(), 50)
        );
    }
}
