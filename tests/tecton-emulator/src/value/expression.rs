//! Values as an expression's variables, and an expression's result as a value of the feature's type.

use std::collections::HashMap;

use cel::Value as Cel;
use cel::objects::Key;

use super::{NotOfType, Value, read_timestamp};
use crate::data_type::DataType;

/// A variable for expressions; structs and maps are maps.
pub(crate) fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Int64(number) => Cel::Int(*number),
        Value::Float32(number) => Cel::Float(f64::from(*number)),
        Value::Float64(number) => Cel::Float(*number),
        Value::Boolean(value) => Cel::Bool(*value),
        Value::String(text) => Cel::from(text.as_str()),
        Value::Timestamp(moment) => Cel::Timestamp(moment.fixed_offset()),
        Value::Array(elements) => Cel::from(elements.iter().map(to_cel).collect::<Vec<_>>()),
        Value::Struct(entries) | Value::Map(entries) => {
            let entries: HashMap<String, Cel> =
                entries.iter().map(|(name, value)| (name.clone(), to_cel(value))).collect();
            Cel::from(entries)
        }
    }
}

/// The result of an expression as a `data_type`; an integer will do where a float is asked for.
pub(crate) fn from_cel(result: &Cel, data_type: &DataType) -> Result<Value, NotOfType> {
    let value = match (data_type, result) {
        (_, Cel::Null) => Value::Null,
        (DataType::Int64, Cel::Int(number)) => Value::Int64(*number),
        (DataType::Int64, Cel::UInt(number)) => {
            Value::Int64(i64::try_from(*number).map_err(|_| NotOfType)?)
        }
        (DataType::Float64, number) => Value::Float64(as_float(number)?),
        (DataType::Float32, number) => Value::Float32(as_float(number)? as f32),
        (DataType::Boolean, Cel::Bool(value)) => Value::Boolean(*value),
        (DataType::String, Cel::String(text)) => Value::String(text.to_string()),
        (DataType::Timestamp, Cel::Timestamp(moment)) => Value::Timestamp(moment.to_utc()),
        (DataType::Timestamp, Cel::String(text)) => Value::Timestamp(read_timestamp(text)?),
        (DataType::Array(element), Cel::List(items)) => Value::Array(
            items.iter().map(|item| from_cel(item, element)).collect::<Result<_, _>>()?,
        ),
        (DataType::Struct(fields), Cel::Map(map)) => Value::Struct(
            fields
                .iter()
                .map(|field| {
                    let value = match map.map.get(&Key::from(field.name.as_str())) {
                        Some(member) => from_cel(member, &field.data_type)?,
                        None => Value::Null,
                    };
                    Ok((field.name.clone(), value))
                })
                .collect::<Result<_, _>>()?,
        ),
        (DataType::Map(value), Cel::Map(map)) => {
            let mut entries = map
                .map
                .iter()
                .map(|(key, member)| Ok((key.to_string(), from_cel(member, value)?)))
                .collect::<Result<Vec<_>, NotOfType>>()?;
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Map(entries)
        }
        _ => return Err(NotOfType),
    };
    Ok(value)
}

fn as_float(number: &Cel) -> Result<f64, NotOfType> {
    match number {
        Cel::Float(number) => Ok(*number),
        Cel::Int(number) => Ok(*number as f64),
        Cel::UInt(number) => Ok(*number as f64),
        _ => Err(NotOfType),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_from_an_expression_as_it_went_in() {
        let data_type: DataType =
            "struct<a: array<int64>, b: map<string, float64>, c: timestamp>".parse().unwrap();
        let value = Value::Struct(vec![
            ("a".to_owned(), Value::Array(vec![Value::Int64(1), Value::Null])),
            ("b".to_owned(), Value::Map(vec![("k".to_owned(), Value::Float64(0.5))])),
            ("c".to_owned(), Value::Timestamp(read_timestamp("2025-01-31").unwrap())),
        ]);
        assert_eq!(from_cel(&to_cel(&value), &data_type), Ok(value));
    }

    #[test]
    fn a_result_of_another_type_is_refused() {
        assert_eq!(from_cel(&Cel::from("1"), &DataType::Int64), Err(NotOfType));
        assert_eq!(from_cel(&Cel::Int(1), &DataType::Float64), Ok(Value::Float64(1.0)));
    }
}
