//! How many requests may be made: at once, adapted to what the store can serve (additive increase,
//! multiplicative decrease, as TCP does it), and in a second.

use crate::EgressError;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::StatusCode;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;
use tracing::debug;

/// How many requests there may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThrottleOptions {
    /// The most; where a run begins.
    pub most: usize,
    /// The fewest, however overloaded the store is.
    pub fewest: usize,
}

/// More than a run has in flight by default: the limit shrinks only when the store asks for it.
impl Default for ThrottleOptions {
    fn default() -> Self {
        ThrottleOptions { most: 256, fewest: 1 }
    }
}

crate::setters!(ThrottleOptions { most: usize, fewest: usize });

/// What is left when the store is overloaded.
const DECREASE: f64 = 0.5;

/// How a request ended, as far as that shows the state of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The store answered, if only to refuse the request.
    Well,
    /// The store asks for fewer requests.
    Throttled,
    /// The store has no capacity to answer.
    Overloaded,
    /// The store cannot serve.
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
            // No request was made.
            Err(EgressError::Denied(_) | EgressError::NoDestination | EgressError::Open { .. }) => {
                None
            }
            Err(_) => Some(Outcome::Failing),
        }
    }
}

/// Limits the requests at once.
pub(super) struct Throttle {
    options: ThrottleOptions,
    state: Mutex<Load>,
    /// Notified when a slot may be free.
    free: Notify,
}

struct Load {
    limit: f64,
    at_once: usize,
    /// When the limit was last decreased: what began before it is of the same overload.
    decreased: Option<Instant>,
}

impl Throttle {
    pub(super) fn new(options: ThrottleOptions) -> Self {
        let limit = options.most.max(1) as f64;
        let state = Load { limit, at_once: 0, decreased: None };
        Throttle { options, state: Mutex::new(state), free: Notify::new() }
    }

    /// Waits until there are fewer than may be.
    pub(super) async fn enter(self: &Arc<Self>) -> Slot {
        loop {
            let free = self.free.notified();
            {
                let mut state = self.state();
                if state.at_once < state.limit as usize {
                    state.at_once += 1;
                    return Slot { throttle: self.clone(), began: Instant::now() };
                }
            }
            free.await;
        }
    }

    /// How many there may be at once, now.
    pub(super) fn limit(&self) -> usize {
        self.state().limit as usize
    }

    fn state(&self) -> MutexGuard<'_, Load> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one request.
pub(crate) struct Slot {
    throttle: Arc<Throttle>,
    began: Instant,
}

impl Slot {
    pub(super) fn ended(&mut self, outcome: Outcome) {
        let options = &self.throttle.options;
        let mut state = self.throttle.state();
        match outcome {
            // One more for each round of as many as there may be, where that many are wanted.
            Outcome::Well if 2.0 * state.at_once as f64 >= state.limit => {
                let before = state.limit as usize;
                state.limit = (state.limit + 1.0 / state.limit).min(options.most.max(1) as f64);
                if state.limit as usize > before {
                    debug!(requests = state.limit as usize, "more requests may be made at once");
                }
            }
            Outcome::Throttled | Outcome::Overloaded
                if state.decreased.is_none_or(|time| time <= self.began) =>
            {
                state.limit = (state.limit * DECREASE).max(options.fewest.max(1) as f64);
                state.decreased = Some(Instant::now());
                debug!(
                    requests = state.limit as usize,
                    "the store is overloaded: fewer requests may be made at once"
                );
            }
            _ => {}
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let room = {
            let mut state = self.throttle.state();
            state.at_once -= 1;
            (state.limit as usize).saturating_sub(state.at_once)
        };
        // One for this place, and one more where the limit has grown.
        for _ in 0..room.min(2) {
            self.throttle.free.notify_one();
        }
    }
}

/// Limits the requests in a second: evenly, and without a burst, as a burst is what the limit is there
/// to prevent.
pub(super) struct Rate(DefaultDirectRateLimiter);

impl Rate {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Rate(RateLimiter::direct(Quota::per_second(per_second).allow_burst(NonZeroU32::MIN)))
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&self) {
        self.0.until_ready().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn throttle(most: usize) -> Arc<Throttle> {
        Arc::new(Throttle::new(ThrottleOptions { most, fewest: 1 }))
    }

    async fn round(throttle: &Arc<Throttle>, outcome: Outcome) {
        let mut slots = Vec::new();
        for _ in 0..throttle.limit() {
            slots.push(throttle.enter().await);
        }
        slots.iter_mut().for_each(|slot| slot.ended(outcome));
    }

    #[tokio::test]
    async fn an_overload_halves_the_limit_once_for_all_that_were_under_way() {
        let throttle = throttle(16);
        round(&throttle, Outcome::Overloaded).await;
        assert_eq!(throttle.limit(), 8);
        round(&throttle, Outcome::Overloaded).await;
        assert_eq!(throttle.limit(), 4);
    }

    #[tokio::test]
    async fn the_limit_never_goes_below_the_fewest() {
        let throttle = throttle(4);
        for _ in 0..10 {
            round(&throttle, Outcome::Overloaded).await;
        }
        assert_eq!(throttle.limit(), 1);
    }

    #[tokio::test]
    async fn a_round_that_goes_well_adds_one_up_to_the_most() {
        let throttle = throttle(8);
        round(&throttle, Outcome::Overloaded).await;
        assert_eq!(throttle.limit(), 4);
        round(&throttle, Outcome::Well).await;
        round(&throttle, Outcome::Well).await;
        assert!((5..=6).contains(&throttle.limit()), "{}", throttle.limit());
        for _ in 0..20 {
            round(&throttle, Outcome::Well).await;
        }
        assert_eq!(throttle.limit(), 8);
    }

    #[tokio::test]
    async fn a_limit_that_is_not_used_does_not_grow() {
        let throttle = throttle(16);
        round(&throttle, Outcome::Overloaded).await;
        for _ in 0..100 {
            throttle.enter().await.ended(Outcome::Well);
        }
        assert_eq!(throttle.limit(), 8);
    }

    #[tokio::test]
    async fn a_request_beyond_the_limit_waits_for_another_to_end() {
        let throttle = throttle(1);
        let first = throttle.enter().await;
        let other = throttle.clone();
        let second = tokio::spawn(async move { drop(other.enter().await) });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!second.is_finished());
        drop(first);
        tokio::time::timeout(Duration::from_secs(10), second).await.unwrap().unwrap();
    }
}
