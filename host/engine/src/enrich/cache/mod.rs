//! Answers that are kept: in memory, and in a Redis that runners share.
//!
//! What is kept is exact: a key holds the handler's identity, the configuration (without its
//! secrets) and all that the handler is shown of a row, and a value holds the features with
//! their types. A failure is never kept.

mod memory;
#[cfg_attr(not(feature = "redis"), path = "no_redis.rs")]
mod redis;
mod shape;

use self::memory::{Entry, Memory};
use self::redis::Redis;
use super::answers::{Answers, Outcome};
use super::metrics::Metrics;
use super::options::CacheOptions;
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The cache cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[error("the cache: {0}")]
pub struct CacheError(pub(super) String);

/// What is kept of one row: its outcome, and its features as bytes of a shape.
pub(super) type Kept = Arc<Entry>;

/// The features of some entries, a batch for each shape among them: with the positions of the
/// batch's rows in `entries`.
pub(super) fn features(entries: &[Kept]) -> Result<Vec<(RecordBatch, Vec<usize>)>, ArrowError> {
    Entry::features(entries)
}

/// What the cache knows of a row.
pub(super) enum Known {
    /// An answer that is good.
    Fresh(Kept),
    /// One that is better than none.
    Stale(Kept),
}

/// Keeps answers.
pub(super) struct Cache {
    memory: Memory,
    redis: Option<Redis>,
    options: CacheOptions,
    metrics: Arc<Metrics>,
}

impl Cache {
    /// `scope` tells handlers and configurations apart.
    pub(super) fn new(
        options: CacheOptions,
        scope: &[&str],
        metrics: Arc<Metrics>,
    ) -> Result<Self, CacheError> {
        let redis = options.redis.as_deref().map(|url| Redis::new(url, scope)).transpose()?;
        Ok(Cache { memory: Memory::new(&options), redis, options, metrics })
    }

    /// What is known of the rows with these keys; the error of a shared cache is counted, and is
    /// no reason not to go on.
    pub(super) async fn get(&self, keys: &[Box<[u8]>]) -> Vec<Option<Known>> {
        let mut known: Vec<Option<Known>> = self.memory.get(keys);
        if let Some(redis) = &self.redis {
            let open: Vec<usize> = (0..keys.len()).filter(|at| known[*at].is_none()).collect();
            let wanted: Vec<&[u8]> = open.iter().map(|at| &*keys[*at]).collect();
            match redis.get(&wanted, &self.memory).await {
                Ok(found) => {
                    for (at, entry) in open.into_iter().zip(found) {
                        known[at] = entry.map(|entry| {
                            self.memory.keep(keys[at].clone(), entry.clone());
                            entry.known(Instant::now())
                        });
                    }
                }
                Err(_) => {
                    self.metrics.cache_errors.add(1);
                }
            }
        }
        let fresh = known.iter().filter(|it| matches!(it, Some(Known::Fresh(_)))).count();
        self.metrics.cache_hits.add(fresh as u64);
        self.metrics.cache_misses.add((known.len() - fresh) as u64);
        known
    }

    /// Keeps what became of the rows with these keys.
    pub(super) async fn put(&self, keys: Vec<Box<[u8]>>, answers: &Answers) {
        let entries =
            self.memory.entries(answers, |outcome| self.lifetime(outcome), self.options.stale);
        let entries: Vec<(Box<[u8]>, Kept)> = keys
            .into_iter()
            .zip(entries)
            .filter_map(|(key, entry)| entry.map(|entry| (key, entry)))
            .collect();
        if let Some(redis) = &self.redis
            && redis.put(&entries).await.is_err()
        {
            self.metrics.cache_errors.add(1);
        }
        for (key, entry) in entries {
            self.memory.keep(key, entry);
        }
    }

    /// How long a outcome is good; `None` is not to be kept.
    fn lifetime(&self, outcome: &Outcome) -> Option<Duration> {
        match outcome {
            Outcome::Enriched => Some(self.options.ttl),
            Outcome::Missing | Outcome::NullKey => Some(self.options.missing_ttl),
            Outcome::Failed(_) => None,
        }
    }
}
