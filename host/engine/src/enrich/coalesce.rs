//! Equal rows that are in flight at the same time are asked for once: the first leads, and the
//! others wait for what it gets.

use super::answers::Completed;
use super::keys::Keys;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The rows that are in flight.
#[derive(Clone, Default)]
pub(super) struct InFlight {
    table: Arc<Mutex<HashTable<Pending>>>,
    hasher: DefaultHashBuilder,
}

/// A row that is asked for, and those who wait for its answer. Its key is found by its place among
/// the keys of its bundle: a copy of the key would cost more than all else here.
struct Pending {
    hash: u64,
    keys: Arc<Keys>,
    row: u32,
    waiting: Vec<oneshot::Sender<Completed>>,
}

/// What a row does.
pub(super) enum Joined {
    /// Nobody asks for it: this one does.
    Leads,
    /// Somebody asks for it. The receiver fails when the leader has given up.
    Waits(oneshot::Receiver<Completed>),
}

impl InFlight {
    /// Finds a place for each of the rows; what leads has to [complete](Leading::complete).
    pub(super) fn join(
        &self,
        keys: &Arc<Keys>,
        rows: impl Iterator<Item = u32>,
    ) -> (Vec<Joined>, Leading) {
        let mut table = self.lock();
        let mut leading = Vec::new();
        let joined = rows
            .map(|row| {
                let key = keys.key(row as usize);
                let hash = self.hasher.hash_one(key);
                if let Some(pending) = table.find_mut(hash, |pending| pending.key() == key) {
                    let (sender, receiver) = oneshot::channel();
                    pending.waiting.push(sender);
                    return Joined::Waits(receiver);
                }
                let pending = Pending { hash, keys: keys.clone(), row, waiting: Vec::new() };
                table.insert_unique(hash, pending, |pending| pending.hash);
                leading.push((hash, row));
                Joined::Leads
            })
            .collect();
        drop(table);
        (joined, Leading { in_flight: self.clone(), keys: keys.clone(), rows: leading })
    }

    fn lock(&self) -> MutexGuard<'_, HashTable<Pending>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn key(&self) -> ([u8; 8], &[u8]) {
        self.keys.key(self.row as usize)
    }
}

/// The rows that one bundle leads, with their hashes. Dropped, whoever waits asks for themselves.
pub(super) struct Leading {
    in_flight: InFlight,
    keys: Arc<Keys>,
    rows: Vec<(u64, u32)>,
}

impl Leading {
    /// Tells all who wait: `completed` gives what became of the row at a position, in the order in
    /// which they got their joined.
    pub(super) fn complete(mut self, completed: impl Fn(usize) -> Completed) {
        self.end(|at, other| {
            // The receiver is gone where its bundle was given up.
            let _ = other.send(completed(at));
        });
    }

    fn end(&mut self, tell: impl Fn(usize, oneshot::Sender<Completed>)) {
        let mut table = self.in_flight.lock();
        for (at, (hash, row)) in std::mem::take(&mut self.rows).into_iter().enumerate() {
            let its_own =
                |pending: &Pending| pending.row == row && Arc::ptr_eq(&pending.keys, &self.keys);
            if let Ok(pending) = table.find_entry(hash, its_own) {
                let (pending, _) = pending.remove();
                pending.waiting.into_iter().for_each(|other| tell(at, other));
            }
        }
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        if !self.rows.is_empty() {
            self.end(|_, other| drop(other));
        }
    }
}
