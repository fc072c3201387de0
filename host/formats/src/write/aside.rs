//! Collects the rows that cannot be written, while the other rows of their batch are.

use crate::{BadRow, Rows, RowsError};

#[derive(Default)]
pub(super) struct Aside {
    /// Whether faulty rows are set aside. Otherwise they are errors.
    on: bool,
    rows: Vec<BadRow>,
    count: u64,
}

impl Aside {
    pub(super) fn new(on: bool) -> Self {
        Self { on, ..Self::default() }
    }

    /// Whether `error` can be resolved by setting rows aside.
    pub(super) fn takes(&self, error: &RowsError) -> bool {
        self.on && error.is_of_a_row()
    }

    /// Sets aside the rows that `check` rejects, and returns the positions of the others. Rows are
    /// checked together, and a range is halved if it contains a rejected row, because few rows are
    /// rejected.
    pub(super) fn sift(
        &mut self,
        rows: &Rows,
        check: impl Fn(&Rows) -> Result<(), RowsError>,
    ) -> Vec<usize> {
        let mut good = Vec::with_capacity(rows.len());
        let mut ranges: Vec<_> = std::iter::once(0..rows.len()).collect();
        while let Some(range) = ranges.pop() {
            let positions: Vec<_> = range.clone().collect();
            match check(&rows.select(&positions)) {
                Err(error) if error.is_of_a_row() && range.len() == 1 => {
                    self.rows.push(rows.bad_row(range.start, error));
                    self.count += 1;
                }
                Err(error) if error.is_of_a_row() => {
                    let middle = range.start + range.len() / 2;
                    ranges.push(middle..range.end);
                    ranges.push(range.start..middle);
                }
                // Another error does not come from one of these rows. It occurs again when they are
                // written.
                Ok(()) | Err(_) => good.extend(range),
            }
        }
        good
    }

    /// The rows that were set aside since the last call.
    pub(super) fn take(&mut self) -> Vec<BadRow> {
        std::mem::take(&mut self.rows)
    }

    /// The number of rows that were set aside.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}
