//! The trait that a handler of a new store implements.

use crate::check::Findings;
use crate::config::{Problem, Section};
use crate::{Batch, Blame, Enriched, Error, Field, Input, Report, Request, Response};
use serde_json::{Value, json};

/// How a handler wants its rows put into requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// Entities in one request, at least 1.
    pub max_batch_size: usize,
    /// Requests that one bundle may have in flight, at least 1.
    pub max_in_flight: usize,
}

/// The largest numbers that a configuration may set.
const MOST: Batching = Batching { max_batch_size: 10_000, max_in_flight: 256 };

/// A hundred entities in a request, four requests in flight.
impl Default for Batching {
    fn default() -> Self {
        Batching { max_batch_size: 100, max_in_flight: 4 }
    }
}

impl Batching {
    /// Reads `max_batch_size`, from 1 to 10,000, and `max_in_flight`, from 1 to 256. Without a key,
    /// its default counts.
    pub fn read(section: &Section<'_>) -> Self {
        let number = |name, most: usize, default| {
            section.integer(name, 1..=most as i64).map_or(default, |number| number as usize)
        };
        let default = Batching::default();
        Batching {
            max_batch_size: number("max_batch_size", MOST.max_batch_size, default.max_batch_size),
            max_in_flight: number("max_in_flight", MOST.max_in_flight, default.max_in_flight),
        }
    }

    /// The JSON Schema of what [`read`](Self::read) reads.
    pub fn schema() -> Value {
        let default = Batching::default();
        let number = |default: usize, most: usize, description: &str| {
            json!({
                "type": "integer",
                "minimum": 1,
                "maximum": most,
                "default": default,
                "description": description,
            })
        };
        let (size, flight) = ("Entities in one request.", "Requests of a bundle at the same time.");
        json!({
            "type": "object",
            "additionalProperties": false,
            "description": "How rows are put into requests.",
            "properties": {
                "max_batch_size": number(default.max_batch_size, MOST.max_batch_size, size),
                "max_in_flight": number(default.max_in_flight, MOST.max_in_flight, flight),
            },
        })
    }
}

/// A store's part of enrichment: configuration, rows → entities → request, and response → columns.
/// This crate does the rest.
pub trait Handler: Sized + Send + Sync + 'static {
    /// A short name, such as `tecton`.
    const NAME: &'static str;
    /// The handler's version: `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;

    /// What one row asks the store for.
    type Entity: Send + 'static;

    /// The JSON Schema of the configuration.
    fn config_schema() -> String;

    /// Makes a handler of a configuration.
    ///
    /// # Errors
    /// All problems, each with its place.
    fn new(config: &serde_json::Value) -> Result<Self, Vec<Problem>>;

    /// Parts of the configuration that are allowed, but most likely not meant.
    fn warnings(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// The fields of a row that the handler reads.
    fn inputs(&self) -> Vec<Input>;

    /// How rows are put into requests.
    fn batching(&self) -> Batching {
        Batching::default()
    }

    /// A request for what the handler has to know before rows can become entities, such as the types
    /// of the keys. `None` once it knows it. Called at the beginning of each call with rows.
    fn preparation(&self) -> Option<Request> {
        None
    }

    /// Takes the answer to [`preparation`](Self::preparation), or why there is no answer.
    ///
    /// # Errors
    /// No row can be asked for now: the bundle ends.
    fn prepare(&self, answer: Result<&Response, &Error>) -> Result<(), Error> {
        let _ = answer;
        Ok(())
    }

    /// Makes an entity of each row, in order. A row that cannot become one fails alone.
    ///
    /// # Errors
    /// The batch lacks a column of [`inputs`](Self::inputs).
    fn entities(&self, rows: &Batch) -> Result<Vec<Result<Self::Entity, Error>>, Error>;

    /// Makes the request for 1 to [`max_batch_size`](Batching::max_batch_size) entities.
    fn request(&self, entities: &[Self::Entity]) -> Request;

    /// Makes columns of the answer to [`request`](Self::request): exactly a row an entity, in
    /// order.
    ///
    /// # Errors
    /// The answer is an error, or not what the store promises: each of the entities fails.
    fn answer(&self, entities: &[Self::Entity], response: &Response) -> Result<Enriched, Error>;

    /// What `error`, which [`answer`](Self::answer) made of `response`, says of the rows. A handler
    /// overrides it where the store's messages say more.
    fn blame(&self, response: &Response, error: &Error) -> Blame {
        Blame::of(response, error)
    }

    /// The request that asks the store which fields come out.
    fn outputs_request(&self) -> Request;

    /// Reads the answer to [`outputs_request`](Self::outputs_request).
    ///
    /// # Errors
    /// The answer is an error, or not what the store promises.
    fn outputs(&self, response: &Response) -> Result<Vec<Field>, Error>;

    /// Compares the configuration with the answer to
    /// [`outputs_request`](Self::outputs_request), or with why there is no answer.
    ///
    /// # Errors
    /// The store cannot answer now. A problem of the configuration is a finding, and not an error.
    fn check(&self, answer: Result<&Response, &Error>) -> Result<Report, Error> {
        let outputs = self.outputs(answer.map_err(Clone::clone)?)?;
        let mut findings = Findings::default();
        findings.reached();
        Ok(findings.report(outputs))
    }
}
