//! Where the members of one JSON object stand in its text.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One member of an object.
pub(crate) struct Member<'a> {
    pub(crate) name: Cow<'a, str>,
    /// Where its value stands in the object's text.
    pub(crate) value: Range<usize>,
}

/// The members of an object that is known to be one, in order, each as often as it is there.
pub(crate) fn members(text: &str) -> serde_json::Result<Vec<Member<'_>>> {
    serde_json::Deserializer::from_str(text).deserialize_map(Members(text))
}

struct Members<'a>(&'a str);

impl<'a> Visitor<'a> for Members<'a> {
    type Value = Vec<Member<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<Name<'a>>()? {
            let value = map.next_value::<&'a RawValue>()?.get();
            // The value is a part of the text.
            let start = value.as_ptr().addr() - self.0.as_ptr().addr();
            members.push(Member { name: name.0, value: start..start + value.len() });
        }
        Ok(members)
    }
}

/// A key, borrowed unless it holds an escape.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_is_told_with_the_place_of_its_value() {
        let text = r#" { "a" : [1, 2] ,"\u0061":null,"b":{"a":3} }"#;
        let found = members(text).unwrap();
        let found: Vec<_> = found.iter().map(|it| (&*it.name, &text[it.value.clone()])).collect();
        assert_eq!(found, [("a", "[1, 2]"), ("a", "null"), ("b", r#"{"a":3}"#)]);
    }
}
