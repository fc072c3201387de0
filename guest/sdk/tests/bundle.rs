//! What a bundle promises, over a store that answers when the test says so.
#![allow(clippy::unwrap_used)]

use beamlet_guest::config::Problem;
use beamlet_guest::transport::Target;
use beamlet_guest::{
    Batch, Batching, Bundle, Column, Counters, Enriched, Error, ErrorKind, Field, Handler, Input,
    Request, Response, Timeouts, Transport, TransportError, Values,
};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Reads the field `key`, an integer; the store answers with ten times the key. 0 is unknown to
/// it, and a negative key cannot be asked for.
struct Tenfold(Batching);

impl Handler for Tenfold {
    const NAME: &'static str = "tenfold";
    const VERSION: &'static str = "1.0.0";
    type Entity = i64;

    fn config_schema() -> String {
        "{}".to_owned()
    }

    fn new(_: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        Ok(Tenfold(Batching { max_batch_size: 3, max_in_flight: 2 }))
    }

    fn inputs(&self) -> Vec<Input> {
        vec![Input { name: "key".to_owned(), required: true }]
    }

    fn batching(&self) -> Batching {
        self.0
    }

    fn entities(&self, rows: &Batch) -> Result<Vec<Result<i64, Error>>, Error> {
        let Some(Values::Int64s(keys)) = rows.column("key").map(|column| &column.values) else {
            return Err(Error::new(ErrorKind::InvalidInput, "no keys"));
        };
        let entity = |key: &i64| {
            if *key >= 0 { Ok(*key) } else { Err(Error::new(ErrorKind::InvalidInput, "negative")) }
        };
        Ok(keys.iter().map(entity).collect())
    }

    fn request(&self, entities: &[i64]) -> Request {
        Request { target: target(), body: serde_json::to_vec(entities).unwrap() }
    }

    fn answer(&self, _: &[i64], response: &Response) -> Result<Enriched, Error> {
        if response.status != 200 {
            return Err(Error::new(ErrorKind::Unavailable, "down").retryable());
        }
        let keys: Vec<i64> = serde_json::from_slice(&response.body).unwrap();
        let missing =
            (0..keys.len() as u32).filter(|at| keys[*at as usize] == 0).collect::<Vec<_>>();
        let values = Values::Int64s(keys.iter().map(|key| key * 10).collect());
        let column = Column { name: "tenfold".to_owned(), values, nulls: missing.clone() };
        Ok(Enriched {
            fields: Batch { rows: keys.len() as u32, columns: vec![column] },
            missing,
            null_keys: Vec::new(),
            failures: Vec::new(),
        })
    }

    fn outputs_request(&self) -> Request {
        Request { target: target(), body: Vec::new() }
    }

    fn outputs(&self, _: &Response) -> Result<Vec<Field>, Error> {
        Ok(Vec::new())
    }
}

fn target() -> Arc<Target> {
    Arc::new(Target {
        secure: false,
        authority: "store".to_owned(),
        path: "/".to_owned(),
        headers: Vec::new(),
        timeouts: Timeouts::default(),
    })
}

/// Answers the request that was sent last first, so that nothing comes in order by chance.
#[derive(Default)]
struct Store {
    /// The keys of each request, in the order they were sent.
    asked: Mutex<Vec<Vec<i64>>>,
    most_at_once: Mutex<usize>,
    /// Requests that hold this key get no answer.
    broken_key: Option<i64>,
}

impl Transport for Store {
    type Call = Vec<u8>;

    fn send(&self, request: Request) -> Vec<u8> {
        self.asked.lock().unwrap().push(serde_json::from_slice(&request.body).unwrap());
        request.body
    }

    async fn any(&self, calls: &mut Vec<Vec<u8>>) -> (usize, Result<Response, TransportError>) {
        let mut most = self.most_at_once.lock().unwrap();
        *most = (*most).max(calls.len());
        let last = calls.len() - 1;
        let body = calls.swap_remove(last);
        let keys: Vec<i64> = serde_json::from_slice(&body).unwrap();
        if self.broken_key.is_some_and(|key| keys.contains(&key)) {
            return (last, Err(TransportError::Unreachable("connection refused".to_owned())));
        }
        (last, Ok(Response { status: 200, retry_after: None, location: None, body }))
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store answers at once"),
    }
}

/// What came back for each row, in order.
#[derive(Debug, PartialEq)]
enum Row {
    Value(i64),
    Missing,
    Failed(String),
}

fn rows(answers: &[Enriched]) -> Vec<Row> {
    let mut all = Vec::new();
    for answer in answers {
        for row in 0..answer.fields.rows {
            let failure = answer.failures.iter().find(|failure| failure.row == row);
            all.push(match (failure, &answer.fields.columns[..]) {
                (Some(failure), _) => Row::Failed(failure.error.message.clone()),
                (None, _) if answer.missing.contains(&row) => Row::Missing,
                (None, [Column { values: Values::Int64s(values), .. }]) => {
                    Row::Value(values[row as usize])
                }
                other => panic!("{other:?}"),
            });
        }
    }
    all
}

