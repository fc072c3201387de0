//! Limits of an enricher: the deadline of a row, requests to the store, lost instances, and
//! threads.

use std::num::{NonZero, NonZeroU32};
use std::sync::Arc;
use std::time::{Duration, Instant};

use beamlet::enrich::{EnrichOptions, Enricher, Outcome};
use beamlet::sandbox::{BreakerOptions, Limits, ThrottleOptions};
use tecton_emulator::{Endpoint, Fault, FaultAnswer, Settings};

use super::{
    enricher, fast_retry, first_failure, limited, outcomes, planes, with_evil, with_retry, years,
};
use crate::support::library::tailnums;
use crate::support::store::planes as store;

#[tokio::test]
async fn the_request_rate_is_limited_including_retries() {
    let store = store().fault(Fault::rate(0.5, 1, FaultAnswer::status(503)));
    let store = store.start_blocking().unwrap();
    let limits = Limits::default().requests_per_second(NonZeroU32::new(50));
    let enricher = limited(&store.url(), "", with_retry(fast_retry()), &limits).await;
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
async fn the_throttle_adapts_to_a_store_that_allows_few_requests_at_once() {
    let settings = Settings { max_concurrent_requests: Some(4), ..Settings::default() };
    let store = store().settings(settings).latency(Duration::from_millis(5));
    let store = store.start_blocking().unwrap();
    let throttle = Some(ThrottleOptions::default().most(32));
    let limits = Limits::default().throttle(throttle);
    let mut options = with_retry(fast_retry());
    options.retry.max_attempts = 100;
    let enricher = limited(&store.url(), "[batching]\nmax_in_flight = 32", options, &limits).await;
    let (rows, expected) = planes(3000);
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
    let refused = store.stats().statuses.get(&429).copied().unwrap_or_default();
    let all = store.stats().requests;
    assert!(refused > 0 && refused * 3 < all, "{refused} of {all} were refused");
}

#[tokio::test]
async fn a_store_that_is_down_gets_no_requests_until_it_recovers() {
    let store = store().start_blocking().unwrap();
    let breaker = BreakerOptions::default().min_requests(10).open(Duration::from_millis(300));
    let limits = Limits::default().breaker(Some(breaker));
    let enricher = limited(&store.url(), "", with_retry(fast_retry()), &limits).await;
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

fn within(deadline: Duration) -> beamlet::enrich::EnrichOptions {
    with_retry(fast_retry().deadline(deadline))
}

#[tokio::test]
async fn a_request_that_hangs_fails_only_its_own_rows() {
    let hang = FaultAnswer::Hang(Duration::from_secs(60));
    let store = store().fault(Fault::first(1, hang).on(Endpoint::GetFeaturesBatch));
    let store = store.start_blocking().unwrap();
    let mut options = within(Duration::from_secs(5));
    options.retry.max_attempts = 1;
    let enricher = enricher(&store.url(), options).await;
    let (rows, expected) = planes(100);
    let started = Instant::now();
    let answers = enricher.enrich(&rows).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert_eq!(outcomes(&answers), [90, 0, 0, 10]);
    let all = answers.outcomes().zip(years(&answers)).zip(expected);
    for ((outcome, year), expected) in all {
        // Whichever of the requests was the first to come.
        let expected = if *outcome == Outcome::Enriched { expected } else { None };
        assert_eq!(year, expected);
    }
    assert_eq!(enricher.metrics().instances_lost.get(), 0);
}

#[tokio::test]
async fn a_request_with_a_time_out_of_its_own_is_made_again() {
    let hang = FaultAnswer::Hang(Duration::from_secs(60));
    let store = store().fault(Fault::first(1, hang).on(Endpoint::GetFeaturesBatch));
    let store = store.start_blocking().unwrap();
    let more = "[sandbox]\nfirst_byte_timeout_ms = 200";
    let options = within(Duration::from_secs(60));
    let enricher = limited(&store.url(), more, options, &Limits::default()).await;
    let (rows, expected) = planes(100);
    assert_eq!(years(&enricher.enrich(&rows).await.unwrap()), expected);
}

#[tokio::test]
async fn a_handler_that_does_not_return_is_abandoned() {
    let enricher = with_evil("wait", "", within(Duration::from_millis(500))).await;
    let started = Instant::now();
    let answers = enricher.enrich(&planes(3).0).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    insta::assert_snapshot!(first_failure(&answers).0, @"timed-out: no answer within the 0.5 s that a row may take; `run.retry.deadline_ms` sets them");
}

#[tokio::test]
async fn a_row_that_no_instance_survives_fails_alone() {
    let enricher = with_evil("trap-on-a-row", "", with_retry(fast_retry())).await;
    let names: Vec<String> = (0..1000).map(|row| format!("N{row}")).collect();
    let mut rows: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    rows[437] = Some("boom");
    let answers = enricher.enrich(&tailnums(&rows)).await.unwrap();
    assert_eq!(outcomes(&answers), [999, 0, 0, 1]);
    assert!(matches!(answers.outcome(437), Outcome::Failed(_)));
    insta::assert_snapshot!(first_failure(&answers).0, @"trapped: the handler trapped in bundle.process: wasm trap: wasm `unreachable` instruction executed");
}

#[tokio::test]
async fn a_handler_that_always_traps_fails_every_row_and_ends() {
    let enricher = with_evil("trap", "", with_retry(fast_retry())).await;
    let answers = enricher.enrich(&planes(50).0).await.unwrap();
    assert_eq!(outcomes(&answers), [0, 0, 0, 50]);
}

#[tokio::test]
async fn a_bundle_that_violates_the_contract_is_retried_on_a_new_instance() {
    for behaviour in ["too-few-rows", "missing-that-descends", "field-twice"] {
        let enricher = with_evil(behaviour, "", with_retry(fast_retry())).await;
        let answers = enricher.enrich(&planes(2).0).await.unwrap();
        let (message, _) = first_failure(&answers);
        assert!(message.starts_with("broken-promise: "), "{behaviour}: {message}");
        assert!(enricher.metrics().instances.get() > 1, "{behaviour}");
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_made_twice_and_no_more() {
    let more = "sandbox.deadline_ms = 200";
    let enricher = with_evil("spin", more, with_retry(fast_retry())).await;
    let answers = enricher.enrich(&planes(50).0).await.unwrap();
    assert_eq!(outcomes(&answers), [0, 0, 0, 50]);
    assert_eq!(enricher.metrics().instances_lost.get(), 2);
}

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
async fn bundles_on_one_thread_wait_for_the_store_concurrently() {
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
async fn a_cancelled_bundle_frees_its_thread() {
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
