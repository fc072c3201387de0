//! Rows of small bundles that are open side by side share requests. Streaming runners send bundles of
//! one or a few rows: each alone would be a request of its own.
//!
//! The first bundle that comes leads: it waits for others, takes what has come, and asks for all of it as
//! one. Without a time to wait for others, a bundle goes at once where an instance is free; while none is,
//! those that come gather.

use super::answers::Answers;
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

/// The answers for some of the rows.
fn part(answers: &Answers, rows: Range<usize>) -> Answers {
    Answers {
        parts: answers.parts.clone(),
        rows: answers.rows[rows].to_vec(),
        schema: answers.schema.clone(),
    }
}
