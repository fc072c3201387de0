//! Rows that fail are requested again: only those rows, and only a limited number of times.

use super::{enricher, fast_retry, first_failure, outcomes, planes, with_retry, years};
use crate::support::store::planes as store;
use std::time::{Duration, Instant};
use tecton_emulator::{Endpoint, Fault, FaultAnswer, StatusFault};

#[tokio::test]
async fn only_rows_that_failed_are_asked_for_again() {
    let store =
        store().fault(Fault::first(2, FaultAnswer::status(503)).on(Endpoint::GetFeaturesBatch));
    let store = store.start_blocking().unwrap();
    let enricher = enricher(&store.url(), with_retry(fast_retry())).await;
    let (rows, expected) = planes(100);
    let answers = enricher.enrich(&rows).await.unwrap();
    assert_eq!(years(&answers), expected);
    // Ten requests of ten rows; the twenty rows of two of them once more.
    assert_eq!((store.stats().requests - 1, enricher.metrics().retried.get()), (12, 20));
}

#[tokio::test]
async fn a_row_with_a_permanent_error_is_requested_once() {
    let fault = FaultAnswer::from(StatusFault::new(422).message("not this one"));
    let store = store().fault(Fault::every(fault).on(Endpoint::GetFeaturesBatch));
    let store = store.start_blocking().unwrap();
    let enricher = enricher(&store.url(), with_retry(fast_retry())).await;
    let answers = enricher.enrich(&planes(1).0).await.unwrap();
    assert_eq!(first_failure(&answers).1, 1);
    assert_eq!(enricher.metrics().retried.get(), 0);
}

#[tokio::test]
async fn a_row_fails_after_the_maximum_number_of_attempts() {
    let store = store().fault(Fault::every(FaultAnswer::status(503))).start_blocking().unwrap();
    let retry = fast_retry().max_attempts(3);
    let enricher = enricher(&store.url(), with_retry(retry)).await;
    let answers = enricher.enrich(&planes(10).0).await.unwrap();
    assert_eq!(outcomes(&answers), [0, 0, 0, 10]);
    assert_eq!(first_failure(&answers).1, 3);
    assert_eq!(enricher.metrics().asked.get(), 30);
}

#[tokio::test]
async fn a_retry_waits_for_retry_after() {
    let fault = Fault::first(1, StatusFault::new(429).retry_after("1").into());
    let store = store().fault(fault.on(Endpoint::GetFeaturesBatch)).start_blocking().unwrap();
    let enricher = enricher(&store.url(), with_retry(fast_retry())).await;
    let started = Instant::now();
    let (rows, expected) = planes(10);
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_row_fails_at_once_if_retry_after_exceeds_its_deadline() {
    let fault = StatusFault::new(429).retry_after("3600").into();
    let store = store().fault(Fault::every(fault)).start_blocking().unwrap();
    let enricher = enricher(&store.url(), with_retry(fast_retry())).await;
    let answers = enricher.enrich(&planes(1).0).await.unwrap();
    insta::assert_snapshot!(first_failure(&answers).0, @"throttled: the feature store answered 429: GetFeatures exceeded the concurrent request limit, please retry later; it asks to wait 3600 s; not tried again: that would be later than the 120 s that a row may take");
}

#[tokio::test]
async fn retries_keep_to_their_share_of_the_traffic() {
    let store = store().fault(Fault::every(FaultAnswer::status(503))).start_blocking().unwrap();
    let retry = fast_retry().budget(0.2).min_per_second(0).deadline(Duration::from_millis(400));
    let enricher = enricher(&store.url(), with_retry(retry)).await;
    let answers = enricher.enrich(&planes(100).0).await.unwrap();
    assert_eq!(outcomes(&answers), [0, 0, 0, 100]);
    assert!(enricher.metrics().retried.get() <= 20, "{:?}", enricher.metrics());
    insta::assert_snapshot!(first_failure(&answers).0, @"unavailable: the feature store answered 503: 503 Service Temporarily Unavailable; not tried again: too many others were");
}

#[tokio::test]
async fn an_error_for_every_row_ends_the_run_at_once() {
    let store = store().fault(Fault::every(FaultAnswer::status(401))).start_blocking().unwrap();
    let enricher = enricher(&store.url(), with_retry(fast_retry())).await;
    let error = enricher.enrich(&planes(100).0).await.unwrap_err();
    insta::assert_snapshot!(error, @"the handler refused the bundle: unauthenticated: the feature store answered 401: invalid 'Tecton-key' authorization header. Note that newly created credentials may take up to 60 seconds to be usable.");
}
