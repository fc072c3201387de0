//! Bundles: rows are collected until they fill a request, up to `max_in_flight` requests are in
//! flight, and answers are returned in the order of the rows.
//!
//! A request that one row spoils is split until that row is alone. An error that every row would meet
//! ends the bundle.

use crate::transport::{Method, Target};
use crate::{
    Batch, Blame, Counter, Enriched, Error, ErrorKind, Handler, Response, RowFailure, Transport,
    TransportError,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One bundle of rows. It ends with [`finish`](Self::finish). Where it is dropped before that, its
/// requests are cancelled.
pub struct Bundle<H: Handler, T: Transport> {
    handler: Arc<H>,
    transport: Arc<T>,
    counters: Arc<Counters>,
    collected: PendingRows<H::Entity>,
    /// Rows of requests that wait for others to be answered, in order, with their places.
    waiting: VecDeque<(PendingRows<H::Entity>, u64)>,
    calls: Vec<T::Call>,
    /// The rows of each of `calls`, at the same position.
    in_flight: Vec<InFlight<H::Entity>>,
    answers: Answers,
    /// The error that ended the bundle.
    ended: Option<Error>,
}

/// A request that is in flight.
struct InFlight<E> {
    rows: PendingRows<E>,
    method: Method,
    target: Arc<Target>,
    place: u64,
}

impl<H: Handler, T: Transport> Bundle<H, T> {
    /// Starts a bundle.
    pub fn new(handler: Arc<H>, transport: Arc<T>, counters: Arc<Counters>) -> Self {
        Bundle {
            handler,
            transport,
            counters,
            collected: PendingRows::new(),
            waiting: VecDeque::new(),
            calls: Vec::new(),
            in_flight: Vec::new(),
            answers: Answers::default(),
            ended: None,
        }
    }

    /// Takes rows, sends the requests that they fill, and returns the answers that have arrived. Waits
    /// only while `max_in_flight` requests are in flight.
    ///
    /// # Errors
    /// The batch lacks a column, the store refuses every row, or it does not answer the
    /// [preparation](Handler::preparation). The bundle has ended.
    pub async fn process(&mut self, rows: &Batch) -> Result<Vec<Enriched>, Error> {
        if let Some(column) = rows.columns.iter().find(|c| c.values.len() != rows.rows as usize) {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "column {:?} holds {} values in a batch of {} rows",
                    column.name,
                    column.values.len(),
                    rows.rows
                ),
            ));
        }
        if let Some(request) = self.handler.preparation().filter(|_| rows.rows > 0) {
            let (method, target) = (request.method, request.target.clone());
            let mut call = vec![self.transport.send(request)];
            let answer = self.transport.any(&mut call).await.1;
            let answer = answer.map_err(|why| Error::no_answer(method, &target, &why));
            self.handler.prepare(answer.as_ref())?;
        }
        let mut batch_size = self.batch_size();
        for entity in self.handler.entities(rows)? {
            self.collected.push(entity);
            if self.collected.len() >= batch_size {
                self.dispatch();
                self.send_waiting().await?;
                // The store may have refused a request for its size.
                batch_size = self.batch_size();
            }
        }
        Ok(self.answers.take())
    }

    /// Sends the rest of the rows, waits for all answers, and returns those that were not returned yet.
    ///
    /// # Errors
    /// The store refuses every row.
    pub async fn finish(mut self) -> Result<Vec<Enriched>, Error> {
        if self.collected.len() > 0 {
            self.dispatch();
        }
        self.send_waiting().await?;
        while !self.calls.is_empty() {
            self.receive().await;
            self.send_waiting().await?;
        }
        Ok(self.answers.take())
    }

    fn batch_size(&self) -> usize {
        self.handler.batching().max_batch_size.max(1)
    }

    /// Makes a request of the rows collected.
    fn dispatch(&mut self) {
        let rows = std::mem::replace(&mut self.collected, PendingRows::new());
        let place = self.answers.reserve();
        if rows.entities.is_empty() {
            self.answers.put(place, Enriched::none().spread(rows.len() as u32, rows.failures));
        } else {
            self.waiting.push_back((rows, place));
        }
    }

    /// Sends the requests that wait, while fewer than `max_in_flight` are in flight. Once the bundle
    /// has ended with an error, sends nothing and returns that error.
    async fn send_waiting(&mut self) -> Result<(), Error> {
        let window = self.handler.batching().max_in_flight.max(1);
        loop {
            if let Some(error) = &self.ended {
                return Err(error.clone());
            }
            if self.waiting.is_empty() {
                return Ok(());
            }
            if self.calls.len() >= window {
                self.receive().await;
            } else if let Some((rows, place)) = self.waiting.pop_front() {
                if rows.entities.len() > self.batch_size() {
                    self.split(rows, place);
                    continue;
                }
                let request = self.handler.request(&rows.entities);
                self.counters.request();
                let (method, target) = (request.method, request.target.clone());
                self.in_flight.push(InFlight { rows, method, target, place });
                self.calls.push(self.transport.send(request));
            }
        }
    }

    /// Waits for one of the requests in flight and stores its answer.
    async fn receive(&mut self) {
        let (position, result) = self.transport.any(&mut self.calls).await;
        let sent = self.in_flight.swap_remove(position);
        match self.read(&sent, result) {
            Ok(answer) => self.keep(sent, answer),
            Err((error, blame)) => {
                self.counters.error();
                match blame {
                    Blame::Bundle => self.ended = Some(error),
                    Blame::OneRow if sent.rows.entities.len() > 1 => {
                        self.split(sent.rows, sent.place);
                    }
                    Blame::OneRow | Blame::Request => {
                        let failed = Enriched::failed(sent.rows.entities.len() as u32, &error);
                        self.keep(sent, failed);
                    }
                }
            }
        }
    }

    /// Makes an answer of a response: exactly a row an entity.
    fn read(
        &self,
        sent: &InFlight<H::Entity>,
        result: Result<Response, TransportError>,
    ) -> Result<Enriched, (Error, Blame)> {
        match result {
            Ok(response) => self.handler.answer(&sent.rows.entities, &response).map_err(|error| {
                let blame = self.handler.blame(&response, &error);
                (error, blame)
            }),
            Err(why) => {
                // An answer for fewer rows may be small enough.
                let large = matches!(why, TransportError::TooLarge(_));
                let blame = if large { Blame::OneRow } else { Blame::Request };
                Err((Error::no_answer(sent.method, &sent.target, &why), blame))
            }
        }
    }

    fn keep(&mut self, sent: InFlight<H::Entity>, answer: Enriched) {
        self.counters.retrieved(answer.retrieved());
        let count = sent.rows.len() as u32;
        self.answers.put(sent.place, answer.spread(count, sent.rows.failures));
    }

    /// Splits a request in two halves, which are sent before all others.
    fn split(&mut self, rows: PendingRows<H::Entity>, place: u64) {
        let (first, second) = rows.halves();
        self.answers.widen(place);
        let later = self.in_flight.iter_mut().map(|sent| &mut sent.place);
        let later = later.chain(self.waiting.iter_mut().map(|(_, place)| place));
        later.filter(|other| **other > place).for_each(|other| *other += 1);
        self.waiting.push_front((second, place + 1));
        self.waiting.push_front((first, place));
    }
}

