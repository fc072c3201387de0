//! Answers of wire batches, put back into the order of the rows and joined into as few
//! batches as their types allow.

use crate::{Batch, Column, Enriched, Error, RowFailure};
use std::collections::VecDeque;

impl Enriched {
    /// The answer for rows that all fail for one reason.
    pub fn failed(rows: u32, error: &Error) -> Enriched {
        Enriched {
            fields: Batch::empty(rows),
            missing: Vec::new(),
            null_keys: Vec::new(),
            failures: (0..rows).map(|row| RowFailure { row, error: error.clone() }).collect(),
        }
    }

    /// The answer for no row.
    pub(crate) fn none() -> Enriched {
        Enriched::failed(0, &Error::new(crate::ErrorKind::InvalidInput, ""))
    }

    /// How many rows came back with an entity's features.
    pub(crate) fn retrieved(&self) -> u64 {
        u64::from(self.fields.rows)
            - (self.missing.len() + self.null_keys.len() + self.failures.len()) as u64
    }

    /// Whether `next` can be appended: the same fields, or no field on one side.
    fn takes(&self, next: &Enriched) -> bool {
        let (own, new) = (&self.fields.columns, &next.fields.columns);
        own.is_empty()
            || new.is_empty()
            || (own.len() == new.len()
                && own
                    .iter()
                    .zip(new)
                    .all(|(a, b)| a.name == b.name && a.values.same_type(&b.values)))
    }

    /// Appends the next rows, which it [`takes`](Self::takes).
    fn append(&mut self, next: Enriched) {
        let rows = self.fields.rows;
        let more = next.fields.rows;
        let own = &mut self.fields.columns;
        if own.is_empty() {
            *own =
                next.fields.columns.iter().map(|column| Column::nulls_like(column, rows)).collect();
        }
        if next.fields.columns.is_empty() {
            for column in own.iter_mut() {
                column.append_nulls(rows, more);
            }
        }
        for (column, new) in own.iter_mut().zip(next.fields.columns) {
            column.append(rows, new);
        }
        self.missing.extend(next.missing.into_iter().map(|at| at + rows));
        self.null_keys.extend(next.null_keys.into_iter().map(|at| at + rows));
        self.failures.extend(
            next.failures
                .into_iter()
                .map(|RowFailure { row, error }| RowFailure { row: row + rows, error }),
        );
        self.fields.rows += more;
    }

    /// Puts `self`, the answer for the good rows, into the places that `failures` leave among
    /// `rows` rows.
    pub(crate) fn spread(self, rows: u32, failures: Vec<RowFailure>) -> Enriched {
        if failures.is_empty() {
            return self;
        }
        let mut whole = Enriched::none();
        let mut good = self.split().into_iter();
        let mut bad = failures.into_iter().peekable();
        for row in 0..rows {
            let one = match bad.next_if(|failure| failure.row == row) {
                Some(failure) => Some(Enriched::failed(1, &failure.error)),
                None => good.next(),
            };
            if let Some(one) = one {
                whole.append(one);
            }
        }
        whole
    }

    /// Each row as an answer of its own. Only where rows failed, so not on the fast path.
    fn split(self) -> Vec<Enriched> {
        let mut rows: Vec<Enriched> = (0..self.fields.rows)
            .map(|_| Enriched { fields: Batch::empty(1), ..Enriched::none() })
            .collect();
        for column in self.fields.columns {
            let mask = column.null_mask();
            for (row, (values, null)) in rows.iter_mut().zip(column.values.split().zip(mask)) {
                row.fields.columns.push(Column {
                    name: column.name.clone(),
                    values,
                    nulls: if null { vec![0] } else { Vec::new() },
                });
            }
        }
        for at in self.missing {
            rows[at as usize].missing.push(0);
        }
        for at in self.null_keys {
            rows[at as usize].null_keys.push(0);
        }
        for failure in self.failures {
            rows[failure.row as usize].failures.push(RowFailure { row: 0, error: failure.error });
        }
        rows
    }
}

/// Answers by the order of their wire batches, whichever comes first.
#[derive(Default)]
pub(crate) struct Answers {
    /// The place of the first answer that has not been given.
    first: u64,
    waiting: VecDeque<Option<Enriched>>,
}

impl Answers {
    /// Makes a place behind the last one.
    pub(crate) fn reserve(&mut self) -> u64 {
        self.waiting.push_back(None);
        self.first + self.waiting.len() as u64 - 1
    }

    /// Makes two places of one that has no answer yet: those behind it move on by one.
    pub(crate) fn widen(&mut self, place: u64) {
        self.waiting.insert((place - self.first) as usize, None);
    }

    /// Puts an answer into its place.
    pub(crate) fn put(&mut self, place: u64, answer: Enriched) {
        self.waiting[(place - self.first) as usize] = Some(answer);
    }

    /// Takes the answers from the first place on that are there without a gap.
    pub(crate) fn take(&mut self) -> Vec<Enriched> {
        let mut taken: Vec<Enriched> = Vec::new();
        let there = self.waiting.iter().map_while(Option::as_ref);
        // Still to come: there is room for them from the beginning.
        let mut rows: usize = there.map(|answer| answer.fields.rows as usize).sum();
        while let Some(Some(_)) = self.waiting.front() {
            self.first += 1;
            let Some(mut next) = self.waiting.pop_front().flatten() else {
                break;
            };
            rows -= next.fields.rows as usize;
            match taken.last_mut() {
                Some(last) if last.takes(&next) => last.append(next),
                _ => {
                    let columns = next.fields.columns.iter_mut();
                    columns.for_each(|column| column.values.reserve(rows));
                    taken.push(next);
                }
            }
        }
        taken
    }
}
