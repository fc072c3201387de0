//! A handler and a store that are but rules, and bundles over them.

use beamlet_guest::config::Problem;
use beamlet_guest::transport::Target;
use beamlet_guest::{
    Batch, Batching, Blame, Bundle, Column, Counters, Enriched, Error, ErrorKind, Field, Handler,
    Input, Request, Response, Timeouts, Transport, TransportError, Values,
};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Reads the field `key`, an integer; the store answers with ten times the key. 0 is unknown to
/// it, and a negative key cannot be asked for.
pub(crate) struct Tenfold(Batching);

impl Handler for Tenfold {
    const NAME: &'static str = "tenfold";
    const VERSION: &'static str = "1.0.0";
    type Entity = i64;

    fn config_schema() -> String {
        "{}".to_owned()
    }

    fn new(_: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        Ok(Tenfold(THREES))
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
        Request::post(&target(), serde_json::to_vec(entities).unwrap())
    }

    fn answer(&self, _: &[i64], response: &Response) -> Result<Enriched, Error> {
        if response.status != 200 {
            return Err(Error::new(ErrorKind::InvalidInput, response.status.to_string()));
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

    fn blame(&self, response: &Response, _: &Error) -> Blame {
        match response.status {
            400 => Blame::OneRow,
            401 => Blame::Bundle,
            _ => Blame::Request,
        }
    }

    fn outputs_request(&self) -> Request {
        Request::post(&target(), Vec::new())
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
pub(crate) struct Store {
    /// The status for a request of these keys, or `None` for no answer.
    status: fn(&[i64]) -> Option<u16>,
    /// The keys of each request, in the order they were sent.
    pub(crate) asked: Mutex<Vec<Vec<i64>>>,
    pub(crate) most_at_once: Mutex<usize>,
}

impl Store {
    pub(crate) fn that_answers(status: fn(&[i64]) -> Option<u16>) -> Self {
        Store { status, asked: Mutex::default(), most_at_once: Mutex::default() }
    }

    pub(crate) fn good() -> Self {
        Store::that_answers(|_| Some(200))
    }

    pub(crate) fn asked(&self) -> Vec<Vec<i64>> {
        self.asked.lock().unwrap().clone()
    }
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
        let answer = match (self.status)(&keys) {
            Some(status) => Ok(Response { status, retry_after: None, location: None, body }),
            None => Err(TransportError::Unreachable("connection refused".to_owned())),
        };
        (last, answer)
    }
}

pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store answers at once"),
    }
}

/// What came back for each row, in order.
#[derive(Debug, PartialEq)]
pub(crate) enum Row {
    Value(i64),
    Missing,
    Failed(String),
}

pub(crate) fn rows(answers: &[Enriched]) -> Vec<Row> {
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

pub(crate) fn batch(keys: &[i64]) -> Batch {
    let column =
        Column { name: "key".to_owned(), values: Values::Int64s(keys.to_vec()), nulls: Vec::new() };
    Batch { rows: keys.len() as u32, columns: vec![column] }
}

pub(crate) fn start(
    batching: Batching,
    store: &Arc<Store>,
) -> (Bundle<Tenfold, Store>, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    (Bundle::new(Arc::new(Tenfold(batching)), store.clone(), counters.clone()), counters)
}

/// What a bundle left.
pub(crate) struct Ran {
    pub(crate) rows: Result<Vec<Row>, Error>,
    pub(crate) store: Arc<Store>,
    pub(crate) counters: Arc<Counters>,
}

/// Runs a bundle whose `process` calls bring the keys of each slice.
pub(crate) fn run(store: Store, batching: Batching, calls: &[&[i64]]) -> Ran {
    let store = Arc::new(store);
    let (mut bundle, counters) = start(batching, &store);
    let ran = now(async {
        let mut answers = Vec::new();
        for keys in calls {
            answers.extend(bundle.process(&batch(keys)).await?);
        }
        answers.extend(bundle.finish().await?);
        Ok(rows(&answers))
    });
    Ran { rows: ran, store, counters }
}

pub(crate) const THREES: Batching = Batching { max_batch_size: 3, max_in_flight: 2 };
