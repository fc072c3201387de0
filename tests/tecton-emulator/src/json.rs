//! JSON as a client may send it: borrowed from the request's text wherever it has no escapes, and
//! read without a tree for the flat case.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// Any JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// A number without fraction or exponent, within 64 bits signed.
    Int(i64),
    /// Every other number.
    Float(f64),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// The members of a JSON object in their order. If two have the same name, the later one counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<'a>(pub(crate) Vec<(Cow<'a, str>, Json<'a>)>);

/// Text as a JSON string, with its quotes.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A string that borrows where it can, also as the key of an object.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(value).map_or(Json::Float(value as f64), Json::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Json<'de>, A::Error> {
        Ok(Json::Object(read_members(members)?))
    }
}

fn read_members<'de, A: MapAccess<'de>>(mut members: A) -> Result<Object<'de>, A::Error> {
    let mut object = Vec::new();
    while let Some((Text(name), value)) = members.next_entry()? {
        object.push((name, value));
    }
    Ok(Object(object))
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

/// An object, or null for an empty one.
struct AnObject;

impl<'de> Visitor<'de> for AnObject {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<Object<'de>, E> {
        Ok(Object::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<'de>, A::Error> {
        read_members(members)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnObject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_string_without_escapes_borrows() {
        assert!(matches!(read(r#""plain""#), Json::String(Cow::Borrowed("plain"))));
        assert!(matches!(read(r#""a\nb""#), Json::String(Cow::Owned(_))));
    }

    #[test]
    fn only_an_integer_within_64_bits_is_an_int() {
        assert_eq!(read("-9223372036854775808"), Json::Int(i64::MIN));
        assert!(matches!(read("9223372036854775808"), Json::Float(_)));
        assert!(matches!(read("1.0"), Json::Float(_)));
    }

    #[test]
    fn a_null_object_is_an_empty_one() {
        let object: Object<'_> = serde_json::from_str("null").unwrap();
        assert_eq!(object, Object::default());
    }
}
