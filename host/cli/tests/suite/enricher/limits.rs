//! The store is asked for no more than it bears.

use super::{limited, planes, quick, with_retry, years};
use crate::support::store::planes as store;
use beamlet::enrich::EnrichOptions;
use beamlet::sandbox::{BreakerOptions, Limits, ThrottleOptions};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};
use tecton_emulator::{Fault, FaultAnswer, Settings};

#[tokio::test]
async fn so_many_requests_a_second_are_made_retries_among_them() {
    let store = store().fault(Fault::rate(0.5, 1, FaultAnswer::status(503)));
    let store = store.start_blocking().unwrap();
    let limits = Limits::default().requests_per_second(NonZeroU32::new(50));
    let enricher = limited(&store.url(), "", with_retry(quick()), &limits).await;
    let (rows, expected) = planes(100);
    let started = Instant::now();
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    let requests = store.stats().requests as f64;
    assert!(requests > 11.0);
    let least = (requests - 1.0) / 50.0;
    assert!(started.elapsed().as_secs_f64() > 0.8 * least, "{:?}", started.elapsed());
}

#[tokio::test]
async fn no_more_requests_are_made_at_once_than_the_throttle_allows() {
    let store = store().latency(Duration::from_millis(20)).start_blocking().unwrap();
    let throttle = Some(ThrottleOptions::default().most(2));
    let limits = Limits::default().throttle(throttle);
    let options = EnrichOptions::default();
    let enricher = limited(&store.url(), "[batching]\nmax_in_flight = 16", options, &limits).await;
    let (rows, expected) = planes(200);
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    assert_eq!(store.stats().most_at_once, 2);
}

#[tokio::test]
async fn a_store_that_bears_few_requests_at_once_is_not_asked_for_more_after_a_while() {
    let settings = Settings { max_concurrent_requests: Some(4), ..Settings::default() };
    let store = store().settings(settings).latency(Duration::from_millis(5));
    let store = store.start_blocking().unwrap();
    let throttle = Some(ThrottleOptions::default().most(32));
    let limits = Limits::default().throttle(throttle);
    let mut options = with_retry(quick());
    options.retry.max_attempts = 100;
    let enricher = limited(&store.url(), "[batching]\nmax_in_flight = 32", options, &limits).await;
    let (rows, expected) = planes(3000);
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    let refused = store.stats().statuses.get(&429).copied().unwrap_or_default();
    let all = store.stats().requests;
    assert!(refused > 0 && refused * 3 < all, "{refused} of {all} were refused");
}

#[tokio::test]
async fn a_store_that_is_down_is_left_alone_until_it_is_well() {
    let store = store().start_blocking().unwrap();
    let breaker = BreakerOptions::default().min_requests(10).open(Duration::from_millis(300));
    let limits = Limits::default().breaker(Some(breaker));
    let enricher = limited(&store.url(), "", with_retry(quick()), &limits).await;
    store.set_faults(vec![Fault::every(FaultAnswer::status(500))]);
    let (rows, expected) = planes(1000);
    let heal = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        store.set_faults(Vec::new());
    };
    let (answers, ()) = tokio::join!(enricher.enrich(&rows), heal);
    assert_eq!(years(&answers.unwrap()), expected);
    // Ten to find out, those that were under way, and one each 300 ms.
    let failed = store.stats().statuses.get(&500).copied().unwrap_or_default();
    assert!(failed < 30, "{failed} requests were made to a store that was down");
}
