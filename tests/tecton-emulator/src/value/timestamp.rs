//! Timestamps: ISO 8601 in, `2025-01-31T12:00:00[.ffffff]Z` out.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Timelike, Utc};

use super::NotOfType;

/// Reads ISO 8601; what names no zone is UTC, a date alone is its midnight.
pub(crate) fn read_timestamp(text: &str) -> Result<DateTime<Utc>, NotOfType> {
    if let Ok(found) = DateTime::parse_from_rfc3339(text) {
        return Ok(found.to_utc());
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Ok(found) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(found.and_utc());
        }
    }
    match text.parse::<NaiveDate>() {
        Ok(found) => Ok(found.and_time(chrono::NaiveTime::MIN).and_utc()),
        Err(_) => Err(NotOfType),
    }
}

/// The wire's text: microseconds only where there are any.
pub(crate) fn timestamp_text(moment: &DateTime<Utc>) -> String {
    let format = match moment.nanosecond() / 1_000 {
        0 => SecondsFormat::Secs,
        _ => SecondsFormat::Micros,
    };
    moment.to_rfc3339_opts(format, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &str) -> String {
        timestamp_text(&read_timestamp(text).unwrap())
    }

    #[test]
    fn every_spelling_comes_out_in_utc_with_a_z() {
        assert_eq!(through("2025-01-31T12:00:00Z"), "2025-01-31T12:00:00Z");
        assert_eq!(through("2025-01-31T12:00:00+02:00"), "2025-01-31T10:00:00Z");
        assert_eq!(through("2025-01-31 12:00:00"), "2025-01-31T12:00:00Z");
        assert_eq!(through("2025-01-31"), "2025-01-31T00:00:00Z");
    }

    #[test]
    fn microseconds_are_written_where_there_are_any() {
        assert_eq!(through("2025-01-31T12:00:00.25Z"), "2025-01-31T12:00:00.250000Z");
    }

    #[test]
    fn other_text_is_no_timestamp() {
        assert_eq!(read_timestamp("yesterday"), Err(NotOfType));
    }
}
