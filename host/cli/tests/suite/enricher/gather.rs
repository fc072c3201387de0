//! Rows of small bundles that are open side by side share requests.

use super::{enricher, planes, with_evil, with_retry, years};
use crate::support::store::planes as store;
use beamlet::enrich::{EnrichOptions, Enricher};
use std::sync::Arc;
use std::time::Duration;
use tecton_emulator::{Endpoint, Fault, FaultAnswer};
use tokio::task::JoinHandle;

const WHILE_ALL_BEGIN: Duration = Duration::from_millis(500);

/// So many bundles of one plane each, all at once.
fn bundles(enricher: &Arc<Enricher>, count: usize) -> Vec<JoinHandle<Vec<Option<i64>>>> {
    let rows = planes(count).0;
    (0..count)
        .map(|row| {
            let (enricher, rows) = (enricher.clone(), rows.slice(row, 1));
            tokio::spawn(async move { years(&enricher.enrich(&rows).await.unwrap()) })
        })
        .collect()
}

async fn all(bundles: Vec<JoinHandle<Vec<Option<i64>>>>) -> Vec<Option<i64>> {
    let mut all = Vec::new();
    for bundle in bundles {
        all.extend(bundle.await.unwrap());
    }
    all
}

#[tokio::test]
async fn rows_that_linger_share_requests_and_each_gets_its_own_answer() {
    for coalesce in [true, false] {
        let store = store().start_blocking().unwrap();
        let options = EnrichOptions::default().linger(WHILE_ALL_BEGIN).coalesce(coalesce);
        let enricher = Arc::new(enricher(&store.url(), options).await);
        let before = store.stats().requests;
        assert_eq!(all(bundles(&enricher, 30)).await, planes(30).1);
        assert_eq!((store.stats().requests - before, store.stats().entities), (3, 30));
    }
}

#[tokio::test]
async fn rows_gather_while_all_instances_are_busy() {
    let store = store().latency(Duration::from_millis(500)).start_blocking().unwrap();
    let enricher = Arc::new(enricher(&store.url(), EnrichOptions::default().in_flight(1)).await);
    let before = store.stats().requests;
    let first = bundles(&enricher, 1);
    while store.stats().requests == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Another one leads, and the others follow it.
    let rows = planes(20).0;
    let others: Vec<_> = (1..20)
        .map(|row| {
            let (enricher, rows) = (enricher.clone(), rows.slice(row, 1));
            tokio::spawn(async move { years(&enricher.enrich(&rows).await.unwrap()) })
        })
        .collect();
    assert_eq!(all(first).await, planes(1).1);
    assert_eq!(all(others).await, planes(20).1[1..]);
    assert_eq!(store.stats().requests - before, 3);
}

#[tokio::test]
async fn more_rows_than_go_together_are_groups() {
    let store = store().start_blocking().unwrap();
    let options = EnrichOptions::default().linger(WHILE_ALL_BEGIN);
    let enricher = Arc::new(enricher(&store.url(), options).await);
    let before = store.stats().requests;
    assert_eq!(all(bundles(&enricher, 120)).await, planes(120).1);
    assert_eq!(store.stats().requests - before, 12);
}

#[tokio::test]
async fn a_leader_that_is_cancelled_leaves_nobody_behind() {
    let hang = FaultAnswer::Hang(Duration::from_secs(3600));
    let store = store().fault(Fault::first(1, hang).on(Endpoint::GetFeaturesBatch));
    let store = store.start_blocking().unwrap();
    // While it waits for the store, and while it waits for others.
    for wait_for_request in [true, false] {
        let options = EnrichOptions::default().linger(WHILE_ALL_BEGIN);
        let enricher = Arc::new(enricher(&store.url(), options).await);
        let before = store.stats().requests;
        let mut bundles = bundles(&enricher, 5);
        tokio::time::sleep(Duration::from_millis(20)).await;
        while wait_for_request && store.stats().requests == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bundles.remove(0).abort();
        assert_eq!(all(bundles).await, planes(5).1[1..]);
    }
}

#[tokio::test]
async fn an_error_of_all_rows_is_each_bundles_own() {
    let options = with_retry(super::fast_retry()).linger(WHILE_ALL_BEGIN);
    let enricher = Arc::new(with_evil("refuse", "", options).await);
    let rows = planes(3).0;
    let bundles: Vec<_> = (0..3)
        .map(|row| {
            let (enricher, rows) = (enricher.clone(), rows.slice(row, 1));
            tokio::spawn(async move { enricher.enrich(&rows).await.map(drop) })
        })
        .collect();
    for bundle in bundles {
        assert!(bundle.await.unwrap().is_err());
    }
}
