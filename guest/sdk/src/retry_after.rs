//! How long a server asks to wait: the header `retry-after`.

use std::time::{Duration, SystemTime};

/// The longest wait that is passed on. A server that asks for more is down for a while, and a
/// runner should look again before that.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The wait in milliseconds, of seconds or of a date.
pub(crate) fn read(value: &str, now: SystemTime) -> Option<u64> {
    let value = value.trim();
    let wait = if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        // So many digits that they are no number are a long time, too.
        value.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let at = httpdate::parse_http_date(value).ok()?;
        at.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(LONGEST).as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_a_long_wait_is_cut() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let cases = [
            ("0", Some(0)),
            (" 7 ", Some(7_000)),
            ("86400", Some(900_000)),
            ("99999999999999999999999", Some(900_000)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(900_000)),
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
