//! Which rows of a batch a view of it shows.

use std::sync::Arc;

/// Positions in a batch, ascending. A clone shares them.
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

    /// The position in the batch of the row at `row` here.
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

    /// Those of the rows at `keep` here, which must ascend.
    pub(crate) fn select(&self, keep: &[usize]) -> Self {
        assert!(keep.is_sorted_by(|one, next| one < next), "positions must ascend");
        // A batch and a row are under 2 GiB, and no row is shorter than a byte.
        Self::Listed(keep.iter().map(|row| self.get(*row) as u32).collect())
    }

    /// The first `rows`, and the rest if there is one.
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
