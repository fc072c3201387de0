//! Rows on their way into one request: entities, and the rows that could not become one.

use crate::{Error, RowFailure};

/// Rows of one wire batch, in the order they came.
pub(crate) struct Rows<E> {
    /// The rows that are asked for.
    pub(crate) entities: Vec<E>,
    /// The others, ascending, with their positions among all.
    pub(crate) failures: Vec<RowFailure>,
}

impl<E> Rows<E> {
    pub(crate) fn new() -> Self {
        Rows { entities: Vec::new(), failures: Vec::new() }
    }

    /// How many there are of both.
    pub(crate) fn len(&self) -> usize {
        self.entities.len() + self.failures.len()
    }

    pub(crate) fn push(&mut self, entity: Result<E, Error>) {
        let row = self.len() as u32;
        match entity {
            Ok(entity) => self.entities.push(entity),
            Err(error) => self.failures.push(RowFailure { row, error }),
        }
    }

    /// The rows in two, each with half of the entities.
    pub(crate) fn halves(self) -> (Self, Self) {
        let half = self.entities.len() / 2;
        let (mut first, mut second) = (Rows::new(), Rows::new());
        let mut failures = self.failures.into_iter().peekable();
        let mut entities = self.entities.into_iter();
        let mut row = 0;
        loop {
            let next = match failures.next_if(|failure| failure.row == row) {
                Some(failure) => Err(failure.error),
                None => match entities.next() {
                    Some(entity) => Ok(entity),
                    None => return (first, second),
                },
            };
            let to = if first.entities.len() < half { &mut first } else { &mut second };
            to.push(next);
            row += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn halves_hold_all_rows_in_order_and_half_of_the_entities_each() {
        let mut rows = Rows::new();
        for row in 0..7 {
            let failed = row % 3 == 0;
            rows.push(match failed {
                true => Err(Error::new(ErrorKind::InvalidInput, row.to_string())),
                false => Ok(row),
            });
        }
        let (first, second) = rows.halves();
        let told = |rows: &Rows<u32>| {
            let failures: Vec<_> =
                rows.failures.iter().map(|f| (f.row, f.error.message.clone())).collect();
            (rows.entities.clone(), failures)
        };
        assert_eq!(told(&first), (vec![1, 2], vec![(0, "0".to_owned())]));
        let rest = vec![(0, "3".to_owned()), (3, "6".to_owned())];
        assert_eq!(told(&second), (vec![4, 5], rest));
    }
}
