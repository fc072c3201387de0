//! What is cached in a Redis that runners share.

use super::cache::{every_type, kept};
use super::{enricher, outcomes, planes, years};
use crate::support::library::tailnums;
use crate::support::server::Redis;
use crate::support::store::planes as store;
use beamlet::enrich::{CacheOptions, EnrichOptions};
use std::time::{Duration, Instant};

/// No cache in memory, so that all hits come from Redis.
fn in_redis(url: String) -> EnrichOptions {
    kept(CacheOptions::default().memory(0).redis(Some(url)))
}

#[tokio::test]
async fn runners_share_answers_through_redis() {
    let (redis, store) = (Redis::start(), store().start_blocking().unwrap());
    let (rows, expected) = planes(100);
    for _ in 0..3 {
        let enricher = enricher(&store.url(), in_redis(redis.url())).await;
        assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
        assert_eq!(enricher.metrics().cache_errors.get(), 0);
    }
    assert_eq!(store.stats().entities, 100);
}

#[tokio::test]
async fn typed_values_survive_redis_exactly() {
    let (redis, store) = (Redis::start(), every_type());
    let rows = tailnums(&[Some("N1"), Some("N2"), Some("N3"), None]);
    let asked = enricher(&store.url(), in_redis(redis.url())).await.enrich(&rows).await.unwrap();
    let known = enricher(&store.url(), in_redis(redis.url())).await.enrich(&rows).await.unwrap();
    assert_eq!(store.stats().entities, 4);
    assert_eq!(asked.features().unwrap(), known.features().unwrap());
    assert_eq!(outcomes(&asked), outcomes(&known));
}

#[tokio::test]
async fn another_configuration_has_keys_of_its_own() {
    let (redis, store) = (Redis::start(), store().start_blocking().unwrap());
    let (rows, _) = planes(10);
    enricher(&store.url(), in_redis(redis.url())).await.enrich(&rows).await.unwrap();
    let options = in_redis(redis.url());
    let more = "[retrieval.metadata_options]\ninclude_serving_status = true";
    let limits = beamlet::sandbox::Limits::default();
    let other = super::limited(&store.url(), more, options, &limits).await;
    other.enrich(&rows).await.unwrap();
    assert_eq!(store.stats().entities, 20);
}

#[tokio::test]
async fn a_cache_key_does_not_reveal_the_row_and_expires() {
    let (redis, store) = (Redis::start(), store().start_blocking().unwrap());
    let enricher = enricher(&store.url(), in_redis(redis.url())).await;
    enricher.enrich(&tailnums(&[Some("N10156")])).await.unwrap();
    let keys = redis.ask("KEYS *");
    assert!(keys.contains("beamlet:1:") && !keys.contains("N10156"), "{keys}");
    let key = keys.lines().find(|line| line.starts_with("beamlet:")).unwrap();
    let left: i64 = redis.ask(&format!("TTL {key}")).lines().next().unwrap()[1..].parse().unwrap();
    assert!((86_000..=86_400).contains(&left), "{left}");
}

#[tokio::test]
async fn foreign_values_in_redis_are_ignored() {
    let (redis, store) = (Redis::start(), store().start_blocking().unwrap());
    let (rows, expected) = planes(1);
    enricher(&store.url(), in_redis(redis.url())).await.enrich(&rows).await.unwrap();
    let keys = redis.ask("KEYS *");
    let key = keys.lines().find(|line| line.starts_with("beamlet:")).unwrap();
    redis.ask(&format!("SET {key} nonsense"));
    let enricher = enricher(&store.url(), in_redis(redis.url())).await;
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
}

#[tokio::test]
async fn a_run_goes_on_without_a_redis_that_is_down() {
    let store = store().start_blocking().unwrap();
    let redis = Redis::start();
    let enricher = enricher(&store.url(), in_redis(redis.url())).await;
    drop(redis);
    let started = Instant::now();
    for _ in 0..5 {
        let (rows, expected) = planes(20);
        assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    }
    assert!(enricher.metrics().cache_errors.get() > 0);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