/// Rows of one request, in order: entities, and rows that could not become one.
struct PendingRows<E> {
    /// The rows that the store is asked for.
    entities: Vec<E>,
    /// The other rows, ascending, by their positions among all.
    failures: Vec<RowFailure>,
}

impl<E> PendingRows<E> {
    fn new() -> Self {
        PendingRows { entities: Vec::new(), failures: Vec::new() }
    }

    /// How many rows there are.
    fn len(&self) -> usize {
        self.entities.len() + self.failures.len()
    }

    fn push(&mut self, entity: Result<E, Error>) {
        let row = self.len() as u32;
        match entity {
            Ok(entity) => self.entities.push(entity),
            Err(error) => self.failures.push(RowFailure { row, error }),
        }
    }

    /// The rows in two, each with half of the entities.
    fn halves(self) -> (Self, Self) {
        let half = self.entities.len() / 2;
        let (mut first, mut second) = (PendingRows::new(), PendingRows::new());
        let mut failures = self.failures.into_iter().peekable();
        let mut entities = self.entities.into_iter();
        let mut row = 0;
        loop {
            let next = match failures.next_if(|failure| failure.row == row) {
                Some(failure) => Err(failure.error),
                None => match entities.next() {
                    Some(entity) => Ok(entity),
                    None => return (first, second),
                },
            };
            let to = if first.entities.len() < half { &mut first } else { &mut second };
            to.push(next);
            row += 1;
        }
    }
}

