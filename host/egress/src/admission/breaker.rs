//! A circuit breaker: sends nothing to a store that is down, but for one request now and then.

use super::throttle::Outcome;
use crate::EgressError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tracing::{debug, info, warn};

/// When a store counts as down.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerOptions {
    /// The share of requests within the window that fail when it does.
    pub failure_rate: f64,
    /// How many requests there must be within the window before it may open.
    pub min_requests: u32,
    /// How far back requests count.
    pub window: Duration,
    /// How long nothing is sent to a store that is down.
    pub open: Duration,
}

/// Half of at least 20 requests within 10 s; 5 s.
impl Default for BreakerOptions {
    fn default() -> Self {
        BreakerOptions {
            failure_rate: 0.5,
            min_requests: 20,
            window: Duration::from_secs(10),
            open: Duration::from_secs(5),
        }
    }
}

crate::setters!(BreakerOptions {
    failure_rate: f64,
    min_requests: u32,
    window: Duration,
    open: Duration,
});

/// A circuit breaker: closed while the store is well, open while it is down, and half open while
/// one request tries.
pub(super) struct Breaker {
    options: BreakerOptions,
    state: Mutex<Phase>,
    /// Why the last request that failed did.
    last: Mutex<Arc<str>>,
    /// Notified when a trial has ended.
    tried: Notify,
}

enum Phase {
    Closed(Window),
    Open { until: Instant },
    HalfOpen,
}

/// The outcomes of the last while, a slice each.
#[derive(Default)]
struct Window(VecDeque<Slice>);

struct Slice {
    began: Instant,
    all: u32,
    failed: u32,
}

/// Into how many slices a window is cut.
const SLICES: u32 = 10;

impl Window {
    /// Notes an outcome; all and failed of the window.
    fn note(&mut self, failed: bool, window: Duration, now: Instant) -> (u32, u32) {
        while self.0.front().is_some_and(|slice| now - slice.began > window) {
            self.0.pop_front();
        }
        if self.0.back().is_none_or(|slice| now - slice.began > window / SLICES) {
            self.0.push_back(Slice { began: now, all: 0, failed: 0 });
        }
        if let Some(slice) = self.0.back_mut() {
            slice.all += 1;
            slice.failed += u32::from(failed);
        }
        self.0.iter().fold((0, 0), |sum, slice| (sum.0 + slice.all, sum.1 + slice.failed))
    }
}

impl Breaker {
    pub(super) fn new(options: BreakerOptions) -> Self {
        let state = Mutex::new(Phase::Closed(Window::default()));
        Breaker { options, state, last: Mutex::new("".into()), tried: Notify::new() }
    }

    /// Admits a request, unless the store is down. While another request tries it, waits for the
    /// outcome.
    pub(super) async fn enter(&self) -> Result<Trial<'_>, EgressError> {
        loop {
            let tried = self.tried.notified();
            {
                let now = Instant::now();
                let mut state = self.state();
                match &*state {
                    Phase::Closed(_) => {
                        return Ok(Trial { breaker: self, is_probe: false, ended: false });
                    }
                    Phase::Open { until } if now < *until => {
                        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
                        return Err(EgressError::Open { last });
                    }
                    Phase::Open { .. } => {
                        *state = Phase::HalfOpen;
                        debug!("the store is tried with one request");
                        return Ok(Trial { breaker: self, is_probe: true, ended: false });
                    }
                    Phase::HalfOpen => {}
                }
            }
            tried.await;
        }
    }

    /// Until when no request is admitted.
    pub(super) fn open_until(&self) -> Option<Instant> {
        match &*self.state() {
            Phase::Open { until } => Some(*until).filter(|until| Instant::now() < *until),
            Phase::Closed(_) | Phase::HalfOpen => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, Phase> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> Phase {
        Phase::Open { until: Instant::now() + self.options.open }
    }
}

/// An admitted request.
pub(super) struct Trial<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    ended: bool,
}

impl Trial<'_> {
    /// Notes how the request ended, and `why` where it failed.
    pub(super) fn ended(mut self, outcome: Outcome, why: impl FnOnce() -> String) {
        self.ended = true;
        let breaker = self.breaker;
        // A store that throttles is up.
        let failed = matches!(outcome, Outcome::Overloaded | Outcome::Failing);
        if failed {
            *breaker.last.lock().unwrap_or_else(PoisonError::into_inner) = why().into();
        }
        let mut state = breaker.state();
        if self.is_probe {
            *state = if failed { breaker.opened() } else { Phase::Closed(Window::default()) };
            match failed {
                true => info!("the store is still down: no request is sent to it for a while"),
                false => info!("the store is up again"),
            }
            breaker.tried.notify_waiters();
            return;
        }
        let options = &breaker.options;
        if let Phase::Closed(window) = &mut *state {
            let (all, failed) = window.note(failed, options.window, Instant::now());
            let rate = f64::from(failed) / f64::from(all.max(1));
            if all >= options.min_requests && rate >= options.failure_rate {
                warn!(
                    requests = all,
                    failed, "the store is down: no request is sent to it for a while"
                );
                *state = breaker.opened();
            }
        }
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        // A probe that was dropped shows nothing: the next request is the probe.
        if self.is_probe && !self.ended {
            *self.breaker.state() = Phase::Open { until: Instant::now() };
            self.breaker.tried.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(open_ms: u64) -> Breaker {
        Breaker::new(BreakerOptions {
            min_requests: 4,
            open: Duration::from_millis(open_ms),
            ..BreakerOptions::default()
        })
    }

    async fn request(breaker: &Breaker, outcome: Outcome) {
        breaker.enter().await.unwrap().ended(outcome, || "status 500".to_owned());
    }

    async fn fail(breaker: &Breaker, times: usize) {
        for _ in 0..times {
            request(breaker, Outcome::Failing).await;
        }
    }

    #[tokio::test]
    async fn it_opens_when_half_of_enough_requests_fail() {
        let breaker = breaker(60_000);
        request(&breaker, Outcome::Well).await;
        request(&breaker, Outcome::Well).await;
        fail(&breaker, 1).await;
        assert!(breaker.open_until().is_none());
        fail(&breaker, 1).await;
        let refused = breaker.enter().await.err().map(|error| error.to_string());
        let message = "the circuit breaker is open, as too many requests failed; the last of them: status 500";
        assert_eq!(refused.as_deref(), Some(message));
    }

    #[tokio::test]
    async fn a_few_requests_do_not_open_it() {
        let breaker = breaker(60_000);
        fail(&breaker, 3).await;
        assert!(breaker.open_until().is_none());
    }

    #[tokio::test]
    async fn one_request_tries_and_the_others_wait_for_its_outcome() {
        let breaker = std::sync::Arc::new(breaker(1));
        fail(&breaker, 4).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let probe = breaker.enter().await.unwrap();
        let other = breaker.clone();
        let waiting = tokio::spawn(async move { other.enter().await.map(drop) });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!waiting.is_finished());
        probe.ended(Outcome::Well, String::new);
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_trial_that_fails_opens_it_again() {
        let breaker = breaker(30);
        fail(&breaker, 4).await;
        tokio::time::sleep(Duration::from_millis(40)).await;
        request(&breaker, Outcome::Failing).await;
        assert!(matches!(breaker.enter().await, Err(EgressError::Open { .. })));
    }

    #[tokio::test]
    async fn a_trial_that_is_dropped_makes_way_for_the_next() {
        let breaker = breaker(1);
        fail(&breaker, 4).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(breaker.enter().await.unwrap());
        request(&breaker, Outcome::Well).await;
        assert!(breaker.open_until().is_none());
    }
}
