//! Faults: wrong answers on purpose, and the requests that get them. Without faults the emulator
//! never fails.

mod plan;
mod table;

use std::time::Duration;

use serde::Deserialize;

use crate::endpoint::Endpoint;

pub(crate) use plan::FaultPlan;
pub use plan::Lateness;

/// Some requests, and the answer that they get instead of the right one.
///
/// Faults are tried in their order, and a fault counts only the requests that no earlier fault has
/// answered: with `first(1, …)` twice, the first request gets the first fault and the second
/// request the second one.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Which of the requests get it.
    pub when: When,
    /// Only requests to this endpoint; `None` means all three.
    pub endpoint: Option<Endpoint>,
    /// The answer that they get.
    pub answer: FaultAnswer,
}

/// Which requests a fault answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// The first requests, by number.
    First(u64),
    /// All of them.
    Every,
    /// A share of them, drawn from a seeded generator: the same seed gives the same sequence.
    Rate {
        /// From 0 to 1.
        share: f64,
        /// The generator's seed.
        seed: u64,
    },
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultAnswer {
    /// An HTTP status with an error's body.
    Status(StatusFault),
    /// 200 with a text that is not JSON.
    NotJson,
    /// 200 with one result too few in a batch, no features for a single entity.
    WrongCount,
    /// 200 whose body ends before its `content-length`.
    Truncated,
    /// The right answer, compressed with gzip although the client does not accept it.
    Gzip,
    /// The right answer, after a delay.
    Hang(Duration),
    /// The right answer, after a delay that is drawn for each request.
    Late(Lateness),
    /// The right answer, a few bytes at a time, with this time between its first piece and its
    /// last.
    SlowBody(Duration),
    /// The connection is reset without an answer.
    Reset,
}

/// An HTTP status on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusFault {
    /// The status, from 100 to 999.
    pub status: u16,
    /// The `Retry-After` header, as it is: seconds or a date.
    pub retry_after: Option<String>,
    /// The message; default: Tecton's for this status.
    pub message: Option<String>,
    /// The gRPC code in the body; default: Tecton's for this status.
    pub code: Option<u8>,
    /// The body's form.
    pub body: FaultBody,
}

/// The form of a status fault's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// Tecton's error JSON.
    #[default]
    Json,
    /// A proxy's HTML page.
    Html,
    /// Nothing.
    Empty,
}

impl Fault {
    /// The first `count` requests.
    pub fn first(count: u64, answer: FaultAnswer) -> Self {
        Self::new(When::First(count), answer)
    }

    /// Every request.
    pub fn every(answer: FaultAnswer) -> Self {
        Self::new(When::Every, answer)
    }

    /// A share of the requests, from 0 to 1.
    pub fn rate(share: f64, seed: u64, answer: FaultAnswer) -> Self {
        Self::new(When::Rate { share, seed }, answer)
    }

    /// The same for one endpoint only.
    pub fn on(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    fn new(when: When, answer: FaultAnswer) -> Self {
        Self { when, endpoint: None, answer }
    }
}

impl FaultAnswer {
    /// A status with Tecton's error JSON.
    pub fn status(status: u16) -> Self {
        StatusFault::new(status).into()
    }
}

impl StatusFault {
    /// A status with Tecton's error JSON and no `Retry-After`.
    pub fn new(status: u16) -> Self {
        Self { status, retry_after: None, message: None, code: None, body: FaultBody::Json }
    }

    /// Sends this `Retry-After`.
    pub fn retry_after(mut self, value: impl Into<String>) -> Self {
        self.retry_after = Some(value.into());
        self
    }

    /// Sends this message instead of Tecton's.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Has this gRPC code in the body.
    pub fn code(mut self, code: u8) -> Self {
        self.code = Some(code);
        self
    }

    /// Sends the body in this form.
    pub fn body(mut self, body: FaultBody) -> Self {
        self.body = body;
        self
    }
}

impl From<StatusFault> for FaultAnswer {
    fn from(fault: StatusFault) -> Self {
        Self::Status(fault)
    }
}
