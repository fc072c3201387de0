//! Values that come as JSON: whether they are of a type, and lists as Arrow's lists. (The contract's own
//! lists have no null elements, Arrow's have.)

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, ListBuilder, PrimitiveBuilder, StringBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use beamlet_contract::{FieldType, number, time};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Whether a JSON text is a value of the type, or null.
pub(crate) fn is_of(text: &str, of: &FieldType) -> bool {
    let mut parser = serde_json::Deserializer::from_str(text);
    Typed(of).deserialize(&mut parser).is_ok() && parser.end().is_ok()
}

/// Accepts a value of the type.
#[derive(Clone, Copy)]
struct Typed<'t>(&'t FieldType);

impl<'de> DeserializeSeed<'de> for Typed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn taken<E: Error>(is_of: bool) -> Result<(), E> {
    if is_of { Ok(()) } else { Err(E::custom("of another type")) }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        taken(matches!(self.0, FieldType::Boolean | FieldType::Json))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        taken(match self.0 {
            FieldType::Int8 => i8::try_from(value).is_ok(),
            FieldType::Int16 => i16::try_from(value).is_ok(),
            FieldType::Int32 => i32::try_from(value).is_ok(),
            FieldType::Int64
            | FieldType::Float32
            | FieldType::Float64
            | FieldType::Decimal
            | FieldType::Json => true,
            _ => false,
        })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        taken(match self.0 {
            FieldType::Float32 => number::narrowed(value).is_some(),
            FieldType::Float64 | FieldType::Decimal | FieldType::Json => true,
            _ => false,
        })
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        taken(match self.0 {
            FieldType::String | FieldType::Json => true,
            FieldType::Float32 | FieldType::Float64 => number::named(value).is_some(),
            FieldType::Bytes => BASE64.decode(value).is_ok(),
            FieldType::Date => time::date_of(value).is_some(),
            FieldType::Timestamp => time::is_timestamp(value),
            FieldType::Decimal => serde_json::from_str::<serde_json::Number>(value).is_ok(),
            _ => false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        match self.0 {
            FieldType::Array(of) => while elements.next_element_seed(Typed(of))?.is_some() {},
            FieldType::Json => while elements.next_element::<IgnoredAny>()?.is_some() {},
            _ => return taken(false),
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        match self.0 {
            FieldType::Map(of) => {
                while members.next_key::<IgnoredAny>()?.is_some() {
                    members.next_value_seed(Typed(of))?;
                }
            }
            FieldType::Struct(known) => {
                while let Some(name) = members.next_key::<String>()? {
                    match known.iter().find(|member| member.name == name) {
                        Some(member) => members.next_value_seed(Typed(&member.of))?,
                        None => return taken(false),
                    }
                }
            }
            FieldType::Json => while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {},
            _ => return taken(false),
        }
        Ok(())
    }
}

/// JSON texts as lists with elements of a type; `None` where one has other elements.
pub(crate) fn lists(texts: &dyn Array, element: &DataType) -> Option<ArrayRef> {
    match element {
        DataType::Boolean => listed(texts, BooleanBuilder::new(), |to, value| {
            to.append_option(optional(value, Value::as_bool)?);
            Some(())
        }),
        DataType::Int64 => numbers::<Int64Type>(texts, Value::as_i64),
        DataType::Float32 => numbers::<Float32Type>(texts, |value| Some(float(value)? as f32)),
        DataType::Float64 => numbers::<Float64Type>(texts, float),
        DataType::Utf8 => listed(texts, StringBuilder::new(), |to, value| {
            to.append_option(optional(value, Value::as_str)?);
            Some(())
        }),
        _ => None,
    }
}

fn numbers<T: ArrowPrimitiveType>(
    texts: &dyn Array,
    read: fn(&Value) -> Option<T::Native>,
) -> Option<ArrayRef> {
    listed(texts, PrimitiveBuilder::<T>::new(), |to, value| {
        to.append_option(optional(value, read)?);
        Some(())
    })
}

fn listed<B: ArrayBuilder>(
    texts: &dyn Array,
    builder: B,
    append: impl Fn(&mut B, &Value) -> Option<()>,
) -> Option<ArrayRef> {
    let mut lists = ListBuilder::new(builder);
    for text in texts.as_string_opt::<i32>()? {
        let list: Option<Vec<Value>> = text.map(serde_json::from_str).transpose().ok()?;
        for value in list.iter().flatten() {
            append(lists.values(), value)?;
        }
        lists.append(list.is_some());
    }
    Some(Arc::new(lists.finish()))
}

/// `Some(None)` for null; `None` for a value that is no element.
fn optional<'v, T>(value: &'v Value, read: impl Fn(&'v Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

/// A number, or the name of one that JSON cannot write.
fn float(value: &Value) -> Option<f64> {
    match value.as_str() {
        None => value.as_f64(),
        Some(name) => number::named(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_of_its_type_and_null_of_every_one() {
        for (of, values) in [
            ("array<int8>", &["[1,-128,null]", "[]", "null"][..]),
            ("array<int64>", &["[9223372036854775807]"]),
            ("map<string, float32>", &[r#"{"a":1,"b":"NaN","c":0.5}"#, "{}"]),
            ("struct<a: int8, b: string>", &[r#"{"a":1,"b":"x"}"#, r#"{"b":null}"#]),
            ("array<bytes>", &[r#"["AA==",""]"#]),
            ("array<date>", &[r#"["2024-02-29"]"#]),
            ("array<timestamp>", &[r#"["2024-02-29T12:00:00.123456789+01:00"]"#]),
            ("array<decimal>", &[r#"["-12.50"]"#]),
            ("json", &[r#"{"a":[1,{"b":18446744073709551615}]}"#, "7", "\"x\""]),
        ] {
            let of = of.parse().unwrap();
            values.iter().for_each(|value| assert!(is_of(value, &of), "{value} is {of}"));
        }
    }

    #[test]
    fn a_value_of_another_type_is_told_apart() {
        for (of, values) in [
            ("array<int8>", &["[128]", "[1.5]", "[\"1\"]", "{}", "[1", "[1] 2"][..]),
            ("array<int64>", &["[9223372036854775808]"]),
            ("map<string, float32>", &["{\"a\":1e39}", "{\"a\":\"nan\"}", "[]"]),
            ("struct<a: int8, b: string>", &["{\"c\":1}", "{\"a\":\"x\"}", "[1,\"x\"]"]),
            ("array<bytes>", &["[\"A\"]"]),
            ("array<date>", &["[\"2023-02-29\"]"]),
            ("array<timestamp>", &["[\"2023-02-28\"]"]),
            ("array<decimal>", &["[\"x\"]"]),
        ] {
            let of = of.parse().unwrap();
            values.iter().for_each(|value| assert!(!is_of(value, &of), "{value} is {of}"));
        }
    }
}
