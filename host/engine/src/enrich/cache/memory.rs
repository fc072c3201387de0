//! Answers in memory, within a limit of bytes.

use super::super::answers::{Answers, Outcome};
use super::super::options::CacheOptions;
use super::entry::{Entry, Known, Shapes};
#[cfg(feature = "redis")]
use arrow_array::RecordBatch;
use moka::Expiry;
use moka::sync::Cache;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What an entry costs besides its bytes: moka's bookkeeping, the entry and the key.
const OVERHEAD: usize = 200;

pub(super) struct Memory {
    /// `None` where nothing is kept in memory.
    entries: Option<Cache<Box<[u8]>, Arc<Entry>>>,
    shapes: Shapes,
}

impl Memory {
    #[expect(clippy::borrowed_box, reason = "moka shows the key as it is kept")]
    pub(super) fn new(options: &CacheOptions) -> Self {
        let cache = || {
            Cache::builder()
                .max_capacity(options.memory)
                .weigher(|key: &Box<[u8]>, entry: &Arc<Entry>| {
                    let bytes = OVERHEAD + key.len() + entry.features.len();
                    bytes.try_into().unwrap_or(u32::MAX)
                })
                .expire_after(ByEntry)
                .build()
        };
        Memory { entries: (options.memory > 0).then(cache), shapes: Shapes::default() }
    }

    pub(super) fn get(&self, keys: &[Box<[u8]>]) -> Vec<Option<Known>> {
        let Some(entries) = &self.entries else { return keys.iter().map(|_| None).collect() };
        let now = Instant::now();
        keys.iter().map(|key| entries.get(key).map(|entry| entry.known(now))).collect()
    }

    pub(super) fn keep(&self, key: Box<[u8]>, entry: Arc<Entry>) {
        if let Some(entries) = &self.entries {
            entries.insert(key, entry);
        }
    }

    /// An entry for each row that is to be kept.
    pub(super) fn entries(
        &self,
        answers: &Answers,
        lifetime: impl Fn(&Outcome) -> Option<Duration>,
        stale: Duration,
    ) -> Vec<Option<Arc<Entry>>> {
        let now = Instant::now();
        // A shape that Arrow has no row format for is not kept.
        let parts: Vec<_> = answers
            .parts
            .iter()
            .map(|part| {
                let shape = self.shapes.of(part.schema_ref()).ok()?;
                let rows = shape.rows(part).ok()?;
                Some((shape, rows))
            })
            .collect();
        let entry = |outcome: &Outcome, (part, row): (u32, u32)| {
            let (shape, rows) = parts[part as usize].as_ref()?;
            let fresh_until = now + lifetime(outcome)?;
            Some(Arc::new(Entry {
                outcome: outcome.clone(),
                features: rows[row as usize].clone(),
                shape: shape.clone(),
                fresh_until,
                kept_until: fresh_until + stale,
            }))
        };
        let rows = answers.rows.iter();
        rows.map(|answer| entry(&answer.outcome, answer.place?)).collect()
    }

    /// An entry of one row that comes from a shared cache.
    #[cfg(feature = "redis")]
    pub(super) fn entry(
        &self,
        outcome: Outcome,
        features: &RecordBatch,
        (fresh_until, kept_until): (Instant, Instant),
    ) -> Option<Arc<Entry>> {
        let shape = self.shapes.of(features.schema_ref()).ok()?;
        let features = shape.rows(features).ok()?.into_iter().next()?;
        Some(Arc::new(Entry { outcome, features, shape, fresh_until, kept_until }))
    }
}

/// Each entry has its own time to live.
struct ByEntry;

impl Expiry<Box<[u8]>, Arc<Entry>> for ByEntry {
    fn expire_after_create(
        &self,
        _: &Box<[u8]>,
        entry: &Arc<Entry>,
        now: Instant,
    ) -> Option<Duration> {
        Some(entry.kept_until.saturating_duration_since(now))
    }

    fn expire_after_update(
        &self,
        _: &Box<[u8]>,
        entry: &Arc<Entry>,
        now: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.kept_until.saturating_duration_since(now))
    }
}