/// Answers in the order of their requests, whichever arrives first.
#[derive(Default)]
struct Answers {
    /// The place of the first answer that has not been taken.
    first: u64,
    waiting: VecDeque<Option<Enriched>>,
}

impl Answers {
    /// Adds a place behind the last one.
    fn reserve(&mut self) -> u64 {
        self.waiting.push_back(None);
        self.first + self.waiting.len() as u64 - 1
    }

    /// Makes two places of one that has no answer yet. Those behind it move by one.
    fn widen(&mut self, place: u64) {
        self.waiting.insert((place - self.first) as usize, None);
    }

    /// Puts an answer into its place.
    fn put(&mut self, place: u64, answer: Enriched) {
        self.waiting[(place - self.first) as usize] = Some(answer);
    }

    /// Takes the answers that have arrived, up to the first gap.
    fn take(&mut self) -> Vec<Enriched> {
        let mut taken: Vec<Enriched> = Vec::new();
        let there = self.waiting.iter().map_while(Option::as_ref);
        // The rows still to be appended: room for them is made at the first append.
        let mut rows: usize = there.map(|answer| answer.fields.rows as usize).sum();
        while let Some(Some(_)) = self.waiting.front() {
            self.first += 1;
            let Some(mut next) = self.waiting.pop_front().flatten() else {
                break;
            };
            rows -= next.fields.rows as usize;
            match taken.last_mut() {
                Some(last) if last.takes(&next) => last.append(next),
                _ => {
                    let columns = next.fields.columns.iter_mut();
                    columns.for_each(|column| column.values.reserve(rows));
                    taken.push(next);
                }
            }
        }
        taken
    }
}

/// Counters of an instance since its set-up, under the names that users know from Beam.
#[derive(Debug, Default)]
pub struct Counters {
    retrieved: AtomicU64,
    requests: AtomicU64,
    errors: AtomicU64,
}

impl Counters {
    fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    fn retrieved(&self, rows: u64) {
        self.retrieved.fetch_add(rows, Ordering::Relaxed);
    }

    /// The counts, by name: rows enriched, requests sent, and requests that failed.
    pub fn snapshot(&self) -> Vec<Counter> {
        [
            ("features_retrieved", &self.retrieved),
            ("feature_retrieval_requests", &self.requests),
            ("feature_retrieval_errors", &self.errors),
        ]
        .map(|(name, value)| Counter {
            name: name.to_owned(),
            value: value.load(Ordering::Relaxed),
        })
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_hold_all_rows_in_order_and_half_of_the_entities_each() {
        let mut rows = PendingRows::new();
        for row in 0..7 {
            let failed = row % 3 == 0;
            rows.push(match failed {
                true => Err(Error::new(ErrorKind::InvalidInput, row.to_string())),
                false => Ok(row),
            });
        }
        let (first, second) = rows.halves();
        let parts = |rows: &PendingRows<u32>| {
            let failures: Vec<_> =
                rows.failures.iter().map(|f| (f.row, f.error.message.clone())).collect();
            (rows.entities.clone(), failures)
        };
        assert_eq!(parts(&first), (vec![1, 2], vec![(0, "0".to_owned())]));
        let rest = vec![(0, "3".to_owned()), (3, "6".to_owned())];
        assert_eq!(parts(&second), (vec![4, 5], rest));
    }
}
