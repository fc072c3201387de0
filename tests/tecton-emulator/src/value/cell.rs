//! A value out of a CSV cell: atomic types as text, nested types as JSON.

use super::{NotOfType, Strictness, Value, read_json, read_timestamp};
use crate::data_type::DataType;

/// Reads the text of a cell that is not the null marker.
pub(crate) fn read_cell(text: &str, data_type: &DataType) -> Result<Value, NotOfType> {
    let parsed = match data_type {
        DataType::Int64 => text.parse().ok().map(Value::Int64),
        DataType::Float32 => text.parse().ok().map(Value::Float32),
        DataType::Float64 => text.parse().ok().map(Value::Float64),
        DataType::Boolean => text.parse().ok().map(Value::Boolean),
        DataType::String => Some(Value::String(text.to_owned())),
        DataType::Timestamp => read_timestamp(text).ok().map(Value::Timestamp),
        DataType::Array(_) | DataType::Struct(_) | DataType::Map(_) => {
            let json = serde_json::from_str(text).map_err(|_| NotOfType)?;
            Some(read_json(&json, data_type, Strictness::RefuseExtraFields)?)
        }
    };
    parsed.ok_or(NotOfType)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, data_type: &str) -> Result<Value, NotOfType> {
        read_cell(text, &data_type.parse().unwrap())
    }

    #[test]
    fn an_int64_cell_stays_within_64_bits() {
        assert_eq!(read("9223372036854775807", "int64"), Ok(Value::Int64(i64::MAX)));
        assert_eq!(read("9223372036854775808", "int64"), Err(NotOfType));
    }

    #[test]
    fn a_string_cell_is_taken_as_it_is() {
        assert_eq!(read(" \"x\" ", "string"), Ok(Value::String(" \"x\" ".to_owned())));
    }

    #[test]
    fn a_nested_cell_is_json() {
        let found = read(r#"["a",null]"#, "array<string>");
        assert_eq!(found, Ok(Value::Array(vec![Value::String("a".to_owned()), Value::Null])));
        assert_eq!(read("a,b", "array<string>"), Err(NotOfType));
    }
}
