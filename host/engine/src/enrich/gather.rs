//! Rows of small bundles that are open side by side share requests. Streaming runners send bundles of
//! one or a few rows: each alone would be a request of its own.
//!
//! The first bundle that comes leads: it waits for others, takes what has come, and asks for all of it as
//! one. Without a time to wait for others, a bundle goes at once where an instance is free; while none is,
//! those that come gather.

use super::answers::{Answer, Answers};
use super::ask::Asker;
use crate::plugin::PluginError;
use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use std::mem;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::sleep;

/// A bundle of so many rows fills a request of its own: Tecton takes ten in one.
const LARGE: usize = 10;
/// The most rows that are asked for as one. An instance has few requests on the wire at once: more
/// rows would wait for each other.
const MOST: usize = 50;

/// The bundles that wait for each other.
pub(super) struct Gather {
    /// What the next bundle joins.
    open: Mutex<Option<Arc<Mutex<Group>>>>,
    /// Of groups that are asked for: as many as bundles may be in the handler at once.
    groups: Semaphore,
    linger: Duration,
}

/// Bundles that are asked for as one, the leader's first.
struct Group {
    bundles: Vec<Waiting>,
    rows: usize,
    /// Whether the leader has taken the bundles.
    closed: bool,
}

/// A bundle that waits for its answers.
struct Waiting {
    rows: RecordBatch,
    /// None for the leader's own. Dropped, the bundle asks for itself.
    answers: Option<oneshot::Sender<Answers>>,
}

/// What a bundle does.
enum Role {
    Leads(Leading),
    Follows(oneshot::Receiver<Answers>),
    /// It is not small.
    Alone,
}

impl Gather {
    pub(super) fn new(in_flight: usize, linger: Duration) -> Self {
        let groups = Semaphore::new(in_flight.max(1));
        Gather { open: Mutex::default(), groups, linger }
    }

    /// Asks for the rows of a bundle, with those of others where it is small.
    pub(super) async fn ask(
        &self,
        asker: &Asker,
        rows: &RecordBatch,
    ) -> Result<Answers, PluginError> {
        match self.role(rows) {
            Role::Alone => asker.ask(rows).await,
            Role::Follows(answers) => match answers.await {
                Ok(answers) => Ok(answers),
                // The leader was cancelled, or failed with an error that is its own.
                Err(_) => asker.ask(rows).await,
            },
            Role::Leads(leading) => self.lead(leading, asker, rows).await,
        }
    }

    fn role(&self, rows: &RecordBatch) -> Role {
        if rows.num_rows() == 0 || rows.num_rows() >= LARGE {
            return Role::Alone;
        }
        let mut open = lock(&self.open);
        if let Some(group) = &*open
            && let Some(answers) = lock(group).join(rows)
        {
            return Role::Follows(answers);
        }
        let own = Waiting { rows: rows.clone(), answers: None };
        let group = Group { bundles: vec![own], rows: rows.num_rows(), closed: false };
        let group = Arc::new(Mutex::new(group));
        *open = Some(group.clone());
        Role::Leads(Leading(group))
    }

    async fn lead(
        &self,
        leading: Leading,
        asker: &Asker,
        rows: &RecordBatch,
    ) -> Result<Answers, PluginError> {
        if !self.linger.is_zero() {
            sleep(self.linger).await;
        }
        let _group = self.groups.acquire().await;
        let bundles = leading.take();
        if bundles.len() < 2 {
            return asker.ask(rows).await;
        }
        let all = concat_batches(rows.schema_ref(), bundles.iter().map(|bundle| &bundle.rows))
            .expect("the bundles of a group have one schema");
        let answers = asker.ask(&all).await?;
        let mut from = 0;
        let mut own = Answers::default();
        for Waiting { rows, answers: sender } in bundles {
            let part = part(&answers, from..from + rows.num_rows());
            from += rows.num_rows();
            match sender {
                None => own = part,
                // A bundle that was cancelled does not take its answers.
                Some(sender) => drop(sender.send(part)),
            }
        }
        Ok(own)
    }
}

impl Group {
    /// Adds a bundle; none where it does not go with the others.
    fn join(&mut self, rows: &RecordBatch) -> Option<oneshot::Receiver<Answers>> {
        let first = self.bundles.first()?;
        let fits = self.rows + rows.num_rows() <= MOST;
        if self.closed || !fits || first.rows.schema_ref() != rows.schema_ref() {
            return None;
        }
        self.rows += rows.num_rows();
        let (sender, answers) = oneshot::channel();
        self.bundles.push(Waiting { rows: rows.clone(), answers: Some(sender) });
        Some(answers)
    }
}

/// The leader's hold on its group. Dropped, the others ask for themselves.
struct Leading(Arc<Mutex<Group>>);

impl Leading {
    /// Closes the group, and gives its bundles.
    fn take(&self) -> Vec<Waiting> {
        let mut group = lock(&self.0);
        group.closed = true;
        mem::take(&mut group.bundles)
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        self.take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The answers for some of the rows, with no other rows' features: whatever is done with them later is
/// work for these rows alone.
fn part(answers: &Answers, rows: Range<usize>) -> Answers {
    // Runs of rows in a part: the part, the first row and how many.
    let mut runs: Vec<(u32, u32, u32)> = Vec::new();
    let rows = answers.rows[rows].iter().map(|answer| {
        let place = answer.place.map(|(part, row)| {
            let goes_on =
                |(last, from, count): &(u32, u32, u32)| (*last, from + count) == (part, row);
            if !runs.last().is_some_and(goes_on) {
                runs.push((part, row, 0));
            }
            let at = runs.len() - 1;
            runs[at].2 += 1;
            (at as u32, runs[at].2 - 1)
        });
        Answer { outcome: answer.outcome.clone(), place }
    });
    let rows = rows.collect();
    let slice = |(part, from, count): (u32, u32, u32)| {
        answers.parts[part as usize].slice(from as usize, count as usize)
    };
    let parts = runs.into_iter().map(slice).collect();
    Answers { parts, rows, schema: answers.schema.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::Outcome;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{ArrayRef, Int64Array};

    fn features(values: Range<i64>) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
        RecordBatch::try_from_iter_with_nullable([("n", column, true)]).unwrap()
    }

    fn shown(answers: &Answers) -> Vec<Option<i64>> {
        let features = answers.features().unwrap();
        let column = features.column_by_name("n");
        column.map_or_else(Vec::new, |it| it.as_primitive::<Int64Type>().iter().collect())
    }

    #[test]
    fn a_bundle_gets_its_own_rows_features_and_no_others() {
        let place = |place| Answer { outcome: Outcome::Enriched, place };
        // Of two parts, in another order, with a row that has no features.
        let places = [Some((0, 0)), Some((0, 1)), None, Some((1, 1)), Some((1, 0)), Some((0, 2))];
        let answers = Answers {
            parts: vec![features(0..3), features(10..12)],
            rows: places.map(place).to_vec(),
            schema: None,
        };
        let all = [Some(0), Some(1), None, Some(11), Some(10), Some(2)];
        for from in 0..all.len() {
            for to in from + 1..=all.len() {
                let own = part(&answers, from..to);
                let rows: usize = own.parts.iter().map(RecordBatch::num_rows).sum();
                assert_eq!(rows, all[from..to].iter().flatten().count());
                if rows > 0 {
                    assert_eq!(shown(&own), all[from..to], "{from}..{to}");
                }
            }
        }
    }
}
