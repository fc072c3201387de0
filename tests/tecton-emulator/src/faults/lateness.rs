//! How late answers are, as stores are late: most of them little, a few of them much.

use std::f64::consts::TAU;
use std::time::Duration;

/// A log-normal distribution of times, by two of its quantiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lateness {
    /// Half of the times are shorter.
    pub median: Duration,
    /// One time of a hundred is longer.
    pub p99: Duration,
}

/// Where 99 % of a standard normal distribution lie below.
const Z99: f64 = 2.326_347_874;

impl Lateness {
    /// A time.
    pub(super) fn draw(self, generator: &mut fastrand::Rng) -> Duration {
        let (median, p99) = (self.median.as_secs_f64(), self.p99.as_secs_f64());
        if median <= 0.0 || p99 <= median {
            return self.median;
        }
        // Box and Muller: two even draws give one that is normal.
        let (radius, angle) = (1.0 - generator.f64(), generator.f64());
        let normal = (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos();
        Duration::from_secs_f64(median * (normal * (p99 / median).ln() / Z99).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_times_are_shorter_than_the_median_and_one_of_a_hundred_is_longer_than_the_p99() {
        let lateness =
            Lateness { median: Duration::from_millis(7), p99: Duration::from_millis(29) };
        let mut generator = fastrand::Rng::with_seed(1);
        let times: Vec<_> = (0..100_000).map(|_| lateness.draw(&mut generator)).collect();
        let longer = |than| times.iter().filter(|time| **time > than).count();
        assert!((49_000..51_000).contains(&longer(lateness.median)));
        assert!((850..1_150).contains(&longer(lateness.p99)));
    }

    #[test]
    fn quantiles_that_are_one_are_one_time() {
        let lateness = Lateness { median: Duration::from_millis(5), p99: Duration::from_millis(5) };
        assert_eq!(lateness.draw(&mut fastrand::Rng::new()), Duration::from_millis(5));
    }
}
