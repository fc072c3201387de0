//! How rows are enriched: every option, with its default.

use beamlet_egress::setters;
use std::fmt;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

/// How rows are enriched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EnrichOptions {
    /// Bundles that are in the handler at once, each in an instance of its own.
    pub in_flight: usize,
    /// Threads that instances run on; `None` for one per core. No more than there are bundles
    /// in flight.
    pub threads: Option<NonZero<usize>>,
    /// Whether equal rows, within a bundle and in flight, are asked for once.
    pub coalesce: bool,
    /// How long the rows of a small bundle wait for those of others, to share requests. With zero they
    /// gather only while as many bundles as may be are in flight.
    pub linger: Duration,
    /// When rows that failed are asked for again.
    pub retry: RetryOptions,
    /// Which answers are kept, and how long; `None` keeps none.
    pub cache: Option<CacheOptions>,
}

impl Default for EnrichOptions {
    fn default() -> Self {
        EnrichOptions {
            in_flight: 8,
            threads: None,
            coalesce: true,
            linger: Duration::ZERO,
            retry: RetryOptions::default(),
            cache: None,
        }
    }
}

setters!(EnrichOptions {
    in_flight: usize,
    threads: Option<NonZero<usize>>,
    coalesce: bool,
    linger: Duration,
    retry: RetryOptions,
    cache: Option<CacheOptions>,
});

impl EnrichOptions {
    /// How many threads instances run on.
    pub(super) fn workers(&self) -> usize {
        let cores = || available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.threads.unwrap_or_else(cores).get().min(self.in_flight)
    }
}

/// When rows that failed are asked for again.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryOptions {
    /// How often a row is asked for at most; 1 is no retry.
    pub max_attempts: u32,
    /// The longest wait before the second attempt. It doubles from attempt to attempt, and the
    /// wait is drawn evenly from nothing to it ("full jitter").
    pub backoff: Duration,
    /// The upper limit of the longest wait.
    pub max_backoff: Duration,
    /// How many rows may be asked for again, as a share of all that are asked for. A retry
    /// beyond it waits until there is room.
    pub budget: f32,
    /// How many rows a second may be asked for again, whatever the share: a run that has just
    /// begun has no traffic to have a share of.
    pub min_per_second: u32,
    /// How long a row may take, from when it is first asked for, attempts on the wire included.
    pub deadline: Duration,
}

/// Five attempts within two minutes; waits of up to 0.1, 0.2, 0.4 and 0.8 s; a fifth of the
/// traffic.
impl Default for RetryOptions {
    fn default() -> Self {
        RetryOptions {
            max_attempts: 5,
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            budget: 0.2,
            min_per_second: 500,
            deadline: Duration::from_secs(120),
        }
    }
}

setters!(RetryOptions {
    max_attempts: u32,
    backoff: Duration,
    max_backoff: Duration,
    budget: f32,
    min_per_second: u32,
    deadline: Duration,
});

/// Which answers are kept, and how long.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct CacheOptions {
    /// How many bytes of answers and keys are kept in memory; 0 keeps none there.
    pub memory: u64,
    /// How long the features of an entity are fresh.
    pub ttl: Duration,
    /// How long a missing entity counts as missing; it may be added soon.
    pub missing_ttl: Duration,
    /// How long after that an answer may still be served when the store fails; zero is never.
    pub stale: Duration,
    /// The URL of a Redis that all runners share. It may hold a password.
    pub redis: Option<String>,
}

/// 64 MiB in memory; a day as in Beam's `with_redis_cache`, and a minute for what is missing.
impl Default for CacheOptions {
    fn default() -> Self {
        CacheOptions {
            memory: 64 << 20,
            ttl: Duration::from_secs(86_400),
            missing_ttl: Duration::from_secs(60),
            stale: Duration::ZERO,
            redis: None,
        }
    }
}

setters!(CacheOptions {
    memory: u64,
    ttl: Duration,
    missing_ttl: Duration,
    stale: Duration,
    redis: Option<String>,
});

/// Without the URL, which may hold a password.
impl fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CacheOptions { memory, ttl, missing_ttl, stale, redis } = self;
        f.debug_struct("CacheOptions")
            .field("memory", memory)
            .field("ttl", ttl)
            .field("missing_ttl", missing_ttl)
            .field("stale", stale)
            .field("redis", &redis.is_some())
            .finish()
    }
}
