//! Equal rows that are in flight at the same time are asked for once: the first leads, and the
//! others wait for what it gets.

use super::answers::Landed;
use hashbrown::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

type Waiting = HashMap<Box<[u8]>, Vec<oneshot::Sender<Landed>>>;

/// What is in flight, by key.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Mutex<Waiting>>);

/// What a row does.
pub(super) enum Seat {
    /// Nobody asks for it: this one does.
    Leads,
    /// Somebody asks for it. The receiver fails when the leader has given up.
    Waits(oneshot::Receiver<Landed>),
}

impl Flights {
    /// Finds a seat for each key; what leads has to [land](Leading::land).
    pub(super) fn board<'a>(&self, keys: impl Iterator<Item = &'a [u8]>) -> (Vec<Seat>, Leading) {
        let mut waiting = self.lock();
        let mut leading = Vec::new();
        let seats = keys
            .map(|key| match waiting.get_mut(key) {
                Some(others) => {
                    let (sender, receiver) = oneshot::channel();
                    others.push(sender);
                    Seat::Waits(receiver)
                }
                None => {
                    let key: Box<[u8]> = key.into();
                    waiting.insert(key.clone(), Vec::new());
                    leading.push(key);
                    Seat::Leads
                }
            })
            .collect();
        drop(waiting);
        (seats, Leading { flights: self.clone(), keys: leading })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys that one bundle leads. Dropped, whoever waits asks for themselves.
pub(super) struct Leading {
    flights: Flights,
    keys: Vec<Box<[u8]>>,
}

impl Leading {
    /// Tells all who wait: `landed` gives what became of the key at a position, in the order in
    /// which they got their seats.
    pub(super) fn land(mut self, landed: impl Fn(usize) -> Landed) {
        let mut waiting = self.flights.lock();
        for (at, key) in std::mem::take(&mut self.keys).iter().enumerate() {
            for other in waiting.remove(key).into_iter().flatten() {
                // Who has gone in the meantime need not know.
                let _ = other.send(landed(at));
            }
        }
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        if !self.keys.is_empty() {
            let mut waiting = self.flights.lock();
            for key in &self.keys {
                waiting.remove(key);
            }
        }
    }
}
