//! How long a server asks to wait: the header `retry-after`.

use std::time::SystemTime;

/// The wait in milliseconds, of seconds or of a date: all of it, as whoever retries has a deadline
/// of its own.
pub(crate) fn read(value: &str, now: SystemTime) -> Option<u64> {
    let value = value.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        // So many digits that they are no number are a long time, too.
        return Some(value.parse().unwrap_or(u64::MAX).saturating_mul(1000));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let wait = at.duration_since(now).unwrap_or_default();
    Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_however_long_the_wait_is() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let cases = [
            ("0", Some(0)),
            (" 7 ", Some(7_000)),
            ("3600", Some(3_600_000)),
            ("86400", Some(86_400_000)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(3_155_757_023_000)),
            ("-3", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ];
        for (value, wait) in cases {
            assert_eq!(read(value, now), wait, "{value}");
        }
    }
}
