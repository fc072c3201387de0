//! Counts of connections, requests, entities and statuses.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// A moment's counts, since the start or the last reset. Requests to `/_emulator` are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// TCP connections accepted.
    pub connections: u64,
    /// Requests received, answered or not.
    pub requests: u64,
    /// Entities whose features were answered with 200.
    pub entities: u64,
    /// The most requests that were being served at once.
    pub most_at_once: u64,
    /// Answers by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
}

const STATUSES: usize = 1_000;

/// The counters behind [`Stats`].
#[derive(Debug)]
pub(crate) struct Counters {
    connections: AtomicU64,
    requests: AtomicU64,
    entities: AtomicU64,
    now: AtomicU64,
    most_at_once: AtomicU64,
    statuses: Box<[AtomicU64]>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            connections: AtomicU64::default(),
            requests: AtomicU64::default(),
            entities: AtomicU64::default(),
            now: AtomicU64::default(),
            most_at_once: AtomicU64::default(),
            statuses: (0..STATUSES).map(|_| AtomicU64::default()).collect(),
        }
    }
}

/// A request that is being served.
pub(crate) struct Serving<'c> {
    counters: &'c Counters,
    /// How many there are with this one.
    pub(crate) at_once: u64,
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.counters.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn request(&self) -> Serving<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let at_once = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        Serving { counters: self, at_once }
    }

    pub(crate) fn answer(&self, status: u16, entities: usize) {
        self.entities.fetch_add(entities as u64, Ordering::Relaxed);
        if let Some(count) = self.statuses.get(usize::from(status)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let statuses = (0..).zip(self.statuses.iter().map(read));
        Stats {
            connections: read(&self.connections),
            requests: read(&self.requests),
            entities: read(&self.entities),
            most_at_once: read(&self.most_at_once),
            statuses: statuses.filter(|(_, count)| *count > 0).collect(),
        }
    }

    /// Begins anew; what is being served goes on being counted as served at once.
    pub(crate) fn reset(&self) {
        let counters = [&self.connections, &self.requests, &self.entities];
        for counter in counters.into_iter().chain(self.statuses.iter()) {
            counter.store(0, Ordering::Relaxed);
        }
        let now = self.now.load(Ordering::Relaxed);
        self.most_at_once.store(now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_at_once_is_a_high_water_mark() {
        let counters = Counters::default();
        let first = counters.request();
        drop(counters.request());
        drop(first);
        let third = counters.request();
        assert_eq!(third.at_once, 1);
        assert_eq!(counters.snapshot().most_at_once, 2);
    }

    #[test]
    fn a_reset_begins_anew() {
        let counters = Counters::default();
        drop(counters.request());
        counters.answer(200, 10);
        assert_eq!(counters.snapshot().statuses, BTreeMap::from([(200, 1)]));
        counters.reset();
        assert_eq!(counters.snapshot(), Stats::default());
    }
}