fn batch(keys: &[i64]) -> Batch {
    let column =
        Column { name: "key".to_owned(), values: Values::Int64s(keys.to_vec()), nulls: Vec::new() };
    Batch { rows: keys.len() as u32, columns: vec![column] }
}

fn start(batching: Batching, store: &Arc<Store>) -> (Bundle<Tenfold, Store>, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    (Bundle::new(Arc::new(Tenfold(batching)), store.clone(), counters.clone()), counters)
}

/// Runs a bundle whose `process` calls bring the keys of each slice.
fn run(
    store: Store,
    batching: Batching,
    calls: &[&[i64]],
) -> (Vec<Row>, Arc<Store>, Arc<Counters>) {
    let store = Arc::new(store);
    let (mut bundle, counters) = start(batching, &store);
    let mut answers = Vec::new();
    for keys in calls {
        answers.extend(now(bundle.process(&batch(keys))).unwrap());
    }
    answers.extend(now(bundle.finish()).unwrap());
    (rows(&answers), store, counters)
}

const THREES: Batching = Batching { max_batch_size: 3, max_in_flight: 2 };

#[test]
fn answers_come_in_the_order_of_the_rows_whichever_request_is_answered_first() {
    let keys: Vec<i64> = (1..=20).collect();
    let (rows, _, _) = run(Store::default(), THREES, &[&keys]);
    assert_eq!(rows, keys.iter().map(|key| Row::Value(key * 10)).collect::<Vec<_>>());
}

#[test]
fn rows_are_held_back_over_calls_until_they_fill_a_wire_batch() {
    let (rows, store, _) = run(Store::default(), THREES, &[&[1], &[2], &[], &[3, 4], &[5]]);
    assert_eq!(*store.asked.lock().unwrap(), [vec![1, 2, 3], vec![4, 5]]);
    assert_eq!(rows.len(), 5);
}

#[test]
fn no_more_requests_are_on_the_wire_than_the_window_allows() {
    let keys: Vec<i64> = (1..=60).collect();
    for window in [1, 2, 5] {
        let batching = Batching { max_in_flight: window, ..THREES };
        let (rows, store, _) = run(Store::default(), batching, &[&keys]);
        assert_eq!((*store.most_at_once.lock().unwrap(), rows.len()), (window, 60));
    }
}

#[test]
fn a_row_that_is_no_entity_fails_alone_and_is_not_sent() {
    let (rows, store, _) = run(Store::default(), THREES, &[&[1, -1, 0, -2, -3, -4, 7]]);
    let failed = || Row::Failed("negative".to_owned());
    assert_eq!(
        rows,
        [Row::Value(10), failed(), Row::Missing, failed(), failed(), failed(), Row::Value(70)]
    );
    assert_eq!(*store.asked.lock().unwrap(), [vec![1, 0], vec![7]]);
}

#[test]
fn a_request_without_an_answer_fails_its_rows_and_no_others() {
    let store = Store { broken_key: Some(5), ..Store::default() };
    let (rows, _, counters) = run(store, THREES, &[&[1, 2, 3, 4, 5, 6, 7]]);
    let failed = || Row::Failed("POST http://store/: connection refused".to_owned());
    let value = |key: i64| Row::Value(key * 10);
    assert_eq!(rows, [value(1), value(2), value(3), failed(), failed(), failed(), value(7)]);
    let counts: Vec<u64> = counters.snapshot().iter().map(|counter| counter.value).collect();
    assert_eq!(counts, [4, 3, 1], "rows with features, requests, requests that failed");
}

#[test]
fn a_bundle_without_rows_sends_nothing_and_ends() {
    let (rows, store, _) = run(Store::default(), THREES, &[&[]]);
    assert_eq!((rows, store.asked.lock().unwrap().len()), (vec![], 0));
}

#[test]
fn answers_with_the_same_fields_are_joined() {
    let store = Arc::new(Store::default());
    let (mut bundle, _) = start(THREES, &store);
    let mut answers = now(bundle.process(&batch(&[1, 2, 3, -1, 5, 6, 7]))).unwrap();
    answers.extend(now(bundle.finish()).unwrap());
    assert!(answers.len() <= 2, "one of process, one of finish: {}", answers.len());
    assert_eq!(rows(&answers).len(), 7);
}

#[test]
fn a_column_of_another_length_than_the_batch_is_refused() {
    let store = Arc::new(Store::default());
    let (mut bundle, _) = start(THREES, &store);
    let short = Batch { rows: 3, ..batch(&[1, 2]) };
    let error = now(bundle.process(&short)).unwrap_err();
    assert_eq!(error.message, "column \"key\" holds 2 values in a batch of 3 rows");
}
