//! Equal rows that are in flight at the same time are asked for once: the first leads, and the
//! others wait for what it gets.

use super::answers::Landed;
use super::keys::Keys;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What is in flight.
#[derive(Clone, Default)]
pub(super) struct Flights {
    table: Arc<Mutex<HashTable<Flight>>>,
    hasher: DefaultHashBuilder,
}

/// A row that is asked for, and who waits for it. It names its key by the place where it stands:
/// a key of its own would be the dearest thing about it.
struct Flight {
    hash: u64,
    keys: Arc<Keys>,
    row: u32,
    waiting: Vec<oneshot::Sender<Landed>>,
}

/// What a row does.
pub(super) enum Seat {
    /// Nobody asks for it: this one does.
    Leads,
    /// Somebody asks for it. The receiver fails when the leader has given up.
    Waits(oneshot::Receiver<Landed>),
}

impl Flights {
    /// Finds a seat for each of the rows; what leads has to [land](Leading::land).
    pub(super) fn board(
        &self,
        keys: &Arc<Keys>,
        rows: impl Iterator<Item = u32>,
    ) -> (Vec<Seat>, Leading) {
        let mut table = self.lock();
        let mut leading = Vec::new();
        let seats = rows
            .map(|row| {
                let key = keys.key(row as usize);
                let hash = self.hasher.hash_one(key);
                if let Some(flight) = table.find_mut(hash, |flight| flight.key() == key) {
                    let (sender, receiver) = oneshot::channel();
                    flight.waiting.push(sender);
                    return Seat::Waits(receiver);
                }
                let flight = Flight { hash, keys: keys.clone(), row, waiting: Vec::new() };
                table.insert_unique(hash, flight, |flight| flight.hash);
                leading.push((hash, row));
                Seat::Leads
            })
            .collect();
        drop(table);
        (seats, Leading { flights: self.clone(), keys: keys.clone(), rows: leading })
    }

    fn lock(&self) -> MutexGuard<'_, HashTable<Flight>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    fn key(&self) -> ([u8; 8], &[u8]) {
        self.keys.key(self.row as usize)
    }
}

/// The rows that one bundle leads, with their hashes. Dropped, whoever waits asks for themselves.
pub(super) struct Leading {
    flights: Flights,
    keys: Arc<Keys>,
    rows: Vec<(u64, u32)>,
}

impl Leading {
    /// Tells all who wait: `landed` gives what became of the row at a position, in the order in
    /// which they got their seats.
    pub(super) fn land(mut self, landed: impl Fn(usize) -> Landed) {
        self.end(|at, other| {
            // Who has gone in the meantime need not know.
            let _ = other.send(landed(at));
        });
    }

    fn end(&mut self, tell: impl Fn(usize, oneshot::Sender<Landed>)) {
        let mut table = self.flights.lock();
        for (at, (hash, row)) in std::mem::take(&mut self.rows).into_iter().enumerate() {
            let its_own =
                |flight: &Flight| flight.row == row && Arc::ptr_eq(&flight.keys, &self.keys);
            if let Ok(flight) = table.find_entry(hash, its_own) {
                let (flight, _) = flight.remove();
                flight.waiting.into_iter().for_each(|other| tell(at, other));
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
