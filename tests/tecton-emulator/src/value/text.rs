//! Values as the JSON text of answers, and timestamps as text in both directions.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Timelike, Utc};

use super::{NotOfType, Value};
use crate::json::quote;

/// Appends the JSON of `value`.
pub(crate) fn write_wire(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Int64(number) => {
            out.push('"');
            out.push_str(itoa::Buffer::new().format(*number));
            out.push('"');
        }
        // Debug is the shortest text that reads back, with an exponent where that is shorter.
        Value::Float32(number) => write_float(f64::from(*number), &format!("{number:?}"), out),
        Value::Float64(number) => write_float(*number, &format!("{number:?}"), out),
        Value::Boolean(true) => out.push_str("true"),
        Value::Boolean(false) => out.push_str("false"),
        Value::String(text) => out.push_str(&quote(text)),
        Value::Timestamp(moment) => out.push_str(&quote(&timestamp_text(moment))),
        Value::Array(elements) => write_list(elements.iter(), out),
        Value::Struct(fields) => write_list(fields.iter().map(|(_, value)| value), out),
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&quote(key));
                out.push(':');
                write_wire(value, out);
            }
            out.push('}');
        }
    }
}

fn write_list<'v>(values: impl Iterator<Item = &'v Value>, out: &mut String) {
    out.push('[');
    for (index, value) in values.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_wire(value, out);
    }
    out.push(']');
}

/// Tecton writes a whole float as an integer: `0`, not `0.0`.
fn write_float(number: f64, text: &str, out: &mut String) {
    match beamlet_contract::number::name(number) {
        Some(name) => out.push_str(&quote(name)),
        None => out.push_str(text.strip_suffix(".0").unwrap_or(text)),
    }
}

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

    fn wire(value: Value) -> String {
        let mut out = String::new();
        write_wire(&value, &mut out);
        out
    }

    #[test]
    fn an_int64_is_a_decimal_string() {
        assert_eq!(wire(Value::Int64(i64::MIN)), r#""-9223372036854775808""#);
    }

    #[test]
    fn a_whole_float_is_written_as_an_integer() {
        assert_eq!(wire(Value::Float64(0.0)), "0");
        assert_eq!(wire(Value::Float64(1.5)), "1.5");
        assert_eq!(wire(Value::Float64(1e300)), "1e300");
    }

    #[test]
    fn a_float32_has_no_more_digits_than_it_needs() {
        assert_eq!(wire(Value::Float32(0.1)), "0.1");
    }

    #[test]
    fn special_floats_are_named() {
        assert_eq!(wire(Value::Float64(f64::NAN)), r#""NaN""#);
        assert_eq!(wire(Value::Float32(f32::NEG_INFINITY)), r#""-Infinity""#);
    }

    #[test]
    fn a_struct_is_positional_and_a_map_an_object() {
        let pair = vec![("a".to_owned(), Value::Null), ("b".to_owned(), Value::Boolean(true))];
        assert_eq!(wire(Value::Struct(pair.clone())), "[null,true]");
        assert_eq!(wire(Value::Map(pair)), r#"{"a":null,"b":true}"#);
    }

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
