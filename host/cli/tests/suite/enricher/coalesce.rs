//! Equal rows are requested once, within a bundle and while one of them is in flight.

use super::{enricher, fast_retry, outcomes, planes, with_retry, years};
use crate::support::library::tailnums;
use crate::support::store::planes as store;
use beamlet::enrich::EnrichOptions;
use std::sync::Arc;
use std::time::Duration;
use tecton_emulator::{Endpoint, Fault, FaultAnswer};

/// Rows of a few planes over and over, one that is not known and null among them.
fn repeated() -> Vec<Option<&'static str>> {
    let some = [Some("N10156"), Some("N0"), None, Some("N102UW")];
    (0..100).map(|row| some[row % 4]).collect()
}

#[tokio::test]
async fn equal_rows_of_a_bundle_are_requested_once() {
    let store = store().start_blocking().unwrap();
    let enricher = enricher(&store.url(), EnrichOptions::default()).await;
    let answers = enricher.enrich(&tailnums(&repeated())).await.unwrap();
    assert_eq!(outcomes(&answers), [50, 25, 25, 0]);
    let expected: Vec<_> =
        (0..100).map(|row| [Some(2004), None, None, Some(1998)][row % 4]).collect();
    assert_eq!(years(&answers), expected);
    assert_eq!((store.stats().entities, enricher.metrics().coalesced.get()), (4, 96));
}

#[tokio::test]
async fn equal_rows_in_flight_share_one_request() {
    // Time enough for all bundles to begin, on a busy machine, too.
    let store = store().latency(Duration::from_secs(1)).start_blocking().unwrap();
    let enricher = Arc::new(enricher(&store.url(), EnrichOptions::default()).await);
    let (rows, expected) = planes(40);
    let bundles: Vec<_> = (0..8)
        .map(|_| {
            let (enricher, rows) = (enricher.clone(), rows.clone());
            tokio::spawn(async move { years(&enricher.enrich(&rows).await.unwrap()) })
        })
        .collect();
    for bundle in bundles {
        assert_eq!(bundle.await.unwrap(), expected);
    }
    assert_eq!(store.stats().entities, 40);
}

#[tokio::test]
async fn waiting_rows_make_their_own_request_if_the_first_one_is_cancelled() {
    let hang = FaultAnswer::Hang(Duration::from_secs(3600));
    let store = store().fault(Fault::first(1, hang).on(Endpoint::GetFeaturesBatch));
    let store = store.start_blocking().unwrap();
    let enricher = Arc::new(enricher(&store.url(), EnrichOptions::default()).await);
    let (rows, expected) = planes(10);
    let (first, same) = (enricher.clone(), rows.clone());
    let first = tokio::spawn(async move { first.enrich(&same).await.map(drop) });
    while store.stats().requests < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = tokio::spawn(async move { years(&enricher.enrich(&rows).await.unwrap()) });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!second.is_finished());
    first.abort();
    assert_eq!(second.await.unwrap(), expected);
}

#[tokio::test]
async fn equal_rows_all_get_the_same_failure() {
    let store = store().fault(Fault::every(FaultAnswer::status(422))).start_blocking().unwrap();
    let enricher = enricher(&store.url(), with_retry(fast_retry())).await;
    let answers = enricher.enrich(&tailnums(&[Some("N1"); 20])).await.unwrap();
    assert_eq!(outcomes(&answers), [0, 0, 0, 20]);
}

#[tokio::test]
async fn without_coalescing_every_row_is_requested() {
    let store = store().start_blocking().unwrap();
    let options = EnrichOptions::default().coalesce(false);
    let enricher = enricher(&store.url(), options).await;
    let answers = enricher.enrich(&tailnums(&repeated())).await.unwrap();
    assert_eq!(outcomes(&answers), [50, 25, 25, 0]);
    assert_eq!(store.stats().entities, 100);
}
