//! A row takes no longer than it may, whatever it waits for.

use super::{
    enricher, first_failure, limited, outcomes, planes, quick, with_evil, with_retry, years,
};
use crate::support::store::planes as store;
use beamlet::enrich::Outcome;
use beamlet::sandbox::Limits;
use std::time::{Duration, Instant};
use tecton_emulator::{Endpoint, Fault, FaultAnswer};

fn within(deadline: Duration) -> beamlet::enrich::EnrichOptions {
    with_retry(quick().deadline(deadline))
}

#[tokio::test]
async fn a_request_that_hangs_costs_its_own_rows_and_no_others() {
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
async fn a_handler_that_does_not_come_back_is_left() {
    let enricher = with_evil("wait", "", within(Duration::from_millis(500))).await;
    let started = Instant::now();
    let answers = enricher.enrich(&planes(3).0).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    insta::assert_snapshot!(first_failure(&answers).0, @"timed-out: no answer within the 0.5 s that a row may take; `run.retry.deadline_ms` sets them");
}
