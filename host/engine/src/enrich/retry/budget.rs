//! How many rows may be asked for again: a share of all traffic, so that a store that fails is
//! not asked several times as much as one that is well.

use super::super::options::RetryOptions;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tower::retry::budget::{Budget as _, TpsBudget};

/// How far back traffic counts.
const WINDOW: Duration = Duration::from_secs(10);
/// How long to wait before looking for room again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Retries that are left.
pub(in crate::enrich) struct Budget(TpsBudget);

impl Budget {
    pub(in crate::enrich) fn new(options: &RetryOptions) -> Self {
        Budget(TpsBudget::new(WINDOW, options.min_per_second, options.budget))
    }

    /// Notes rows that are asked for the first time.
    pub(in crate::enrich) fn deposit(&self, rows: usize) {
        (0..rows).for_each(|_| self.0.deposit());
    }

    /// Waits until as many rows may be asked for again; `false` where that is not before the
    /// deadline. A store that is well again makes room by answering others.
    pub(in crate::enrich) async fn withdraw(&self, rows: usize, deadline: Instant) -> bool {
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
