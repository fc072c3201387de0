//! Keeps answers: in memory, and in a Redis that runners share.
//!
//! A key is made of the handler's digest, the configuration without its secrets, and all fields of a row
//! that the handler reads. A value has the features with their types. Failures are never kept.

mod entry;
mod memory;
#[cfg(feature = "redis")]
mod redis;

pub(super) use self::entry::{Entry, Kept, Known};

use self::memory::Memory;
#[cfg(feature = "redis")]
use self::redis::Redis;
use super::answers::{Answers, Outcome};
use super::error::CacheError;
use super::metrics::Metrics;
use super::options::CacheOptions;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Stands for a Redis in a library that is built without the feature `redis`: there is none.
#[cfg(not(feature = "redis"))]
enum Redis {}

#[cfg(not(feature = "redis"))]
impl Redis {
    fn new(_: &str, _: &[&str]) -> Result<Self, CacheError> {
        Err(CacheError::NotBuiltIn)
    }

    async fn get(&self, _: &[&[u8]], _: &Memory) -> Result<Vec<Option<Kept>>, CacheError> {
        match *self {}
    }

    async fn put(&self, _: &[(Box<[u8]>, Kept)]) -> Result<(), CacheError> {
        match *self {}
    }
}

/// Keeps answers.
pub(super) struct Cache {
    memory: Memory,
    redis: Option<Redis>,
    options: CacheOptions,
    metrics: Arc<Metrics>,
}

impl Cache {
    /// `scope` identifies the handler and the configuration.
    pub(super) fn new(
        options: CacheOptions,
        scope: &[&str],
        metrics: Arc<Metrics>,
    ) -> Result<Self, CacheError> {
        let redis = options.redis.as_deref().map(|url| Redis::new(url, scope)).transpose()?;
        Ok(Cache { memory: Memory::new(&options), redis, options, metrics })
    }

    /// The entries of these keys. An error of the shared cache is counted, and its entries are absent.
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

    /// Keeps the answers of the rows with these keys.
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

    /// How long an outcome is fresh; `None` is not kept.
    fn lifetime(&self, outcome: &Outcome) -> Option<Duration> {
        match outcome {
            Outcome::Enriched => Some(self.options.ttl),
            Outcome::Missing | Outcome::NullKey => Some(self.options.missing_ttl),
            Outcome::Failed(_) => None,
        }
    }
}
