//! The answer for one row, and the answers to the ordinary rows, with which others are compared.

use super::rows::Row;
use beamlet::raw::beamlet::enrichment::types::Error;
use beamlet_contract::Outcome;
use serde_json::Value;

/// An error for a row. Two errors are equal if a runner would treat them the same.
#[derive(Clone, Debug)]
pub(super) struct RowError(pub(super) Error);

impl PartialEq for RowError {
    fn eq(&self, other: &Self) -> bool {
        let of = |error: &Error| (format!("{:?}", error.kind), error.retryable, error.http_status);
        of(&self.0) == of(&other.0)
    }
}

/// The answer for one row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered {
    pub(super) outcome: Outcome<RowError>,
    /// The fields that are not null, by name, as JSON.
    pub(super) fields: Vec<(String, Value)>,
}

impl Answered {
    /// The outcome, in a word.
    pub(super) fn word(&self) -> &'static str {
        match &self.outcome {
            Outcome::NullKey => "a null key",
            outcome => outcome.name(),
        }
    }

    /// Describes the outcome for a person, without any value.
    pub(super) fn describe(&self) -> String {
        match &self.outcome {
            Outcome::Failed(error) => format!("failed ({})", kind(&error.0)),
            Outcome::Enriched if self.fields.len() == 1 => "enriched with 1 value".to_owned(),
            Outcome::Enriched => format!("enriched with {} values", self.fields.len()),
            _ => self.word().to_owned(),
        }
    }

    /// Whether the store answered for the row, possibly that the entity is missing.
    pub(super) fn is_answer(&self) -> bool {
        self.outcome.is_answer()
    }
}

/// The kind of an error, as the contract spells it.
pub(super) fn kind(error: &Error) -> String {
    beamlet::raw::error_kind(error.kind.clone()).to_string()
}

/// The handler's answers to the ordinary rows.
#[derive(Clone)]
pub(super) struct Ordinary {
    pub(super) rows: Vec<Row>,
    pub(super) answers: Vec<Answered>,
    /// Fields that differed when the same rows were asked for twice, such as a clock or a random
    /// number.
    pub(super) volatile: Vec<String>,
}

impl Ordinary {
    /// Whether any two rows got different answers. Otherwise their order cannot be tested.
    pub(super) fn are_distinct(&self) -> bool {
        let known = self.answers.iter().filter(|row| row.outcome == Outcome::Enriched);
        let known: Vec<Answered> = known.map(|row| self.stable(row)).collect();
        known.windows(2).any(|pair| pair[0] != pair[1])
    }

    /// The number of rows that the store knows.
    pub(super) fn known(&self) -> usize {
        self.answers.iter().filter(|row| row.outcome == Outcome::Enriched).count()
    }

    /// An answer without volatile fields.
    pub(super) fn stable(&self, row: &Answered) -> Answered {
        let fields = row.fields.iter().filter(|(name, _)| !self.volatile.contains(name));
        let mut fields: Vec<_> = fields.cloned().collect();
        // The order of fields has a check of its own.
        fields.sort_by(|(first, _), (second, _)| first.cmp(second));
        Answered { outcome: row.outcome.clone(), fields }
    }

    /// Whether a field is volatile.
    pub(super) fn is_volatile(&self, field: &str) -> bool {
        self.volatile.iter().any(|name| name == field)
    }
}
