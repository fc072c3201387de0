//! A value as the answer's JSON has it: int64 as a decimal string, a struct as a positional array,
//! the special floats by name.

use super::{Value, timestamp_text};
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
}
