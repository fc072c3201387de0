//! Answers in memory, bounded by their bytes.

use super::super::answers::{Answers, Outcome};
use super::super::options::CacheOptions;
use super::Known;
use super::shape::{Shape, Shapes};
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use moka::Expiry;
use moka::sync::Cache;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one row came to.
pub(in crate::enrich) struct Entry {
    pub(in crate::enrich) outcome: Outcome,
    features: Box<[u8]>,
    shape: Arc<Shape>,
    /// Until when it is good.
    pub(super) fresh_until: Instant,
    /// Until when it is better than nothing.
    pub(super) kept_until: Instant,
}

impl Entry {
    /// Whether it is good, or only better than nothing.
    pub(super) fn known(self: Arc<Self>, now: Instant) -> Known {
        if now < self.fresh_until { Known::Fresh(self) } else { Known::Stale(self) }
    }

    /// The features of some entries, a batch for each shape among them: with the positions of
    /// the batch's rows in `entries`.
    pub(in crate::enrich) fn features(
        entries: &[Arc<Entry>],
    ) -> Result<Vec<(RecordBatch, Vec<usize>)>, ArrowError> {
        let mut shapes: Vec<(&Arc<Shape>, Vec<usize>)> = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            match shapes.iter_mut().find(|(shape, _)| Arc::ptr_eq(shape, &entry.shape)) {
                Some((_, positions)) => positions.push(at),
                None => shapes.push((&entry.shape, vec![at])),
            }
        }
        let batch = |(shape, positions): (&Arc<Shape>, Vec<usize>)| {
            let batch = shape.batch(positions.iter().map(|at| &*entries[*at].features))?;
            Ok((batch, positions))
        };
        shapes.into_iter().map(batch).collect()
    }
}

/// What an entry costs beside its bytes: what moka keeps of it, the entry and the key.
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

    /// An entry of one row that comes from elsewhere.
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

/// Each entry brings its own time.
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
