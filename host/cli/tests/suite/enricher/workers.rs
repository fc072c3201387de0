//! Instances run on threads of the enricher's own.

use super::{enricher, limited, planes, years};
use crate::support::store::planes as store;
use beamlet::enrich::{EnrichOptions, Enricher};
use beamlet::sandbox::{Limits, ThrottleOptions};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;
use tecton_emulator::{Endpoint, Fault, FaultAnswer};

fn threads(threads: usize, in_flight: usize) -> EnrichOptions {
    EnrichOptions::default().threads(NonZero::new(threads)).in_flight(in_flight)
}

/// Eight bundles at once, of ten planes each.
async fn eight_bundles(enricher: Enricher) {
    let enricher = Arc::new(enricher);
    let (rows, expected) = planes(80);
    let bundles: Vec<_> = (0..8)
        .map(|bundle| {
            let (enricher, rows) = (enricher.clone(), rows.slice(bundle * 10, 10));
            tokio::spawn(async move { years(&enricher.enrich(&rows).await.unwrap()) })
        })
        .collect();
    for (bundle, expected) in bundles.into_iter().zip(expected.chunks(10)) {
        assert_eq!(bundle.await.unwrap(), expected);
    }
}

#[tokio::test]
async fn bundles_on_one_thread_wait_for_the_store_beside_each_other() {
    let store = store().latency(Duration::from_millis(300)).start_blocking().unwrap();
    eight_bundles(enricher(&store.url(), threads(1, 8)).await).await;
    assert!(store.stats().most_at_once > 1);
}

#[tokio::test]
async fn limits_hold_over_all_threads() {
    let store = store().latency(Duration::from_millis(20)).start_blocking().unwrap();
    let two = ThrottleOptions::default().most(2);
    let limits = Limits::default().throttle(Some(two));
    eight_bundles(limited(&store.url(), "", threads(4, 8), &limits).await).await;
    assert!(store.stats().most_at_once <= 2);
}

#[tokio::test]
async fn a_bundle_that_is_given_up_makes_room_on_its_thread() {
    let hang = FaultAnswer::Hang(Duration::from_secs(3600));
    let store = store().fault(Fault::first(1, hang).on(Endpoint::GetFeaturesBatch));
    let store = store.start_blocking().unwrap();
    let enricher = Arc::new(enricher(&store.url(), threads(1, 1)).await);
    let (rows, expected) = planes(20);
    let (first, its_rows) = (enricher.clone(), rows.slice(0, 10));
    let first = tokio::spawn(async move { first.enrich(&its_rows).await.map(drop) });
    while store.stats().requests < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.abort();
    let second = enricher.enrich(&rows.slice(10, 10)).await.unwrap();
    assert_eq!(years(&second), expected[10..]);
}

#[tokio::test]
async fn an_enricher_may_be_dropped_where_others_are_awaited() {
    let store = store().start_blocking().unwrap();
    let enricher = enricher(&store.url(), threads(2, 2)).await;
    let (rows, expected) = planes(10);
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    drop(enricher);
}
