//! Timestamps and durations in expressions, both in microseconds.
//!
//! They are values of their own: the types of the `cel` crate need time zones, which add 1 MB.

use crate::contract::time;
use crate::datum::MICROS;
use cel::common::traits::{Adder, Comparer, Subtractor};
use cel::common::types::{CelInt, CelString, Kind, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use std::any::Any;
use std::cmp::Ordering;
use std::fmt;

/// Makes a value of a number that has a static [`Type`].
macro_rules! scalar {
    ($value:ident, $type:ident) => {
        impl Val for $value {
            fn get_type(&self) -> &Type {
                &$type
            }

            fn cel_type() -> &'static Type {
                &$type
            }

            fn as_adder<'b, 'v>(&'b self) -> Option<&'b (dyn Adder + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }

            fn as_subtractor<'b, 'v>(&'b self) -> Option<&'b (dyn Subtractor + 'v)>
            where
                Self: 'v,
            {
                Some(self)
            }

            fn as_comparer(&self) -> Option<&dyn Comparer> {
                Some(self)
            }

            fn equals(&self, other: &dyn Val) -> bool {
                other.downcast_ref::<$value>() == Some(self)
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
            where
                Self: 'v,
            {
                Box::new(*self)
            }

            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }
        }

        impl StaticVal for $value {}

        impl Comparer for $value {
            fn compare(&self, other: &dyn Val) -> Result<Ordering, ExecutionError> {
                let same = other.downcast_ref::<$value>();
                same.map(|other| self.cmp(other)).ok_or_else(|| no_overload("_<_", self, other))
            }
        }
    };
}
fn no_overload(name: &str, left: &dyn Val, right: &dyn Val) -> ExecutionError {
    let types = [left, right].map(|value| value.get_type().name().to_owned());
    ExecutionError::no_such_overload(name, types.into())
}

fn out_of_range(name: &str) -> ExecutionError {
    ExecutionError::function_error(name, "integer overflow")
}

/// A point in time in the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64);

/// Not the type of timestamps of the `cel` crate: another crate of the same build can switch on
/// the functions that the `cel` crate has for its own type.
static MOMENT: Type = Type::simple_type(Kind::Timestamp, "google.protobuf.Timestamp");

impl Moment {
    /// From microseconds since the Unix epoch.
    pub(super) fn new(micros: i64) -> Option<Self> {
        MICROS.contains(&micros).then_some(Moment(micros))
    }

    /// The same, but the first or the last where the microseconds are beyond.
    pub(super) fn clamped(micros: i64) -> Self {
        Moment(micros.clamp(*MICROS.start(), *MICROS.end()))
    }

    pub(super) fn micros(self) -> i64 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        Moment::new(time::micros(text)?)
    }

    /// In a time zone, given as an offset such as `+02:00`, or `UTC`.
    fn at(self, zone: &str) -> Option<DateTime<FixedOffset>> {
        let utc = DateTime::from_timestamp_micros(self.0)?;
        let offset = match zone {
            "" | "UTC" | "Z" => 0,
            zone => {
                let (hours, minutes) = zone.split_once(':')?;
                let unsigned = hours.strip_prefix(['+', '-']).unwrap_or(hours);
                let (hours, minutes): (i32, i32) = (unsigned.parse().ok()?, minutes.parse().ok()?);
                if !(0..24).contains(&hours) || !(0..60).contains(&minutes) {
                    return None;
                }
                let seconds = (hours * 60 + minutes) * 60;
                if zone.starts_with('-') { -seconds } else { seconds }
            }
        };
        Some(utc.with_timezone(&FixedOffset::east_opt(offset)?))
    }
}

/// RFC 3339, with as many digits of a second as are needed.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&time::timestamp(self.0).ok_or(fmt::Error)?)
    }
}

scalar!(Moment, MOMENT);

impl Adder for Moment {
    fn add<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(duration) = other.downcast_ref::<Duration>() else {
            return Err(no_overload("_+_", self, other));
        };
        let sum = self.0.checked_add(duration.0).and_then(Moment::new);
        sum.map(CowVal::owned).ok_or_else(|| out_of_range("timestamp"))
    }
}

impl Subtractor for Moment {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        if let Some(moment) = other.downcast_ref::<Moment>() {
            return Ok(CowVal::owned(Duration(self.0 - moment.0)));
        }
        let Some(duration) = other.downcast_ref::<Duration>() else {
            return Err(no_overload("_-_", self, other));
        };
        let difference = self.0.checked_sub(duration.0).and_then(Moment::new);
        difference.map(CowVal::owned).ok_or_else(|| out_of_range("timestamp"))
    }
}

fn timestamp(text: &CelString<'_>) -> Result<Moment, ExecutionError> {
    let refused = || ExecutionError::function_error("timestamp", "is not RFC 3339");
    Moment::parse(text.inner()).ok_or_else(refused)
}

