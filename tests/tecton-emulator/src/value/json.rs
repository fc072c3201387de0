//! A value out of JSON or a CSV cell, by its type: request-context values, join keys, cells of tables.

use super::{NotOfType, Value, read_timestamp};
use crate::data_type::{DataType, Field};
use crate::json::{Json, Object};

/// What becomes of a struct's member that its type does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    RefuseExtraFields,
    IgnoreExtraFields,
}

/// Reads `json` as a `data_type` or null. int64 may be a number or a decimal string, a struct an
/// object or a positional array; a struct's absent member is null.
pub(crate) fn read_json(
    json: &Json<'_>,
    data_type: &DataType,
    strictness: Strictness,
) -> Result<Value, NotOfType> {
    let value = match (data_type, json) {
        (_, Json::Null) => Value::Null,
        (DataType::Int64, json) => Value::Int64(read_int64(json)?),
        (DataType::Float64, json) => Value::Float64(read_float(json)?),
        (DataType::Float32, json) => Value::Float32(read_float(json)? as f32),
        (DataType::Boolean, Json::Bool(value)) => Value::Boolean(*value),
        (DataType::String, Json::String(text)) => Value::String(text.clone().into_owned()),
        (DataType::Timestamp, Json::String(text)) => Value::Timestamp(read_timestamp(text)?),
        (DataType::Array(element), Json::Array(items)) => Value::Array(
            items
                .iter()
                .map(|item| read_json(item, element, strictness))
                .collect::<Result<_, _>>()?,
        ),
        (DataType::Map(value), Json::Object(Object(members))) => Value::Map(
            members
                .iter()
                .map(|(key, member)| Ok((key.to_string(), read_json(member, value, strictness)?)))
                .collect::<Result<_, _>>()?,
        ),
        (DataType::Struct(fields), Json::Object(object)) => {
            Value::Struct(read_members(object, fields, strictness)?)
        }
        (DataType::Struct(fields), Json::Array(items)) if items.len() == fields.len() => {
            Value::Struct(
                fields
                    .iter()
                    .zip(items)
                    .map(|(field, item)| {
                        let value = read_json(item, &field.data_type, strictness)?;
                        Ok((field.name.clone(), value))
                    })
                    .collect::<Result<_, _>>()?,
            )
        }
        _ => return Err(NotOfType),
    };
    Ok(value)
}

fn read_members(
    Object(members): &Object<'_>,
    fields: &[Field],
    strictness: Strictness,
) -> Result<Vec<(String, Value)>, NotOfType> {
    let known = |name: &str| fields.iter().any(|field| field.name == name);
    if strictness == Strictness::RefuseExtraFields && members.iter().any(|(name, _)| !known(name)) {
        return Err(NotOfType);
    }
    fields
        .iter()
        .map(|field| {
            let member = members.iter().rev().find(|(name, _)| *name == field.name);
            let value = match member {
                Some((_, member)) => read_json(member, &field.data_type, strictness)?,
                None => Value::Null,
            };
            Ok((field.name.clone(), value))
        })
        .collect()
}

/// A number or a decimal string.
pub(crate) fn read_int64(json: &Json<'_>) -> Result<i64, NotOfType> {
    match json {
        Json::Int(number) => Ok(*number),
        // `+1` is a number to Rust and none to protobuf's JSON.
        Json::String(text) if !text.starts_with('+') => text.parse().map_err(|_| NotOfType),
        _ => Err(NotOfType),
    }
}

fn read_float(json: &Json<'_>) -> Result<f64, NotOfType> {
    match json {
        Json::Int(number) => Ok(*number as f64),
        Json::Float(number) => Ok(*number),
        Json::String(text) => beamlet_contract::number::named(text).ok_or(NotOfType),
        _ => Err(NotOfType),
    }
}

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
        let json = serde_json::from_str(text).unwrap();
        let data_type = data_type.parse().unwrap();
        read_json(&json, &data_type, Strictness::RefuseExtraFields)
    }

    #[test]
    fn an_int64_is_a_number_or_a_decimal_string() {
        assert_eq!(read("7", "int64"), Ok(Value::Int64(7)));
        assert_eq!(read(r#""-7""#, "int64"), Ok(Value::Int64(-7)));
        for wrong in ["7.0", r#""7.0""#, r#""+7""#, r#""""#, "true", "1e30"] {
            assert_eq!(read(wrong, "int64"), Err(NotOfType), "{wrong}");
        }
    }

    #[test]
    fn a_float_is_a_number_or_a_special_name() {
        assert_eq!(read("7", "float64"), Ok(Value::Float64(7.0)));
        assert_eq!(read(r#""-Infinity""#, "float32"), Ok(Value::Float32(f32::NEG_INFINITY)));
        assert_eq!(read(r#""7""#, "float64"), Err(NotOfType));
    }

    #[test]
    fn a_struct_is_an_object_or_a_positional_array() {
        let object = read(r#"{"b":1,"a":"x"}"#, "struct<a: string, b: int64>");
        let array = read(r#"["x","1"]"#, "struct<a: string, b: int64>");
        assert_eq!(object, array);
        assert_eq!(read(r#"["x"]"#, "struct<a: string, b: int64>"), Err(NotOfType));
    }

    #[test]
    fn an_extra_member_of_a_struct_is_refused_or_ignored() {
        let json = serde_json::from_str(r#"{"a":"x","c":0}"#).unwrap();
        let data_type = "struct<a: string>".parse().unwrap();
        assert!(read_json(&json, &data_type, Strictness::RefuseExtraFields).is_err());
        assert!(read_json(&json, &data_type, Strictness::IgnoreExtraFields).is_ok());
    }

    #[test]
    fn null_is_of_every_type_and_at_every_level() {
        assert_eq!(read("null", "array<string>"), Ok(Value::Null));
        let found = read(r#"[null,"a"]"#, "array<string>").unwrap();
        assert_eq!(found, Value::Array(vec![Value::Null, Value::String("a".to_owned())]));
    }

    fn cell(text: &str, data_type: &str) -> Result<Value, NotOfType> {
        read_cell(text, &data_type.parse().unwrap())
    }

    #[test]
    fn an_int64_cell_stays_within_64_bits() {
        assert_eq!(cell("9223372036854775807", "int64"), Ok(Value::Int64(i64::MAX)));
        assert_eq!(cell("9223372036854775808", "int64"), Err(NotOfType));
    }

    #[test]
    fn a_string_cell_is_taken_as_it_is() {
        assert_eq!(cell(" \"x\" ", "string"), Ok(Value::String(" \"x\" ".to_owned())));
    }

    #[test]
    fn a_nested_cell_is_json() {
        let found = cell(r#"["a",null]"#, "array<string>");
        assert_eq!(found, Ok(Value::Array(vec![Value::String("a".to_owned()), Value::Null])));
        assert_eq!(cell("a,b", "array<string>"), Err(NotOfType));
    }
}
