//! The outcome of each row, and where its features are.

use super::error::{FeaturesError, JoinError};
use super::join::join;
use crate::columns::{Place, assemble, with_schema};
use crate::plugin::{Enriched, HandlerError};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow_schema::SchemaRef;
use beamlet_contract::join::OnConflict;
use std::sync::Arc;

/// The outcome of a row.
pub type Outcome = beamlet_contract::Outcome<Arc<RowFailure>>;

/// Why a row could not be enriched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}{}", if *.attempts > 1 { format!(" (attempt {attempts})") } else { String::new() })]
#[non_exhaustive]
pub struct RowFailure {
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
    /// The schema of the features, where it is declared.
    pub(super) schema: Option<SchemaRef>,
}

impl Answers {
    /// How many rows there were.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row was given.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The outcome of a row.
    ///
    /// # Panics
    /// If there was no such row.
    pub fn outcome(&self, row: usize) -> &Outcome {
        &self.rows[row].outcome
    }

    /// The outcomes of all rows, in order.
    pub fn outcomes(&self) -> impl ExactSizeIterator<Item = &Outcome> {
        self.rows.iter().map(|answer| &answer.outcome)
    }

    /// The features, one row each; null for a row that is missing or failed. Their schema is that of
    /// [`Enricher::schema`](super::Enricher::schema). Where the store declares none, it is that of the
    /// answers, and without columns where no row got any. Lists of booleans, `int64`, floats and strings
    /// are Arrow lists; other lists, maps and structs are JSON texts.
    ///
    /// # Errors
    /// The handler gave rows features of other names or types than others.
    pub fn features(&self) -> Result<RecordBatch, FeaturesError> {
        let places: Vec<Place> = self.rows.iter().map(|answer| answer.place).collect();
        let features = assemble(&self.parts, &places).map_err(FeaturesError)?;
        match &self.schema {
            Some(schema) => with_schema(features, schema).map_err(FeaturesError),
            None => Ok(features),
        }
    }

    /// The outcomes of all rows, as columns.
    ///
    /// | column | type | |
    /// |---|---|---|
    /// | `outcome` | `Utf8` | `enriched`, `missing`, `null_key` or `failed` |
    /// | `kind` | `Utf8` | the [kind](crate::plugin::ErrorKind) of error, where it failed |
    /// | `message` | `Utf8` | why it failed |
    /// | `retryable` | `Boolean` | whether it may succeed later |
    /// | `attempts` | `UInt32` | how often it was asked for before it failed |
    pub fn outcome_columns(&self) -> RecordBatch {
        let failures = || {
            self.outcomes().map(|outcome| match outcome {
                Outcome::Failed(failure) => Some(&**failure),
                _ => None,
            })
        };
        let outcomes = self.outcomes().map(|outcome| Some(outcome.name()));
        let kinds = failures().map(|it| it.map(|it| it.error.kind.name()));
        let messages = failures().map(|it| it.map(|it| it.error.message.as_str()));
        let retryable = failures().map(|it| it.map(|it| it.error.retryable));
        let attempts = failures().map(|it| it.map(|it| it.attempts));
        let columns: [(&str, ArrayRef); 5] = [
            ("outcome", Arc::new(StringArray::from_iter(outcomes))),
            ("kind", Arc::new(StringArray::from_iter(kinds))),
            ("message", Arc::new(StringArray::from_iter(messages))),
            ("retryable", Arc::new(BooleanArray::from_iter(retryable))),
            ("attempts", Arc::new(UInt32Array::from_iter(attempts))),
        ];
        let columns = columns.map(|(name, column)| (name, column, name != "outcome"));
        RecordBatch::try_from_iter_with_nullable(columns).expect("the columns are of one length")
    }

    /// The rows with their features behind their own columns. Where a column and a feature have the same
    /// name, `on_conflict` decides.
    ///
    /// # Errors
    /// Names or types conflict, or these are not the rows that were enriched.
    pub fn join(
        &self,
        rows: &RecordBatch,
        on_conflict: &OnConflict,
    ) -> Result<RecordBatch, JoinError> {
        if rows.num_rows() != self.len() {
            let (rows, answers) = (rows.num_rows(), self.len());
            return Err(JoinError::Rows { rows, answers });
        }
        let features = self.features()?;
        let has_features: Vec<bool> = self.rows.iter().map(|row| row.place.is_some()).collect();
        join(rows, &features, &has_features, on_conflict)
    }

    /// Adds a part, and returns its number.
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

/// The outcomes of an answer's rows, as the handler reports them; a failure as its error.
pub(super) fn outcomes_of(
    answer: &Enriched,
) -> impl Iterator<Item = Result<Outcome, &HandlerError>> {
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
