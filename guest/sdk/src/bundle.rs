//! A bundle on its way: rows are held back until they fill a wire batch, up to
//! `max_in_flight` requests are on the wire, and answers are given in the order of the rows.
//!
//! A wire batch that one row spoils is split until that row is alone; what would fail every
//! row ends the bundle.

use crate::answers::Answers;
use crate::rows::Rows;
use crate::transport::{Method, Target};
use crate::{
    Batch, Blame, Counters, Enriched, Error, ErrorKind, Handler, Response, Transport,
    TransportError,
};
use std::collections::VecDeque;
use std::sync::Arc;

/// One bundle of rows. It ends with [`finish`](Self::finish), once; dropped before that, its
/// requests are given up.
pub struct Bundle<H: Handler, T: Transport> {
    handler: Arc<H>,
    transport: Arc<T>,
    counters: Arc<Counters>,
    filling: Rows<H::Entity>,
    /// Wire batches that wait for room in the window, in the order of their rows, with their
    /// places.
    waiting: VecDeque<(Rows<H::Entity>, u64)>,
    calls: Vec<T::Call>,
    /// What each of `calls` asks for, at the same position.
    asked: Vec<Asked<H::Entity>>,
    answers: Answers,
    /// What ended the bundle before its time.
    lost: Option<Error>,
}

/// A wire batch that is in flight.
struct Asked<E> {
    rows: Rows<E>,
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
            filling: Rows::new(),
            waiting: VecDeque::new(),
            calls: Vec::new(),
            asked: Vec::new(),
            answers: Answers::default(),
            lost: None,
        }
    }

    /// Takes rows, sends what fills wire batches, and gives the answers that are there. Waits
    /// only while the window is full.
    ///
    /// # Errors
    /// The batch is not what the handler reads, the store refuses what it would refuse for every
    /// row, or does not answer what has to be known before: the bundle is lost.
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
            self.filling.push(entity);
            if self.filling.len() >= batch_size {
                self.dispatch();
                self.send_waiting().await?;
                // A store may have refused so many.
                batch_size = self.batch_size();
            }
        }
        Ok(self.answers.take())
    }

    /// Sends what is left, waits for all answers, and gives those that were not given yet.
    ///
    /// # Errors
    /// The store refuses what it would refuse for every row: the bundle is lost.
    pub async fn finish(mut self) -> Result<Vec<Enriched>, Error> {
        if self.filling.len() > 0 {
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

    /// Makes a wire batch of the rows held back.
    fn dispatch(&mut self) {
        let rows = std::mem::replace(&mut self.filling, Rows::new());
        let place = self.answers.reserve();
        if rows.entities.is_empty() {
            self.answers.put(place, Enriched::none().spread(rows.len() as u32, rows.failures));
        } else {
            self.waiting.push_back((rows, place));
        }
    }

    /// Sends the wire batches that wait, as the window has room; the error is what ended the
    /// bundle, after which nothing is sent.
    async fn send_waiting(&mut self) -> Result<(), Error> {
        let window = self.handler.batching().max_in_flight.max(1);
        loop {
            if let Some(error) = &self.lost {
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
                self.asked.push(Asked { rows, method, target, place });
                self.calls.push(self.transport.send(request));
            }
        }
    }

    /// Waits for one of the requests on the wire and keeps its answer.
    async fn receive(&mut self) {
        let (position, result) = self.transport.any(&mut self.calls).await;
        let asked = self.asked.swap_remove(position);
        match self.read(&asked, result) {
            Ok(answer) => self.keep(asked, answer),
            Err((error, blame)) => {
                self.counters.error();
                match blame {
                    Blame::Bundle => self.lost = Some(error),
                    Blame::ARow if asked.rows.entities.len() > 1 => {
                        self.split(asked.rows, asked.place);
                    }
                    Blame::ARow | Blame::Request => {
                        let failed = Enriched::failed(asked.rows.entities.len() as u32, &error);
                        self.keep(asked, failed);
                    }
                }
            }
        }
    }

    /// Makes an answer of what came back: exactly a row an entity.
    fn read(
        &self,
        asked: &Asked<H::Entity>,
        result: Result<Response, TransportError>,
    ) -> Result<Enriched, (Error, Blame)> {
        match result {
            Ok(response) => self.handler.answer(&asked.rows.entities, &response).map_err(|error| {
                let blame = self.handler.blame(&response, &error);
                (error, blame)
            }),
            Err(why) => {
                // An answer for fewer rows may be small enough.
                let large = matches!(why, TransportError::TooLarge(_));
                let blame = if large { Blame::ARow } else { Blame::Request };
                Err((Error::no_answer(asked.method, &asked.target, &why), blame))
            }
        }
    }

    fn keep(&mut self, asked: Asked<H::Entity>, answer: Enriched) {
        self.counters.retrieved(answer.retrieved());
        let count = asked.rows.len() as u32;
        self.answers.put(asked.place, answer.spread(count, asked.rows.failures));
    }

    /// Puts the halves of a wire batch in its place, to be sent before all others.
    fn split(&mut self, rows: Rows<H::Entity>, place: u64) {
        let (first, second) = rows.halves();
        self.answers.widen(place);
        let later = self.asked.iter_mut().map(|asked| &mut asked.place);
        let later = later.chain(self.waiting.iter_mut().map(|(_, place)| place));
        later.filter(|other| **other > place).for_each(|other| *other += 1);
        self.waiting.push_front((second, place + 1));
        self.waiting.push_front((first, place));
    }
}
