//! Where a row came from.

use std::fmt;
use std::sync::Arc;

/// The place of a row in its input; printed as `source:line`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The input's name: its path, or what the caller named it.
    pub source: Arc<str>,
    /// The line on which the row begins, from 1; a CSV header counts.
    pub line: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.line)
    }
}
