//! Equal rows that are in flight at the same time are asked for once: the first one leads, and the others
//! wait for its answer.

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

/// A row that is asked for, and the rows that wait for its answer. Its key stays among the keys of its
/// bundle, as a copy would cost more than the rest of the join.
struct Pending {
    hash: u64,
    keys: Arc<Keys>,
    row: u32,
    waiting: Vec<oneshot::Sender<Completed>>,
}

/// What a row does about its answer.
pub(super) enum Role {
    /// It is the first one: its bundle asks for it.
    Leads,
    /// Another bundle asks for it. The receiver fails where that one is cancelled or fails.
    Waits(oneshot::Receiver<Completed>),
}

impl InFlight {
    /// Gives each of the rows its role; those that lead have to be [completed](Leading::complete).
    pub(super) fn join(
        &self,
        keys: &Arc<Keys>,
        rows: impl Iterator<Item = u32>,
    ) -> (Vec<Role>, Leading) {
        let mut table = self.lock();
        let mut leading = Vec::new();
        let roles = rows
            .map(|row| {
                let key = keys.key(row as usize);
                let hash = self.hasher.hash_one(key);
                if let Some(pending) = table.find_mut(hash, |pending| pending.key() == key) {
                    let (sender, receiver) = oneshot::channel();
                    pending.waiting.push(sender);
                    return Role::Waits(receiver);
                }
                let pending = Pending { hash, keys: keys.clone(), row, waiting: Vec::new() };
                table.insert_unique(hash, pending, |pending| pending.hash);
                leading.push((hash, row));
                Role::Leads
            })
            .collect();
        drop(table);
        (roles, Leading { in_flight: self.clone(), keys: keys.clone(), rows: leading })
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

/// The rows that one bundle leads, with their hashes. Where it is dropped, the rows that wait for them
/// are asked for by their own bundles.
pub(super) struct Leading {
    in_flight: InFlight,
    keys: Arc<Keys>,
    rows: Vec<(u64, u32)>,
}

impl Leading {
    /// Sends the answers to the rows that wait; `completed` returns the answer of the row at a position,
    /// in the order of the roles.
    pub(super) fn complete(mut self, completed: impl Fn(usize) -> Completed) {
        self.end(|at, other| {
            // The receiver is gone where its bundle was cancelled.
            let _ = other.send(completed(at));
        });
    }

    fn end(&mut self, send: impl Fn(usize, oneshot::Sender<Completed>)) {
        let mut table = self.in_flight.lock();
        for (at, (hash, row)) in std::mem::take(&mut self.rows).into_iter().enumerate() {
            let its_own =
                |pending: &Pending| pending.row == row && Arc::ptr_eq(&pending.keys, &self.keys);
            if let Ok(pending) = table.find_entry(hash, its_own) {
                let (pending, _) = pending.remove();
                pending.waiting.into_iter().for_each(|other| send(at, other));
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