fn timestamp_of_seconds(seconds: &CelInt) -> Result<Moment, ExecutionError> {
    let micros = seconds.inner().checked_mul(1_000_000);
    micros.and_then(Moment::new).ok_or_else(|| out_of_range("timestamp"))
}

fn same(moment: &Moment) -> Moment {
    *moment
}

fn text(moment: &Moment) -> CelString<'static> {
    CelString::from(moment.to_string())
}

fn seconds(moment: &Moment) -> CelInt {
    moment.0.div_euclid(1_000_000).into()
}

/// A part of a timestamp: without a time zone in UTC, and with one.
macro_rules! parts {
    ($($name:literal, $utc:ident, $zoned:ident, $at:ident => $part:expr;)*) => {
        $(
            fn $utc(moment: &Moment) -> Result<CelInt, ExecutionError> {
                $zoned(moment, &CelString::from(""))
            }

            fn $zoned(moment: &Moment, zone: &CelString<'_>) -> Result<CelInt, ExecutionError> {
                let refused =
                    || ExecutionError::function_error($name, "the time zone is not an offset");
                let $at = moment.at(zone.inner()).ok_or_else(refused)?;
                Ok(CelInt::from(i64::from($part)))
            }
        )*

        fn register_parts(env: &mut Env) -> Result<(), DeclarationError> {
            $(
                cel::add_member_overload!(env, fn $utc: (Moment) -> Result<CelInt>, name = $name)?;
                cel::add_member_overload!(
                    env, fn $zoned: (Moment, CelString) -> Result<CelInt>, name = $name
                )?;
            )*
            Ok(())
        }
    };
}

parts! {
    "getFullYear", full_year, full_year_in, at => at.year();
    "getMonth", month, month_in, at => at.month0();
    "getDate", date, date_in, at => at.day();
    "getDayOfMonth", day_of_month, day_of_month_in, at => at.day0();
    "getDayOfYear", day_of_year, day_of_year_in, at => at.ordinal0();
    "getDayOfWeek", day_of_week, day_of_week_in, at => at.weekday().num_days_from_sunday();
    "getHours", hours, hours_in, at => at.hour();
    "getMinutes", minutes, minutes_in, at => at.minute();
    "getSeconds", second, second_in, at => at.second();
    "getMilliseconds", milliseconds, milliseconds_in, at => at.timestamp_subsec_millis();
}

/// Registers the functions of timestamps and durations.
pub(super) fn register(env: &mut Env) -> Result<(), DeclarationError> {
    cel::add_overload!(env, fn timestamp: (CelString) -> Result<Moment>, name = "@timestamp")?;
    cel::add_overload!(env, fn timestamp_of_seconds: (CelInt) -> Result<Moment>,
        name = "@timestamp")?;
    cel::add_overload!(env, fn same: (Moment) -> Moment, name = "@timestamp")?;
    cel::add_overload!(env, fn text: (Moment) -> CelString, name = "string",
        id = "moment_to_string")?;
    cel::add_overload!(env, fn seconds: (Moment) -> CelInt, name = "int",
        id = "moment_to_int")?;
    register_parts(env)?;
    register_durations(env)
}

/// A length of time, perhaps below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Duration(i64);

/// Not the type of durations of the `cel` crate: see [`MOMENT`].
static DURATION: Type = Type::simple_type(Kind::Duration, "google.protobuf.Duration");

impl Duration {
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
            let sum = moment.0.checked_add(self.0).and_then(Moment::new);
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
    let refused = || ExecutionError::function_error("duration", "is not a duration");
    Duration::parse(text.inner()).ok_or_else(refused)
}

fn duration_hours(duration: &Duration) -> CelInt {
    (duration.0 / 3_600_000_000).into()
}

fn duration_minutes(duration: &Duration) -> CelInt {
    (duration.0 / 60_000_000).into()
}

fn duration_seconds(duration: &Duration) -> CelInt {
    (duration.0 / 1_000_000).into()
}

fn duration_milliseconds(duration: &Duration) -> CelInt {
    (duration.0 / 1_000).into()
}

/// Registers the functions of durations.
fn register_durations(env: &mut Env) -> Result<(), DeclarationError> {
    cel::add_overload!(env, fn duration: (CelString) -> Result<Duration>, name = "@duration")?;
    cel::add_member_overload!(env, fn duration_hours: (Duration) -> CelInt, name = "getHours")?;
    cel::add_member_overload!(env, fn duration_minutes: (Duration) -> CelInt, name = "getMinutes")?;
    cel::add_member_overload!(env, fn duration_seconds: (Duration) -> CelInt, name = "getSeconds")?;
    cel::add_member_overload!(env, fn duration_milliseconds: (Duration) -> CelInt,
        name = "getMilliseconds")?;
    Ok(())
}
