//! What is cached in memory, and for how long.

use super::{enricher, fast_retry, outcomes, planes, years};
use crate::support::library::tailnums;
use crate::support::store::{KEY, planes as store};
use beamlet::enrich::{CacheOptions, EnrichOptions};
use std::time::Duration;
use tecton_emulator::{
    DataType, Emulator, Fault, FaultAnswer, FeatureService, FeatureView, Repository, Workspace,
};

pub(super) fn kept(cache: CacheOptions) -> EnrichOptions {
    EnrichOptions::default().cache(Some(cache)).retry(fast_retry())
}

/// An entity of every type, with values that are easily lost: a service for `tailnum`.
pub(super) fn every_type() -> tecton_emulator::Background {
    let csv = "tailnum,int,float32,float64,bool,string,time,list,struct,map\n\
        N1,9223372036854775807,0.1,-0.0,true,\"a \"\"b\"\", ü\",2023-05-26T18:00:00.123456Z,\
        \"[\"\"x\"\",null]\",\"{\"\"a\"\":1,\"\"b\"\":[1.5]}\",\"{\"\"k\"\":7}\"\n\
        N2,,,,,,,,,\n";
    let view = FeatureView::of_csv("v", csv)
        .feature("int", DataType::Int64)
        .feature("float32", DataType::Float32)
        .feature("float64", DataType::Float64)
        .feature("bool", DataType::Boolean)
        .feature("string", DataType::String)
        .feature("time", DataType::Timestamp)
        .feature("list", "array<string>".parse().unwrap())
        .feature("struct", "struct<a: int64, b: array<float64>>".parse().unwrap())
        .feature("map", "map<string, int64>".parse().unwrap());
    let service =
        FeatureService::new("planes_features").join_key("tailnum", DataType::String).view(view);
    let repository =
        Repository::new().api_key(KEY).workspace(Workspace::live("prod").service(service));
    Emulator::builder(repository).start_blocking().unwrap()
}

#[tokio::test]
async fn a_row_that_is_known_is_not_asked_for() {
    let store = store().start_blocking().unwrap();
    let enricher = enricher(&store.url(), kept(CacheOptions::default())).await;
    let (rows, expected) = planes(100);
    for _ in 0..3 {
        assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    }
    assert_eq!((store.stats().entities, enricher.metrics().cache_hits.get()), (100, 200));
}

#[tokio::test]
async fn typed_values_survive_the_memory_cache_exactly() {
    let store = every_type();
    let enricher = enricher(&store.url(), kept(CacheOptions::default())).await;
    let rows = tailnums(&[Some("N1"), Some("N2"), Some("N3"), None]);
    let asked = enricher.enrich(&rows).await.unwrap();
    let known = enricher.enrich(&rows).await.unwrap();
    assert_eq!(store.stats().entities, 4);
    assert_eq!(asked.features().unwrap(), known.features().unwrap());
    assert_eq!(outcomes(&asked), outcomes(&known));
}

#[tokio::test]
async fn missing_entities_are_cached_for_a_shorter_time() {
    let store = store().start_blocking().unwrap();
    let cache = CacheOptions::default().missing_ttl(Duration::from_secs(3));
    let enricher = enricher(&store.url(), kept(cache)).await;
    let rows = tailnums(&[Some("N10156"), Some("N0")]);
    for entities in [2, 2] {
        assert_eq!(outcomes(&enricher.enrich(&rows).await.unwrap()), [1, 1, 0, 0]);
        assert_eq!(store.stats().entities, entities);
    }
    tokio::time::sleep(Duration::from_millis(3200)).await;
    assert_eq!(outcomes(&enricher.enrich(&rows).await.unwrap()), [1, 1, 0, 0]);
    assert_eq!(store.stats().entities, 3);
}

#[tokio::test]
async fn a_failure_is_never_cached() {
    let store = store().fault(Fault::every(FaultAnswer::status(422))).start_blocking().unwrap();
    let enricher = enricher(&store.url(), kept(CacheOptions::default())).await;
    let (rows, expected) = planes(5);
    assert_eq!(outcomes(&enricher.enrich(&rows).await.unwrap()), [0, 0, 0, 5]);
    store.set_faults(Vec::new());
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
}

#[tokio::test]
async fn a_stale_answer_is_used_only_if_the_store_fails() {
    let store = store().start_blocking().unwrap();
    let cache = CacheOptions::default();
    let cache = cache.ttl(Duration::from_millis(100)).stale(Duration::from_secs(600));
    let enricher = enricher(&store.url(), kept(cache)).await;
    let (rows, expected) = planes(10);
    enricher.enrich(&rows).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    enricher.enrich(&rows).await.unwrap();
    assert_eq!((store.stats().entities, enricher.metrics().cache_stale.get()), (20, 0));
    tokio::time::sleep(Duration::from_millis(200)).await;
    store.set_faults(vec![Fault::every(FaultAnswer::status(503))]);
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    assert_eq!(enricher.metrics().cache_stale.get(), 10);
}

#[tokio::test]
async fn the_cache_stays_within_its_size() {
    let store = store().start_blocking().unwrap();
    let cache = CacheOptions::default().memory(40_000);
    let enricher = enricher(&store.url(), kept(cache)).await;
    let (rows, expected) = planes(1000);
    for _ in 0..2 {
        assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    }
    assert!(enricher.metrics().cache_hits.get() < 500, "{:?}", enricher.metrics());
}
