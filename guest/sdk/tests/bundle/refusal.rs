//! Whom a refusal is about: a row, a request, or the bundle.

use crate::support::{Ran, Row, Store, run};
use beamlet_guest::Batching;

/// Runs keys as one bundle over a store that answers with this status.
fn refused(keys: &[i64], batching: (usize, usize), status: Status) -> Ran {
    let (max_batch_size, max_in_flight) = batching;
    run(Store::that_answers(status), Batching { max_batch_size, max_in_flight }, &[keys])
}

/// The status for a request of some keys.
type Status = fn(&[i64]) -> Option<u16>;

fn value(key: i64) -> Row {
    Row::Value(key * 10)
}

fn failed(why: &str) -> Row {
    Row::Failed(why.to_owned())
}

#[test]
fn one_row_that_spoils_a_batch_fails_alone_and_the_order_is_kept() {
    for in_flight in [1, 2, 3, 16] {
        for bad in 1..21 {
            let keys: Vec<i64> = (1..21).map(|key| if key == bad { 77 } else { key }).collect();
            let ran = refused(&keys, (8, in_flight), |keys| {
                Some(if keys.contains(&77) { 400 } else { 200 })
            });
            let wanted: Vec<_> = keys
                .iter()
                .map(|key| if *key == 77 { failed("400") } else { value(*key) })
                .collect();
            assert_eq!(ran.rows.unwrap(), wanted);
            let most = *ran.store.most_at_once.lock().unwrap();
            assert!(most <= in_flight, "{most} of {in_flight} in flight");
        }
    }
}

#[test]
fn rows_that_never_were_entities_keep_their_place_in_a_batch_that_is_split() {
    let keys = [1, -1, 2, 77, -1, 3, -1, 4];
    let ran = refused(&keys, (8, 2), |keys| Some(if keys.contains(&77) { 400 } else { 200 }));
    let none = || failed("negative");
    assert_eq!(
        ran.rows.unwrap(),
        [value(1), none(), value(2), failed("400"), none(), value(3), none(), value(4)]
    );
}

#[test]
fn a_refusal_of_every_half_costs_less_than_two_requests_a_row() {
    for rows in 1..=16_i64 {
        let keys: Vec<i64> = (0..rows).collect();
        let ran = refused(&keys, (16, 4), |_| Some(400));
        assert!(ran.rows.unwrap().iter().all(|row| *row == failed("400")));
        assert_eq!(ran.store.asked().len() as i64, 2 * rows - 1);
        assert_eq!(ran.counters.snapshot()[2].value as i64, 2 * rows - 1);
    }
}

#[test]
fn what_blames_the_request_fails_its_rows_without_a_second_question() {
    let ran =
        refused(&[1, 2, 3, 4], (2, 2), |keys| Some(if keys.contains(&1) { 503 } else { 200 }));
    assert_eq!(ran.rows.unwrap(), [failed("503"), failed("503"), value(3), value(4)]);
    assert_eq!(ran.store.asked().len(), 2);
}

#[test]
fn what_would_fail_every_row_ends_the_bundle_and_nothing_more_is_sent() {
    let keys: Vec<i64> = (0..100).collect();
    let ran = refused(&keys, (1, 4), |_| Some(401));
    assert_eq!(ran.rows.unwrap_err().message, "401");
    assert_eq!(ran.store.asked().len(), 4, "the window was filled, no more");
}

#[test]
fn what_ends_the_bundle_is_told_at_its_finish_too() {
    let ran = refused(&[1, 2, 3], (8, 4), |_| Some(401));
    assert_eq!(ran.rows.unwrap_err().message, "401");
    assert_eq!(ran.store.asked(), [[1, 2, 3]]);
}
