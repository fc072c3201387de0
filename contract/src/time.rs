//! Moments and days in JSON: RFC 3339 in UTC, and ISO 8601.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat};

/// A moment in microseconds since the Unix epoch, as RFC 3339 in UTC, with as many groups of three
/// fraction digits as it has; `None` outside of the years 0 to 9999.
pub fn timestamp(micros: i64) -> Option<String> {
    let moment = DateTime::from_timestamp_micros(micros)?;
    let has_text = (0..=9999).contains(&moment.year());
    has_text.then(|| moment.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// A day since the Unix epoch, as `2024-02-29`; `None` outside of the years 0 to 9999.
pub fn date(days: i32) -> Option<String> {
    let date = NaiveDate::from_epoch_days(days)?;
    (0..=9999).contains(&date.year()).then(|| date.to_string())
}

/// Whether a text is an RFC 3339 timestamp.
pub fn is_timestamp(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
}

/// Microseconds since the Unix epoch, of RFC 3339; `None` where it is finer than that.
pub fn micros(text: &str) -> Option<i64> {
    micros_cut(text).filter(|_| !is_finer(text))
}

/// The same, truncated where it is finer.
pub fn micros_cut(text: &str) -> Option<i64> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())
}

/// Days since the Unix epoch, of `2024-02-29`.
pub fn date_of(text: &str) -> Option<i32> {
    let is_iso = text.len() == 10 && text.as_bytes()[0].is_ascii_digit();
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_iso)?;
    Some(date.to_epoch_days())
}

/// Whether a timestamp has digits behind its microseconds that are not 0.
fn is_finer(timestamp: &str) -> bool {
    let fraction = timestamp.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit);
    digits.skip(6).any(|digit| digit != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_days_read_back() {
        assert_eq!(timestamp(1_500).as_deref(), Some("1970-01-01T00:00:00.001500Z"));
        for micros in [0, -1, 1_700_000_000_123_456, 253_402_300_799_999_999] {
            assert_eq!(timestamp(micros).and_then(|text| super::micros(&text)), Some(micros));
        }
        // RFC 3339 has years of four digits.
        assert_eq!((timestamp(253_402_300_800_000_000), timestamp(i64::MAX)), (None, None));
        assert_eq!(date(19_782).as_deref(), Some("2024-02-29"));
        assert_eq!(date(i32::MAX), None);
    }

    #[test]
    fn a_moment_is_told_in_microseconds_or_not_at_all() {
        assert_eq!(micros("1970-01-01T00:00:00.000001Z"), Some(1));
        assert_eq!(micros("1970-01-01T01:00:00.0000010000+01:00"), Some(1));
        assert_eq!(micros("1970-01-01T00:00:00.0000015Z"), None);
        assert_eq!(micros_cut("1970-01-01T00:00:00.0000015Z"), Some(1));
        assert_eq!(micros("1970-01-01"), None);
    }

    #[test]
    fn a_day_is_four_digits_two_and_two() {
        assert_eq!(date_of("1970-01-02"), Some(1));
        assert_eq!(date_of("1969-12-31"), Some(-1));
        assert_eq!(date_of("2024-02-29"), Some(19_782));
        for text in ["2023-02-29", "2023-2-9", "+2023-02-1", "2023-02-01T00:00:00Z", ""] {
            assert_eq!(date_of(text), None, "{text}");
        }
    }
}
