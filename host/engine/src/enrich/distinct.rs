//! Equal rows of a bundle, as one.

use super::keys::Keys;
use hashbrown::HashMap;

/// Which rows of a bundle differ.
pub(super) struct Distinct {
    /// The first row of each kind, ascending.
    pub(super) first: Vec<u32>,
    /// For each row of the bundle, where in `first` its kind is; `None` where all differ.
    kind: Option<Vec<u32>>,
}

impl Distinct {
    /// Finds equal rows.
    pub(super) fn of(keys: &Keys, rows: usize) -> Self {
        let mut seen: HashMap<&[u8], u32> = HashMap::with_capacity(rows);
        let mut first = Vec::with_capacity(rows);
        let mut kind = Vec::with_capacity(rows);
        for row in 0..rows {
            let new = first.len() as u32;
            let at = *seen.entry(keys.values(row)).or_insert(new);
            if at == new {
                first.push(row as u32);
            }
            kind.push(at);
        }
        let kind = (first.len() < rows).then_some(kind);
        Distinct { first, kind }
    }

    /// All rows, as if they differed.
    pub(super) fn all(rows: usize) -> Self {
        Distinct { first: (0..rows as u32).collect(), kind: None }
    }

    /// Where in `first` each row's kind is.
    pub(super) fn kinds(&self) -> Option<&[u32]> {
        self.kind.as_deref()
    }
}
