//! What a handler supplies: the one trait that a new feature store implements.

use crate::check::Findings;
use crate::config::{Problem, Section};
use crate::{Batch, Enriched, Error, Field, Input, Report, Request, Response};
use serde_json::{Value, json};

/// How a handler wants its rows put into requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// Entities in one request, at least 1.
    pub max_batch_size: usize,
    /// Requests that one bundle may have on the wire, at least 1.
    pub max_in_flight: usize,
}

/// The largest numbers that a configuration may set.
const MOST: Batching = Batching { max_batch_size: 10_000, max_in_flight: 256 };

/// A hundred entities in a request, four requests on the wire.
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

/// What an answer that is an error says of the rows it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// All rows of the request fail, others may not.
    Request,
    /// One row of the request spoils it for the others: the request is split until that row is
    /// alone. Costs at most twice as many requests as there are rows.
    ARow,
    /// Every row would fail in the same way: the bundle ends at once.
    Bundle,
}

/// A feature store's side of enrichment: configuration, rows → entities → request, and
/// response → columns. Everything between them is this crate's.
pub trait Handler: Sized + Send + Sync + 'static {
    /// A short name, such as `tecton`.
    const NAME: &'static str;
    /// The handler's version: `env!("CARGO_PKG_VERSION")`.
    const VERSION: &'static str;

    /// What one row asks the store for: kept from the row until its request is made.
    type Entity: Send + 'static;

    /// What the configuration may hold, as a JSON Schema.
    fn config_schema() -> String;

    /// Makes a handler of a configuration, or tells every problem that it has.
    ///
    /// # Errors
    /// All problems, each with its place.
    fn new(config: &serde_json::Value) -> Result<Self, Vec<Problem>>;

    /// What is no problem of the configuration, and is most likely not meant.
    fn warnings(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// The fields of a row that the handler reads.
    fn inputs(&self) -> Vec<Input>;

    /// How rows are put into requests.
    fn batching(&self) -> Batching {
        Batching::default()
    }

    /// What to ask the store before rows can become entities, until the handler knows it: such as
    /// the types of the keys that it takes. Asked at the beginning of each call with rows.
    fn preparation(&self) -> Option<Request> {
        None
    }

    /// Takes the answer to [`preparation`](Self::preparation), or why there is none.
    ///
    /// # Errors
    /// The rows cannot be asked for now: the bundle ends.
    fn prepare(&self, answer: Result<&Response, &Error>) -> Result<(), Error> {
        let _ = answer;
        Ok(())
    }

    /// Makes an entity of each row, in order; a row that cannot be one fails alone.
    ///
    /// # Errors
    /// The batch has not the columns of [`inputs`](Self::inputs).
    fn entities(&self, rows: &Batch) -> Result<Vec<Result<Self::Entity, Error>>, Error>;

    /// Makes the request for 1 to [`max_batch_size`](Batching::max_batch_size) entities.
    fn request(&self, entities: &[Self::Entity]) -> Request;

    /// Makes columns of the answer to [`request`](Self::request): exactly a row an entity, in
    /// order.
    ///
    /// # Errors
    /// The answer is an error, or not what the store promises: it fails each of the entities.
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
    /// [`outputs_request`](Self::outputs_request), or with why there is none.
    ///
    /// # Errors
    /// The store could not tell now. What speaks against the configuration is a finding.
    fn check(&self, answer: Result<&Response, &Error>) -> Result<Report, Error> {
        let outputs = self.outputs(answer.map_err(Clone::clone)?)?;
        let mut findings = Findings::default();
        findings.reached();
        Ok(findings.report(outputs))
    }
}
