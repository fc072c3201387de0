//! The Arrow columns of fields, by type.

use crate::{FieldType, Member};
use arrow_schema::extension::{EXTENSION_TYPE_METADATA_KEY, EXTENSION_TYPE_NAME_KEY};
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// The key in a field's metadata that names a type which Arrow spells as a string.
pub const TYPE_KEY: &str = "beamlet:type";

/// The value of [`TYPE_KEY`] for a decimal number of any precision.
pub const DECIMAL: &str = "decimal";

/// The name of Arrow's canonical extension type for JSON texts.
pub const ARROW_JSON: &str = "arrow.json";

/// The column of a field of type `of`: nullable, as are its elements and members.
///
/// | type | Arrow |
/// |---|---|
/// | `boolean`, `int8` to `int64`, `float32`, `float64`, `string`, `bytes`, `date` | `Boolean`, `Int8` to `Int64`, `Float32`, `Float64`, `Utf8`, `Binary`, `Date32` |
/// | `timestamp` | `Timestamp(Microsecond, "UTC")` |
/// | `decimal` | `Utf8` with [`TYPE_KEY`] = [`DECIMAL`]: Arrow's own decimals have a fixed scale |
/// | `json` | `Utf8` of the extension type [`ARROW_JSON`] |
/// | `array<T>`, `struct<…>` | `List`, `Struct` |
/// | `map<string, T>` | `Map` of `keys` and `values` |
pub fn field(name: &str, of: &FieldType) -> Field {
    let plain = |data_type| Field::new(name, data_type, true);
    plain(match of {
        FieldType::Boolean => DataType::Boolean,
        FieldType::Int8 => DataType::Int8,
        FieldType::Int16 => DataType::Int16,
        FieldType::Int32 => DataType::Int32,
        FieldType::Int64 => DataType::Int64,
        FieldType::Float32 => DataType::Float32,
        FieldType::Float64 => DataType::Float64,
        FieldType::String => DataType::Utf8,
        FieldType::Bytes => DataType::Binary,
        FieldType::Date => DataType::Date32,
        FieldType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        FieldType::Decimal => return decimal(plain(DataType::Utf8)),
        FieldType::Json => return json(plain(DataType::Utf8)),
        FieldType::Array(element) => DataType::List(Arc::new(field("item", element))),
        FieldType::Map(value) => {
            let key = Field::new("keys", DataType::Utf8, false);
            let entries = DataType::Struct(Fields::from(vec![key, field("values", value)]));
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
        }
        FieldType::Struct(members) => {
            DataType::Struct(members.iter().map(|member| field(&member.name, &member.of)).collect())
        }
    })
}

/// The type of a column; `None` where the contract has no such type.
pub fn field_type(field: &Field) -> Option<FieldType> {
    if is_json(field) {
        return Some(FieldType::Json);
    }
    if is_decimal(field) {
        return Some(FieldType::Decimal);
    }
    Some(match field.data_type() {
        DataType::Boolean => FieldType::Boolean,
        DataType::Int8 => FieldType::Int8,
        DataType::Int16 => FieldType::Int16,
        DataType::Int32 => FieldType::Int32,
        DataType::Int64 => FieldType::Int64,
        DataType::Float32 => FieldType::Float32,
        DataType::Float64 => FieldType::Float64,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => FieldType::String,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => FieldType::Bytes,
        DataType::Date32 => FieldType::Date,
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => FieldType::Timestamp,
        DataType::List(item) | DataType::LargeList(item) => FieldType::array(field_type(item)?),
        DataType::Struct(fields) => {
            let member = |field: &Arc<Field>| Some(Member::new(field.name(), field_type(field)?));
            FieldType::Struct(fields.iter().map(member).collect::<Option<_>>()?)
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields)
                if fields.len() == 2 && field_type(&fields[0]) == Some(FieldType::String) =>
            {
                FieldType::map(field_type(&fields[1])?)
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// A column's type for a message: the contract's name, else Arrow's.
pub fn type_name(field: &Field) -> String {
    match field_type(field) {
        Some(of) => of.to_string(),
        None => field.data_type().to_string().to_ascii_lowercase(),
    }
}

/// Marks a field as one of JSON texts.
pub fn json(field: Field) -> Field {
    field.with_metadata(HashMap::from([
        (EXTENSION_TYPE_NAME_KEY.to_owned(), ARROW_JSON.to_owned()),
        (EXTENSION_TYPE_METADATA_KEY.to_owned(), String::new()),
    ]))
}

/// Whether a field's texts are JSON.
pub fn is_json(field: &Field) -> bool {
    field.metadata().get(EXTENSION_TYPE_NAME_KEY).is_some_and(|name| name == ARROW_JSON)
}

/// Marks a field as one of decimals.
pub fn decimal(field: Field) -> Field {
    field.with_metadata(HashMap::from([(TYPE_KEY.to_owned(), DECIMAL.to_owned())]))
}

/// Whether a field's texts are decimals.
pub fn is_decimal(field: &Field) -> bool {
    field.metadata().get(TYPE_KEY).is_some_and(|name| name == DECIMAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_reads_back_from_its_column() {
        for text in [
            "boolean",
            "int8",
            "int16",
            "int32",
            "int64",
            "float32",
            "float64",
            "string",
            "bytes",
            "date",
            "timestamp",
            "decimal",
            "json",
            "array<decimal>",
            "map<string, array<json>>",
            "struct<a: int64, \"b: c\": struct<d: date>>",
        ] {
            let column = field("f", &text.parse().unwrap());
            assert_eq!(field_type(&column).map(|of| of.to_string()).as_deref(), Some(text));
            assert_eq!((column.name().as_str(), column.is_nullable()), ("f", true));
        }
    }

    #[test]
    fn a_column_that_the_contract_has_no_type_for_is_named_as_arrow_does() {
        let nanoseconds = Field::new("t", DataType::Timestamp(TimeUnit::Nanosecond, None), true);
        assert_eq!(field_type(&nanoseconds), None);
        assert_eq!(type_name(&nanoseconds), "timestamp(ns)");
        let list = DataType::List(Arc::new(Field::new("item", DataType::UInt64, true)));
        assert_eq!(type_name(&Field::new("l", list, true)), "list(uint64)");
    }
}
