//! How long to wait before another attempt.

use super::super::options::RetryOptions;
use std::time::Duration;

/// The wait after the `attempt`th attempt, from 1: exponential, with full jitter, so that rows
/// that failed together do not come back together. (AWS, "Exponential Backoff And Jitter".)
pub(in crate::enrich) fn wait(options: &RetryOptions, attempt: u32) -> Duration {
    longest(options, attempt).mul_f64(fastrand::f64())
}

fn longest(options: &RetryOptions, attempt: u32) -> Duration {
    let doubled = options.backoff.saturating_mul(1 << (attempt - 1).min(20));
    doubled.min(options.max_backoff)
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
}
