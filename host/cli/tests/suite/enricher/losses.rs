//! An instance that is lost takes nothing with it: its rows get another one.

use super::{first_failure, outcomes, planes, quick, with_evil, with_retry};
use crate::support::library::tailnums;
use beamlet::enrich::Outcome;

#[tokio::test]
async fn a_row_that_no_instance_survives_fails_alone() {
    let enricher = with_evil("trap-on-a-row", "", with_retry(quick())).await;
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
    let enricher = with_evil("trap", "", with_retry(quick())).await;
    let answers = enricher.enrich(&planes(50).0).await.unwrap();
    assert_eq!(outcomes(&answers), [0, 0, 0, 50]);
}

#[tokio::test]
async fn a_bundle_whose_promise_is_broken_is_tried_again_on_a_fresh_instance() {
    for behaviour in ["too-few-rows", "missing-that-descends", "field-twice"] {
        let enricher = with_evil(behaviour, "", with_retry(quick())).await;
        let answers = enricher.enrich(&planes(2).0).await.unwrap();
        let (message, _) = first_failure(&answers);
        assert!(message.starts_with("broken-promise: "), "{behaviour}: {message}");
        assert!(enricher.metrics().instances.get() > 1, "{behaviour}");
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_made_twice_and_no_more() {
    let more = "sandbox.deadline_ms = 200";
    let enricher = with_evil("spin", more, with_retry(quick())).await;
    let answers = enricher.enrich(&planes(50).0).await.unwrap();
    assert_eq!(outcomes(&answers), [0, 0, 0, 50]);
    assert_eq!(enricher.metrics().instances_lost.get(), 2);
}
