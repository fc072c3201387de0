//! So many requests a second.

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;

/// Gives turns, evenly over the second.
pub(super) struct Rate(DefaultDirectRateLimiter);

impl Rate {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        // Without a burst: a whole second's requests at once are what a limit is there against.
        Rate(RateLimiter::direct(Quota::per_second(per_second).allow_burst(NonZeroU32::MIN)))
    }

    pub(super) async fn turn(&self) {
        self.0.until_ready().await;
    }
}
