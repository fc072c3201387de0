//! Where a row came from.

use std::fmt;
use std::sync::Arc;

/// The place of a row in its input; printed as `source:line`, or `source:row N`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The input's name: the path of its part, or what the caller named it.
    pub source: Arc<str>,
    /// The line on which the row begins, from 1, where a CSV header counts; of a format without
    /// lines, the row's number in its file, from 1.
    pub line: u64,
    /// Which of both it is.
    pub unit: Unit,
}

/// What an [`Origin`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Lines of a text.
    Line,
    /// Rows of a file that has no lines.
    Row,
}

impl Origin {
    pub(crate) fn line(source: Arc<str>, line: u64) -> Self {
        Self { source, line, unit: Unit::Line }
    }

    pub(crate) fn row(source: Arc<str>, row: u64) -> Self {
        Self { source, line: row, unit: Unit::Row }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::Line => write!(f, "{}:{}", self.source, self.line),
            Unit::Row => write!(f, "{}:row {}", self.source, self.line),
        }
    }
}
