//! Durations in expressions, in microseconds.

use super::moment::Moment;
use super::scalar::{no_overload, out_of_range, scalar};
use cel::common::traits::{Adder, Comparer, Subtractor};
use cel::common::types::{CelInt, CelString, Kind, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use std::any::Any;
use std::cmp::Ordering;

/// A length of time, perhaps below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Duration(i64);

/// Not the crate's own type of durations: see [`Moment`].
static DURATION: Type = Type::simple_type(Kind::Duration, "google.protobuf.Duration");

impl Duration {
    pub(super) fn new(micros: i64) -> Self {
        Duration(micros)
    }

    pub(super) fn micros(self) -> i64 {
        self.0
    }

    /// Numbers with units, such as `1h30m` or `-1.5s`.
    fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if unsigned == "0" {
            return Some(Duration(0));
        }
        let mut rest = unsigned;
        let mut micros = 0_f64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, behind) = rest.split_at(digits);
            let letters = behind.find(|c: char| c.is_ascii_digit() || c == '.');
            let (unit, next) = behind.split_at(letters.unwrap_or(behind.len()));
            let unit = match unit {
                "h" => 3.6e9,
                "m" => 6e7,
                "s" => 1e6,
                "ms" => 1e3,
                "us" | "µs" => 1.0,
                "ns" => 1e-3,
                _ => return None,
            };
            micros += number.parse::<f64>().ok()? * unit;
            rest = next;
        }
        // 10,000 years, as CEL has it, and far from where a double is not exact.
        if unsigned.is_empty() || micros.is_nan() || micros >= 3.155_76e17 {
            return None;
        }
        let micros = micros as i64;
        Some(Duration(if text.starts_with('-') { -micros } else { micros }))
    }
}

scalar!(Duration, DURATION);

impl Adder for Duration {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        if let Some(moment) = other.downcast_ref::<Moment>() {
            let sum = moment.micros().checked_add(self.0).and_then(Moment::new);
            return sum.map(CowVal::owned).ok_or_else(|| out_of_range("timestamp"));
        }
        let Some(duration) = other.downcast_ref::<Duration>() else {
            return Err(no_overload("_+_", self, other));
        };
        let sum = self.0.checked_add(duration.0).map(Duration);
        sum.map(CowVal::owned).ok_or_else(|| out_of_range("duration"))
    }
}

impl Subtractor for Duration {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(duration) = other.downcast_ref::<Duration>() else {
            return Err(no_overload("_-_", self, other));
        };
        let difference = self.0.checked_sub(duration.0).map(Duration);
        difference.map(CowVal::owned).ok_or_else(|| out_of_range("duration"))
    }
}

fn duration(text: &CelString<'_>) -> Result<Duration, ExecutionError> {
    let refused = || ExecutionError::function_error("duration", "is no duration");
    Duration::parse(text.inner()).ok_or_else(refused)
}

fn hours(duration: &Duration) -> CelInt {
    (duration.0 / 3_600_000_000).into()
}

fn minutes(duration: &Duration) -> CelInt {
    (duration.0 / 60_000_000).into()
}

fn seconds(duration: &Duration) -> CelInt {
    (duration.0 / 1_000_000).into()
}

fn milliseconds(duration: &Duration) -> CelInt {
    (duration.0 / 1_000).into()
}

/// Registers what durations can do.
pub(super) fn register(env: &mut Env) -> Result<(), DeclarationError> {
    cel::add_overload!(env, fn duration: (CelString) -> Result<Duration>, name = "@duration")?;
    cel::add_member_overload!(env, fn hours: (Duration) -> CelInt, name = "getHours")?;
    cel::add_member_overload!(env, fn minutes: (Duration) -> CelInt, name = "getMinutes")?;
    cel::add_member_overload!(env, fn seconds: (Duration) -> CelInt, name = "getSeconds")?;
    cel::add_member_overload!(env, fn milliseconds: (Duration) -> CelInt,
        name = "getMilliseconds")?;
    Ok(())
}
