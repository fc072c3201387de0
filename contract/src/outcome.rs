//! What became of a row, by name.

use std::fmt;

/// What became of a row. `E` tells why it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome<E = ()> {
    /// It came back with an entity's features.
    Enriched,
    /// Its key names no entity that the store knows. Its features are null, but for what the
    /// store reports of it. No error.
    Missing,
    /// Its key is null, and the store knows nothing for it. Its features are null. No error.
    NullKey,
    /// It could not be enriched.
    Failed(E),
}

impl Outcome {
    /// Every outcome, in the order in which summaries count them.
    pub const ALL: [Outcome; 4] =
        [Outcome::Enriched, Outcome::Missing, Outcome::NullKey, Outcome::Failed(())];
}

impl<E> Outcome<E> {
    /// The name, in snake case: of metrics, columns and counters.
    pub const fn name(&self) -> &'static str {
        match self {
            Outcome::Enriched => "enriched",
            Outcome::Missing => "missing",
            Outcome::NullKey => "null_key",
            Outcome::Failed(_) => "failed",
        }
    }

    /// Whether the store answered, be it that it knows nothing.
    pub const fn is_answer(&self) -> bool {
        !matches!(self, Outcome::Failed(_))
    }

    /// Why the row failed.
    pub const fn error(&self) -> Option<&E> {
        match self {
            Outcome::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl<E> fmt::Display for Outcome<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
