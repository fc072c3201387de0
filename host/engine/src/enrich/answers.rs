//! What became of each row, and where its features are.

use crate::columns::{Place, assemble};
use crate::plugin::{Enriched, HandlerError};
use arrow_array::RecordBatch;
use std::sync::Arc;

/// What became of a row.
pub type Outcome = beamlet_contract::Outcome<Arc<GivenUp>>;

/// Why a row could not be enriched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}{}", if *.attempts > 1 { format!(" (attempt {attempts})") } else { String::new() })]
pub struct GivenUp {
    /// What the last attempt failed with.
    pub error: HandlerError,
    /// How many attempts there were.
    pub attempts: u32,
}

/// The answer for one row.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) place: Place,
}

/// The answer for one row, with the features themselves.
#[derive(Clone, Debug)]
pub(super) struct Completed {
    pub(super) outcome: Outcome,
    pub(super) features: Option<(RecordBatch, u32)>,
}

/// The answers for rows, in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub(super) parts: Vec<RecordBatch>,
    pub(super) rows: Vec<Answer>,
}

impl Answers {
    /// As many answers as there were rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row was given.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What became of a row.
    ///
    /// # Panics
    /// If there was no such row.
    pub fn outcome(&self, row: usize) -> &Outcome {
        &self.rows[row].outcome
    }

    /// What became of each row, in order.
    pub fn outcomes(&self) -> impl ExactSizeIterator<Item = &Outcome> {
        self.rows.iter().map(|answer| &answer.outcome)
    }

    /// The features, one row each: null for what is missing or failed. No columns where no row
    /// got any.
    ///
    /// # Errors
    /// The handler gave rows features of other names or types than others.
    pub fn features(&self) -> Result<RecordBatch, String> {
        let places: Vec<Place> = self.rows.iter().map(|answer| answer.place).collect();
        assemble(&self.parts, &places)
    }

    /// Adds a part, for places in it.
    pub(super) fn part(&mut self, part: RecordBatch) -> u32 {
        self.parts.push(part);
        self.parts.len() as u32 - 1
    }

    pub(super) fn completed(&self, row: usize) -> Completed {
        let Answer { outcome, place } = &self.rows[row];
        let features = place.map(|(part, row)| (self.parts[part as usize].clone(), row));
        Completed { outcome: outcome.clone(), features }
    }
}

/// The outcomes of an answer's rows, as the handler tells them; a failure with its error.
pub(super) fn told(answer: &Enriched) -> impl Iterator<Item = Result<Outcome, &HandlerError>> {
    let mut missing = answer.missing.iter().copied().peekable();
    let mut null_keys = answer.null_keys.iter().copied().peekable();
    let mut failures = answer.failures.iter().peekable();
    (0..answer.rows() as u32).map(move |row| {
        if let Some(failure) = failures.next_if(|failure| failure.row == row) {
            return Err(&failure.error);
        }
        Ok(if missing.next_if_eq(&row).is_some() {
            Outcome::Missing
        } else if null_keys.next_if_eq(&row).is_some() {
            Outcome::NullKey
        } else {
            Outcome::Enriched
        })
    })
}
