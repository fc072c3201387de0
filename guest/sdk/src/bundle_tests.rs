//! What a bundle promises, over a handler and a transport that are but rules.

use super::*;
use crate::config::Problem;
use crate::{Batching, Column, Field, Input, Request, Target, Timeouts, Values};
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

/// Keys are numbers, a request is its keys in text, and the answer doubles them.
struct Doubling(Batching);

impl Handler for Doubling {
    const NAME: &'static str = "doubling";
    const VERSION: &'static str = "0";
    type Entity = i64;

    fn config_schema() -> String {
        String::new()
    }

    fn new(_: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        Err(Vec::new())
    }

    fn inputs(&self) -> Vec<Input> {
        Vec::new()
    }

    fn batching(&self) -> Batching {
        self.0
    }

    /// A key below 0 is none.
    fn entities(&self, rows: &Batch) -> Result<Vec<Result<i64, Error>>, Error> {
        let Values::Int64s(keys) = &rows.columns[0].values else { unreachable!() };
        let entity = |key: &i64| match *key < 0 {
            true => Err(Error::new(ErrorKind::InvalidInput, "below 0")),
            false => Ok(*key),
        };
        Ok(keys.iter().map(entity).collect())
    }

    fn request(&self, entities: &[i64]) -> Request {
        let target = Target {
            secure: false,
            authority: "store".into(),
            path: "/".into(),
            headers: Vec::new(),
            timeouts: Timeouts::default(),
        };
        Request { target: Arc::new(target), body: serde_json::to_vec(entities).unwrap() }
    }

    fn answer(&self, entities: &[i64], response: &Response) -> Result<Enriched, Error> {
        if response.status != 200 {
            return Err(Error::new(ErrorKind::InvalidInput, response.status.to_string()));
        }
        let values = Values::Int64s(entities.iter().map(|key| key * 2).collect());
        let column = Column { name: "double".into(), values, nulls: Vec::new() };
        let fields = Batch { rows: entities.len() as u32, columns: vec![column] };
        Ok(Enriched { fields, missing: vec![], null_keys: vec![], failures: vec![] })
    }

    fn blame(&self, response: &Response, _: &Error) -> Blame {
        match response.status {
            400 => Blame::ARow,
            401 => Blame::Bundle,
            _ => Blame::Request,
        }
    }

    fn outputs_request(&self) -> Request {
        self.request(&[])
    }

    fn outputs(&self, _: &Response) -> Result<Vec<Field>, Error> {
        Ok(Vec::new())
    }
}

/// Answers with the status that a rule gives for the keys of a request, the last sent first.
struct Store {
    status: fn(&[i64]) -> u16,
    sent: Mutex<Vec<Vec<i64>>>,
    widest: Mutex<usize>,
}

impl Transport for Store {
    type Call = Vec<i64>;

    fn send(&self, request: Request) -> Vec<i64> {
        let keys: Vec<i64> = serde_json::from_slice(&request.body).unwrap();
        self.sent.lock().unwrap().push(keys.clone());
        keys
    }

    async fn any(&self, calls: &mut Vec<Vec<i64>>) -> (usize, Result<Response, TransportError>) {
        let mut widest = self.widest.lock().unwrap();
        *widest = widest.max(calls.len());
        let at = calls.len() - 1;
        let status = (self.status)(&calls.swap_remove(at));
        (at, Ok(Response { status, retry_after: None, location: None, body: Vec::new() }))
    }
}

struct Ran {
    /// For each row its double, or why it has none.
    rows: Result<Vec<Result<i64, String>>, Error>,
    sent: Vec<Vec<i64>>,
    widest: usize,
    errors: u64,
}

