//! Who may ask the store now: so many requests a second, so many at once, and none while it is
//! down.
//!
//! It stands at the one way out, so it sees every request that is made, those that repeat
//! another one too: what is invisible to it cannot overload a store. (Beam's throttle does not
//! see retries: beam#31941.)

mod breaker;
mod rate;
mod throttle;

pub use breaker::BreakerOptions;
pub use throttle::ThrottleOptions;

use crate::EgressError;
use breaker::{Breaker, Trial};
use http::StatusCode;
use rate::Rate;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;
pub(crate) use throttle::Slot;
use throttle::Throttle;

/// What stands between a handler and the store.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// How many requests there may be at once; `None` for any number.
    pub throttle: Option<ThrottleOptions>,
    /// How many requests may begin in a second; `None` for any number.
    pub requests_per_second: Option<NonZeroU32>,
    /// When a store counts as down; `None` for never.
    pub breaker: Option<BreakerOptions>,
}

/// How a request ended, as far as it tells how the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The store answered, be it that the request is wrong.
    Well,
    /// The store asks for less: it is there, and it is too much.
    Throttled,
    /// The store has not the time to answer.
    Overloaded,
    /// The store is there, and cannot serve.
    Failing,
}

impl Outcome {
    pub(crate) fn of<T>(answer: &Result<http::Response<T>, EgressError>) -> Option<Self> {
        match answer {
            Ok(response) => Some(match response.status() {
                StatusCode::TOO_MANY_REQUESTS => Outcome::Throttled,
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                    Outcome::Overloaded
                }
                status if status.is_server_error() => Outcome::Failing,
                _ => Outcome::Well,
            }),
            Err(EgressError::ReadTimeout | EgressError::ConnectTimeout) => {
                Some(Outcome::Overloaded)
            }
            // The request has not been made.
            Err(EgressError::Denied(_) | EgressError::NoDestination | EgressError::Open { .. }) => {
                None
            }
            Err(_) => Some(Outcome::Failing),
        }
    }
}

/// Lets requests in.
pub(crate) struct Admission {
    rate: Option<Rate>,
    throttle: Option<Arc<Throttle>>,
    breaker: Option<Breaker>,
}

/// A request that was let in, until its answer is read.
pub(crate) struct Admitted<'a> {
    slot: Option<Slot>,
    trial: Option<Trial<'a>>,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        Admission {
            rate: limits.requests_per_second.map(Rate::new),
            throttle: limits.throttle.map(|options| Arc::new(Throttle::new(options))),
            breaker: limits.breaker.map(Breaker::new),
        }
    }

    /// Waits for a place. The breaker comes last: it may have opened while others waited.
    pub(crate) async fn enter(&self) -> Result<Admitted<'_>, EgressError> {
        let slot = match &self.throttle {
            Some(throttle) => Some(throttle.enter().await),
            None => None,
        };
        if let Some(rate) = &self.rate {
            rate.turn().await;
        }
        let trial = match &self.breaker {
            Some(breaker) => Some(breaker.enter().await?),
            None => None,
        };
        Ok(Admitted { slot, trial })
    }

    /// Until when no request is let in.
    pub(crate) fn closed_until(&self) -> Option<Instant> {
        self.breaker.as_ref().and_then(Breaker::open_until)
    }

    /// How many requests may be made at once, now.
    pub(crate) fn at_once(&self) -> Option<usize> {
        self.throttle.as_ref().map(|throttle| throttle.limit())
    }
}

impl Admitted<'_> {
    /// Notes how the request ended; its slot is kept for as long as the answer is read.
    pub(crate) fn ended<T>(self, answer: &Result<http::Response<T>, EgressError>) -> Option<Slot> {
        let outcome = Outcome::of(answer);
        let mut slot = self.slot;
        if let (Some(slot), Some(outcome)) = (&mut slot, outcome) {
            slot.ended(outcome);
        }
        if let (Some(trial), Some(outcome)) = (self.trial, outcome) {
            trial.ended(outcome, || match answer {
                Ok(response) => format!("status {}", response.status().as_u16()),
                Err(error) => error.to_string(),
            });
        }
        slot
    }
}
