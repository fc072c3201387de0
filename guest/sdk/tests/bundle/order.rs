//! Rows go in in any number, and answers come out in their order.

use crate::support::{Ran, Row, Store, THREES, batch, now, rows, run, start};
use beamlet_guest::{Batch, Batching};
use std::sync::Arc;

#[test]
fn answers_come_in_the_order_of_the_rows_whichever_request_is_answered_first() {
    let keys: Vec<i64> = (1..=20).collect();
    let rows = run(Store::good(), THREES, &[&keys]).rows.unwrap();
    assert_eq!(rows, keys.iter().map(|key| Row::Value(key * 10)).collect::<Vec<_>>());
}

#[test]
fn rows_are_held_back_over_calls_until_they_fill_a_wire_batch() {
    let Ran { rows, store, .. } = run(Store::good(), THREES, &[&[1], &[2], &[], &[3, 4], &[5]]);
    assert_eq!(store.asked(), [vec![1, 2, 3], vec![4, 5]]);
    assert_eq!(rows.unwrap().len(), 5);
}

#[test]
fn no_more_requests_are_on_the_wire_than_the_window_allows() {
    let keys: Vec<i64> = (1..=60).collect();
    for window in [1, 2, 5] {
        let batching = Batching { max_in_flight: window, ..THREES };
        let Ran { rows, store, .. } = run(Store::good(), batching, &[&keys]);
        assert_eq!((*store.most_at_once.lock().unwrap(), rows.unwrap().len()), (window, 60));
    }
}

#[test]
fn a_row_that_is_no_entity_fails_alone_and_is_not_sent() {
    let Ran { rows, store, .. } = run(Store::good(), THREES, &[&[1, -1, 0, -2, -3, -4, 7]]);
    let failed = || Row::Failed("negative".to_owned());
    assert_eq!(
        rows.unwrap(),
        [Row::Value(10), failed(), Row::Missing, failed(), failed(), failed(), Row::Value(70)]
    );
    assert_eq!(store.asked(), [vec![1, 0], vec![7]]);
}

#[test]
fn a_request_without_an_answer_fails_its_rows_and_no_others() {
    let store = Store::that_answers(|keys| (!keys.contains(&5)).then_some(200));
    let Ran { rows, counters, .. } = run(store, THREES, &[&[1, 2, 3, 4, 5, 6, 7]]);
    let failed = || Row::Failed("POST http://store/: connection refused".to_owned());
    let value = |key: i64| Row::Value(key * 10);
    assert_eq!(
        rows.unwrap(),
        [value(1), value(2), value(3), failed(), failed(), failed(), value(7)]
    );
    let counts: Vec<u64> = counters.snapshot().iter().map(|counter| counter.value).collect();
    assert_eq!(counts, [4, 3, 1], "rows with features, requests, requests that failed");
}

#[test]
fn a_bundle_without_rows_sends_nothing_and_ends() {
    let Ran { rows, store, .. } = run(Store::good(), THREES, &[&[]]);
    assert_eq!((rows.unwrap(), store.asked().len()), (vec![], 0));
}

#[test]
fn answers_with_the_same_fields_are_joined() {
    let store = Arc::new(Store::good());
    let (mut bundle, _) = start(THREES, &store);
    let mut answers = now(bundle.process(&batch(&[1, 2, 3, -1, 5, 6, 7]))).unwrap();
    answers.extend(now(bundle.finish()).unwrap());
    assert!(answers.len() <= 2, "one of process, one of finish: {}", answers.len());
    assert_eq!(rows(&answers).len(), 7);
}

#[test]
fn a_column_of_another_length_than_the_batch_is_refused() {
    let store = Arc::new(Store::good());
    let (mut bundle, _) = start(THREES, &store);
    let short = Batch { rows: 3, ..batch(&[1, 2]) };
    let error = now(bundle.process(&short)).unwrap_err();
    assert_eq!(error.message, "column \"key\" holds 2 values in a batch of 3 rows");
}
