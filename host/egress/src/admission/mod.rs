//! Which requests may be sent now: so many a second, so many at once, and none while the store is
//! down.
//!
//! Every request passes here, retries included, so that retries cannot overload a store. (Beam's
//! throttle does not see retries: beam#31941.)

mod breaker;
mod throttle;

pub use breaker::BreakerOptions;
pub use throttle::ThrottleOptions;

use crate::EgressError;
use breaker::{Breaker, Trial};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;
pub(crate) use throttle::Slot;
use throttle::{Outcome, Rate, Throttle};

/// What stands between a handler and the store.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// How many requests there may be at once; `None` for any number.
    pub throttle: Option<ThrottleOptions>,
    /// How many requests may begin in a second; `None` for any number.
    pub requests_per_second: Option<NonZeroU32>,
    /// When a store counts as down; `None` for never.
    pub breaker: Option<BreakerOptions>,
}

crate::setters!(Limits {
    throttle: Option<ThrottleOptions>,
    requests_per_second: Option<NonZeroU32>,
    breaker: Option<BreakerOptions>,
});

/// Admits requests.
pub(crate) struct Admission {
    rate: Option<Rate>,
    throttle: Option<Arc<Throttle>>,
    breaker: Option<Breaker>,
}

/// An admitted request, until its answer is read.
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

    /// Waits for a slot and a turn. The breaker is asked last, as it may have opened meanwhile.
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

    /// Until when no request is admitted.
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
