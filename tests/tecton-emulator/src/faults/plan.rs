//! The faults of a running emulator: which one, if any, the next request gets, and how late
//! answers are.

use std::f64::consts::TAU;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Fault, FaultAnswer, When};
use crate::endpoint::Endpoint;

/// The faults, each with its progress.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    faults: Vec<(Fault, Progress)>,
    /// For random delays of answers.
    times: Mutex<fastrand::Rng>,
}

#[derive(Debug)]
enum Progress {
    Seen(AtomicU64),
    Drawn(Mutex<fastrand::Rng>),
}

impl FaultPlan {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        let with_progress = |fault: Fault| {
            let progress = Progress::of(fault.when);
            (fault, progress)
        };
        let times = Mutex::new(fastrand::Rng::with_seed(faults.len() as u64));
        Self { faults: faults.into_iter().map(with_progress).collect(), times }
    }

    /// The same faults from their beginning.
    pub(crate) fn anew(&self) -> Self {
        Self::new(self.faults.iter().map(|(fault, _)| fault.clone()).collect())
    }

    /// What the next request to `endpoint` gets instead of its answer.
    pub(crate) fn next(&self, endpoint: Endpoint) -> Option<FaultAnswer> {
        let applies = |fault: &Fault| fault.endpoint.is_none_or(|only| only == endpoint);
        let mut faults = self.faults.iter().filter(|(fault, _)| applies(fault));
        let (fault, _) = faults.find(|(fault, progress)| progress.fires(fault.when))?;
        Some(match &fault.answer {
            FaultAnswer::Late(lateness) => {
                let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
                FaultAnswer::Hang(lateness.draw(&mut times))
            }
            other => other.clone(),
        })
    }
}

impl Progress {
    fn of(when: When) -> Self {
        match when {
            When::Rate { seed, .. } => Self::Drawn(Mutex::new(fastrand::Rng::with_seed(seed))),
            When::First(_) | When::Every => Self::Seen(AtomicU64::new(0)),
        }
    }

    fn fires(&self, when: When) -> bool {
        match (self, when) {
            (Self::Seen(seen), When::First(count)) => seen.fetch_add(1, Ordering::Relaxed) < count,
            (Self::Drawn(generator), When::Rate { share, .. }) => {
                let mut generator = generator.lock().unwrap_or_else(PoisonError::into_inner);
                generator.f64() < share
            }
            _ => true,
        }
    }
}

/// A log-normal distribution of times, by two of its quantiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lateness {
    /// Half of the times are shorter.
    pub median: Duration,
    /// One time of a hundred is longer.
    pub p99: Duration,
}

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874;

impl Lateness {
    /// Draws a time.
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

    fn drawn(plan: &FaultPlan, requests: usize) -> Vec<bool> {
        (0..requests).map(|_| plan.next(Endpoint::GetFeatures).is_some()).collect()
    }

    #[test]
    fn first_faults_follow_one_another() {
        let plan = FaultPlan::new(vec![
            Fault::first(1, FaultAnswer::Reset),
            Fault::first(1, FaultAnswer::NotJson),
        ]);
        assert_eq!(plan.next(Endpoint::Metadata), Some(FaultAnswer::Reset));
        assert_eq!(plan.next(Endpoint::Metadata), Some(FaultAnswer::NotJson));
        assert_eq!(plan.next(Endpoint::Metadata), None);
        assert_eq!(plan.anew().next(Endpoint::Metadata), Some(FaultAnswer::Reset));
    }

    #[test]
    fn a_fault_of_one_endpoint_leaves_the_others_alone() {
        let plan =
            FaultPlan::new(vec![Fault::every(FaultAnswer::Reset).on(Endpoint::GetFeaturesBatch)]);
        assert_eq!(plan.next(Endpoint::GetFeatures), None);
        assert!(plan.next(Endpoint::GetFeaturesBatch).is_some());
    }

    #[test]
    fn a_seed_draws_the_same_sequence_and_about_its_share() {
        let plan = FaultPlan::new(vec![Fault::rate(0.25, 7, FaultAnswer::Reset)]);
        let first = drawn(&plan, 10_000);
        assert_eq!(first, drawn(&plan.anew(), 10_000));
        let share = first.iter().filter(|drawn| **drawn).count();
        assert!((2_200..2_800).contains(&share), "{share}");
    }

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