fn run(keys: &[i64], batching: (usize, usize), status: fn(&[i64]) -> u16) -> Ran {
    let (max_batch_size, max_in_flight) = batching;
    let handler = Arc::new(Doubling(Batching { max_batch_size, max_in_flight }));
    let store = Arc::new(Store { status, sent: Mutex::default(), widest: Mutex::default() });
    let counters = Arc::new(Counters::default());
    let mut bundle = Bundle::new(handler, store.clone(), counters.clone());
    let column =
        Column { name: "key".into(), values: Values::Int64s(keys.to_vec()), nulls: vec![] };
    let batch = Batch { rows: keys.len() as u32, columns: vec![column] };
    let work = async {
        let mut answers = bundle.process(&batch).await?;
        answers.extend(bundle.finish().await?);
        Ok(answers)
    };
    let Poll::Ready(answers) = pin!(work).poll(&mut Context::from_waker(Waker::noop())) else {
        unreachable!("nothing waits")
    };
    let sent = store.sent.lock().unwrap().clone();
    let widest = *store.widest.lock().unwrap();
    let errors = counters.snapshot()[2].value;
    Ran {
        rows: answers.map(|answers| answers.iter().flat_map(told).collect()),
        sent,
        widest,
        errors,
    }
}

fn told(answer: &Enriched) -> Vec<Result<i64, String>> {
    let rows = answer.fields.rows;
    let failed = |row| answer.failures.iter().find(|failure| failure.row == row);
    let double = |row: u32| match answer.fields.columns.first().map(|column| &column.values) {
        Some(Values::Int64s(list)) => list[row as usize],
        _ => unreachable!(),
    };
    (0..rows)
        .map(|row| match failed(row) {
            Some(failure) => Err(failure.error.message.clone()),
            None => Ok(double(row)),
        })
        .collect()
}

fn doubled(key: &i64) -> Result<i64, String> {
    Ok(key * 2)
}

#[test]
fn one_row_that_spoils_a_batch_fails_alone_and_the_order_is_kept() {
    for in_flight in [1, 2, 3, 16] {
        for bad in 0..20 {
            let keys: Vec<i64> = (0..20).map(|key| if key == bad { 77 } else { key }).collect();
            let ran = run(&keys, (8, in_flight), |keys| if keys.contains(&77) { 400 } else { 200 });
            let wanted: Vec<_> = keys
                .iter()
                .map(|key| if *key == 77 { Err("400".to_owned()) } else { doubled(key) })
                .collect();
            assert_eq!(ran.rows.unwrap(), wanted);
            assert!(ran.widest <= in_flight, "{} of {in_flight} in flight", ran.widest);
        }
    }
}

#[test]
fn rows_that_never_were_entities_keep_their_place_in_a_batch_that_is_split() {
    let keys = [1, -1, 2, 77, -1, 3, -1, 4];
    let ran = run(&keys, (8, 2), |keys| if keys.contains(&77) { 400 } else { 200 });
    let below = || Err("below 0".to_owned());
    assert_eq!(
        ran.rows.unwrap(),
        [Ok(2), below(), Ok(4), Err("400".into()), below(), Ok(6), below(), Ok(8)]
    );
}

#[test]
fn a_refusal_of_every_half_costs_less_than_two_requests_a_row() {
    for rows in 1..=16_i64 {
        let keys: Vec<i64> = (0..rows).collect();
        let ran = run(&keys, (16, 4), |_| 400);
        assert!(ran.rows.unwrap().iter().all(Result::is_err));
        assert_eq!(ran.sent.len() as i64, 2 * rows - 1);
        assert_eq!(ran.errors as i64, 2 * rows - 1);
    }
}

#[test]
fn what_blames_the_request_fails_its_rows_without_a_second_question() {
    let ran = run(&[1, 2, 3, 4], (2, 2), |keys| if keys.contains(&1) { 503 } else { 200 });
    assert_eq!(ran.rows.unwrap(), [Err("503".into()), Err("503".into()), Ok(6), Ok(8)]);
    assert_eq!(ran.sent.len(), 2);
}

#[test]
fn what_would_fail_every_row_ends_the_bundle_and_nothing_more_is_sent() {
    let keys: Vec<i64> = (0..100).collect();
    let ran = run(&keys, (1, 4), |_| 401);
    assert_eq!(ran.rows.unwrap_err().message, "401");
    assert_eq!(ran.sent.len(), 4, "the window was filled, no more");
}

#[test]
fn what_ends_the_bundle_is_told_at_its_finish_too() {
    let ran = run(&[1, 2, 3], (8, 4), |_| 401);
    assert_eq!(ran.rows.unwrap_err().message, "401");
    assert_eq!(ran.sent, [[1, 2, 3]]);
}
