//! When a row that failed is asked for again: after a wait that grows, and within a budget.

use super::options::RetryOptions;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tower::retry::budget::{Budget as _, TpsBudget};

/// The wait after the `attempt`th attempt, from 1: exponential, with full jitter, so that rows
/// that failed together are not asked for together again. (AWS, "Exponential Backoff And Jitter".)
pub(super) fn wait(options: &RetryOptions, attempt: u32) -> Duration {
    longest(options, attempt).mul_f64(fastrand::f64())
}

fn longest(options: &RetryOptions, attempt: u32) -> Duration {
    let doubled = options.backoff.saturating_mul(1 << (attempt - 1).min(20));
    doubled.min(options.max_backoff)
}

/// How long traffic counts towards the budget.
const WINDOW: Duration = Duration::from_secs(10);
/// How long to wait before the budget is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How many rows may be asked for again: a share of all traffic, so that a store that fails does not get
/// several times the requests of one that works.
pub(super) struct Budget(TpsBudget);

impl Budget {
    pub(super) fn new(options: &RetryOptions) -> Self {
        Budget(TpsBudget::new(WINDOW, options.min_per_second, options.budget))
    }

    /// Counts rows that are asked for the first time.
    pub(super) fn deposit(&self, rows: usize) {
        (0..rows).for_each(|_| self.0.deposit());
    }

    /// Waits until as many rows may be asked for again; `false` where that is not before the deadline.
    /// Rows that are asked for the first time meanwhile add to the budget.
    pub(super) async fn withdraw(&self, rows: usize, deadline: Instant) -> bool {
        let mut left = rows;
        loop {
            while left > 0 && self.0.withdraw() {
                left -= 1;
            }
            if left == 0 {
                return true;
            }
            if Instant::now() + LOOK_AGAIN >= deadline {
                return false;
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_doubles_up_to_its_limit() {
        let options = RetryOptions {
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_millis(500),
            ..RetryOptions::default()
        };
        let longest = [1, 2, 3, 4, 40].map(|attempt| longest(&options, attempt).as_millis());
        assert_eq!(longest, [100, 200, 400, 500, 500]);
    }

    #[test]
    fn the_wait_is_drawn_evenly_from_nothing_to_the_longest() {
        let options = RetryOptions::default();
        let waits: Vec<f64> = (0..2000).map(|_| wait(&options, 1).as_secs_f64()).collect();
        assert!(waits.iter().all(|wait| (0.0..=0.1).contains(wait)));
        let mean = waits.iter().sum::<f64>() / 2000.0;
        assert!((0.045..0.055).contains(&mean), "{mean}");
    }

    fn budget(share: f32, min_per_second: u32) -> Budget {
        Budget::new(&RetryOptions { budget: share, min_per_second, ..RetryOptions::default() })
    }

    #[tokio::test]
    async fn a_fifth_of_the_traffic_may_be_asked_for_again() {
        let budget = budget(0.2, 0);
        budget.deposit(1000);
        assert!(budget.withdraw(200, Instant::now()).await);
        assert!(!budget.withdraw(1, Instant::now()).await);
    }

    #[tokio::test]
    async fn a_retry_beyond_the_budget_waits_for_traffic() {
        let budget = std::sync::Arc::new(budget(0.5, 0));
        let other = budget.clone();
        let later = tokio::spawn(async move {
            sleep(Duration::from_millis(50)).await;
            other.deposit(100);
        });
        assert!(budget.withdraw(10, Instant::now() + Duration::from_secs(30)).await);
        later.await.unwrap();
    }

    #[tokio::test]
    async fn a_run_that_has_just_begun_may_ask_again_all_the_same() {
        assert!(budget(0.0, 10).withdraw(50, Instant::now()).await);
    }
}
