//! Where rows are: in their input, for messages, and in the batch of which they are a part.

use std::fmt;
use std::sync::Arc;

/// The place of a row in its input, printed as `source:line`, or `source:row N`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The input's name: the path of the part, or the name that the caller gave.
    pub source: Arc<str>,
    /// The line on which the row begins, from 1; a CSV header counts as a line. For a format
    /// without lines, the row's number in its file, from 1.
    pub line: u64,
    /// Whether `line` counts lines or rows.
    pub unit: Unit,
}

/// The unit that an [`Origin`] counts in.
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

/// Ascending positions in a batch. A clone shares them.
#[derive(Clone, Debug)]
pub(crate) enum Positions {
    Range { start: usize, len: usize },
    Listed(Arc<[u32]>),
}

impl Positions {
    /// The first `len` rows.
    pub(crate) fn first(len: usize) -> Self {
        Self::Range { start: 0, len }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Range { len, .. } => *len,
            Self::Listed(rows) => rows.len(),
        }
    }

    /// The position in the batch of the selected row `row`.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> usize {
        match self {
            Self::Range { start, len } => {
                assert!(row < *len, "row {row} of {len}");
                start + row
            }
            Self::Listed(rows) => rows[row] as usize,
        }
    }

    /// The positions of the selected rows `keep`, which must ascend.
    pub(crate) fn select(&self, keep: &[usize]) -> Self {
        assert!(keep.is_sorted_by(|one, next| one < next), "positions must ascend");
        // A batch and a row are under 2 GiB, and no row is shorter than a byte.
        Self::Listed(keep.iter().map(|row| self.get(*row) as u32).collect())
    }

    /// The first `rows` positions, and the rest if there are more.
    pub(crate) fn split(self, rows: usize) -> (Self, Option<Self>) {
        if rows >= self.len() {
            return (self, None);
        }
        match self {
            Self::Range { start, len } => (
                Self::Range { start, len: rows },
                Some(Self::Range { start: start + rows, len: len - rows }),
            ),
            Self::Listed(listed) => {
                (Self::Listed(listed[..rows].into()), Some(Self::Listed(listed[rows..].into())))
            }
        }
    }
}
