//! A bundle on its way: rows are held back until they fill a wire batch, up to
//! `max_in_flight` requests are on the wire, and answers are given in the order of the rows.

use crate::answers::Answers;
use crate::{
    Batch, Counters, Enriched, Error, ErrorKind, Handler, Response, RowFailure, Transport,
    TransportError,
};
use std::sync::Arc;

/// One bundle of rows. It ends with [`finish`](Self::finish), once; dropped before that, its
/// requests are given up.
pub struct Bundle<H: Handler, T: Transport> {
    handler: Arc<H>,
    transport: Arc<T>,
    counters: Arc<Counters>,
    filling: Rows<H::Entity>,
    calls: Vec<T::Call>,
    /// What each of `calls` asks for, at the same position.
    asked: Vec<Asked<H::Entity>>,
    answers: Answers,
}

/// Rows that are held back for a wire batch.
struct Rows<E> {
    entities: Vec<E>,
    failures: Vec<RowFailure>,
}

impl<E> Rows<E> {
    fn new() -> Self {
        Rows { entities: Vec::new(), failures: Vec::new() }
    }

    fn len(&self) -> usize {
        self.entities.len() + self.failures.len()
    }
}

/// A wire batch that is in flight.
struct Asked<E> {
    rows: Rows<E>,
    target: Arc<crate::transport::Target>,
    place: u64,
}

impl<H: Handler, T: Transport> Bundle<H, T> {
    /// Starts a bundle.
    pub fn new(handler: Arc<H>, transport: Arc<T>, counters: Arc<Counters>) -> Self {
        Bundle {
            handler,
            transport,
            counters,
            filling: Rows::new(),
            calls: Vec::new(),
            asked: Vec::new(),
            answers: Answers::default(),
        }
    }

    /// Takes rows, sends what fills wire batches, and gives the answers that are there. Waits
    /// only while the window is full.
    ///
    /// # Errors
    /// The batch is not what the handler reads: the bundle is lost.
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
        let batch_size = self.handler.batching().max_batch_size.max(1);
        for entity in self.handler.entities(rows)? {
            let row = self.filling.len() as u32;
            match entity {
                Ok(entity) => self.filling.entities.push(entity),
                Err(error) => self.filling.failures.push(RowFailure { row, error }),
            }
            if self.filling.len() >= batch_size {
                self.dispatch().await;
            }
        }
        Ok(self.answers.take())
    }

    /// Sends what is left, waits for all answers, and gives those that were not given yet.
    ///
    /// # Errors
    /// None now: rows fail one by one.
    pub async fn finish(mut self) -> Result<Vec<Enriched>, Error> {
        if self.filling.len() > 0 {
            self.dispatch().await;
        }
        while !self.calls.is_empty() {
            self.receive().await;
        }
        Ok(self.answers.take())
    }

    /// Makes a wire batch of the rows held back and sends it, when the window has room.
    async fn dispatch(&mut self) {
        let rows = std::mem::replace(&mut self.filling, Rows::new());
        let place = self.answers.reserve();
        if rows.entities.is_empty() {
            self.answers.put(place, Enriched::none().spread(rows.len() as u32, rows.failures));
            return;
        }
        while self.calls.len() >= self.handler.batching().max_in_flight.max(1) {
            self.receive().await;
        }
        let request = self.handler.request(&rows.entities);
        self.counters.request();
        self.asked.push(Asked { rows, target: request.target.clone(), place });
        self.calls.push(self.transport.send(request));
    }

    /// Waits for one of the requests on the wire and keeps its answer.
    async fn receive(&mut self) {
        let (position, result) = self.transport.any(&mut self.calls).await;
        let asked = self.asked.swap_remove(position);
        let count = asked.rows.len() as u32;
        let answer = self.read(&asked, result);
        self.counters.retrieved(answer.retrieved());
        self.answers.put(asked.place, answer.spread(count, asked.rows.failures));
    }

    /// Makes an answer of what came back: exactly a row an entity.
    fn read(&self, asked: &Asked<H::Entity>, result: Result<Response, TransportError>) -> Enriched {
        let entities = &asked.rows.entities;
        let answer = match result {
            Ok(response) => self.handler.answer(entities, &response),
            Err(why) => Err(Error::no_answer(&asked.target, &why)),
        };
        answer.unwrap_or_else(|error| {
            self.counters.error();
            Enriched::failed(entities.len() as u32, &error)
        })
    }
}
