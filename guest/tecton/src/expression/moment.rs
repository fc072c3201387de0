//! Timestamps in expressions, in microseconds, UTC.

use super::duration::Duration;
use super::scalar::{no_overload, out_of_range, scalar};
use cel::common::traits::{Adder, Comparer, Subtractor};
use cel::common::types::{CelInt, CelString, Kind, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use std::any::Any;
use std::cmp::Ordering;
use std::fmt;

/// A point in time in the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64);

/// Not the crate's own type of timestamps, whatever it is called: the crate may have functions
/// over that.
static MOMENT: Type = Type::simple_type(Kind::Timestamp, "google.protobuf.Timestamp");

const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_300_799_999_999;

impl Moment {
    /// From microseconds since the Unix epoch.
    pub(super) fn new(micros: i64) -> Option<Self> {
        (FIRST..=LAST).contains(&micros).then_some(Moment(micros))
    }

    /// The same, but the first or the last where the microseconds are beyond.
    pub(super) fn clamped(micros: i64) -> Self {
        Moment(micros.clamp(FIRST, LAST))
    }

    pub(super) fn micros(self) -> i64 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        Moment::new(beamlet_guest::contract::time::micros(text)?)
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
        let Some(utc) = DateTime::from_timestamp_micros(self.0) else { return Err(fmt::Error) };
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            utc.year(),
            utc.month(),
            utc.day(),
            utc.hour(),
            utc.minute(),
            utc.second()
        )?;
        match self.0.rem_euclid(1_000_000) {
            0 => f.write_str("Z"),
            fraction if fraction % 1000 == 0 => write!(f, ".{:03}Z", fraction / 1000),
            fraction => write!(f, ".{fraction:06}Z"),
        }
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
        let sum = self.0.checked_add(duration.micros()).and_then(Moment::new);
        sum.map(CowVal::owned).ok_or_else(|| out_of_range("timestamp"))
    }
}

impl Subtractor for Moment {
    fn sub<'b, 'v>(&'b self, other: &(dyn Val + 'v)) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        if let Some(moment) = other.downcast_ref::<Moment>() {
            return Ok(CowVal::owned(Duration::new(self.0 - moment.0)));
        }
        let Some(duration) = other.downcast_ref::<Duration>() else {
            return Err(no_overload("_-_", self, other));
        };
        let difference = self.0.checked_sub(duration.micros()).and_then(Moment::new);
        difference.map(CowVal::owned).ok_or_else(|| out_of_range("timestamp"))
    }
}

fn timestamp(text: &CelString<'_>) -> Result<Moment, ExecutionError> {
    let refused = || ExecutionError::function_error("timestamp", "is no RFC 3339");
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
                    || ExecutionError::function_error($name, "the time zone is no offset");
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

/// Registers what timestamps can do.
pub(super) fn register(env: &mut Env) -> Result<(), DeclarationError> {
    cel::add_overload!(env, fn timestamp: (CelString) -> Result<Moment>, name = "@timestamp")?;
    cel::add_overload!(env, fn timestamp_of_seconds: (CelInt) -> Result<Moment>,
        name = "@timestamp")?;
    cel::add_overload!(env, fn same: (Moment) -> Moment, name = "@timestamp")?;
    cel::add_overload!(env, fn text: (Moment) -> CelString, name = "string",
        id = "moment_to_string")?;
    cel::add_overload!(env, fn seconds: (Moment) -> CelInt, name = "int",
        id = "moment_to_int")?;
    register_parts(env)
}
