//! One pass over a JSON object: is it one, which keys does it have, where are the wanted values?

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{Origin, RowsError};
use beamlet_values::json_text;

/// Looks for wanted keys in one document after the other, and remembers all keys that it met.
///
/// Rows of one file mostly have the same keys in the same order, so the key that followed last
/// time is compared first; only a surprise costs a look-up.
pub(crate) struct Scan {
    /// Every key met, in order of appearance, and its slot if it is wanted.
    layout: Vec<(Box<str>, Option<usize>)>,
    positions: HashMap<Box<str>, usize>,
    wanted: HashMap<Box<str>, usize>,
    unwanted: Option<usize>,
}

/// A line that is no JSON object.
pub(crate) struct Fault {
    column: usize,
    problem: String,
}

impl Fault {
    pub(crate) fn at(self, origin: Origin) -> RowsError {
        RowsError::NotAnObject { origin, column: self.column, problem: self.problem }
    }
}

impl Scan {
    /// A scan for `names`; the value of `names[i]` goes to slot `i`.
    pub(crate) fn new(names: &[&str]) -> Self {
        let wanted = names.iter().enumerate().map(|(slot, name)| ((*name).into(), slot)).collect();
        Self { layout: Vec::new(), positions: HashMap::new(), wanted, unwanted: None }
    }

    /// The keys met so far, in order of appearance.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.layout.iter().map(|(key, _)| key.as_ref())
    }

    /// The first key met that is not wanted.
    pub(crate) fn unwanted(&self) -> Option<&str> {
        self.layout.get(self.unwanted?).map(|(key, _)| key.as_ref())
    }

    /// Puts the text of each wanted value of `text` into its slot of `found`.
    #[inline]
    pub(crate) fn line<'a>(
        &mut self,
        text: &'a str,
        found: &mut [Option<&'a str>],
    ) -> Result<(), Fault> {
        // Said here because serde would name neither the place nor the cure.
        let start = text.len() - text.trim_ascii_start().len();
        let other = match text.as_bytes().get(start) {
            Some(b'{') => None,
            Some(b'[') => {
                Some("found an array (if the file is one array, put each element on a line)")
            }
            Some(b'"') => Some("found a string"),
            Some(b'-' | b'0'..=b'9') => Some("found a number"),
            _ => Some("it does not begin with {"),
        };
        if let Some(problem) = other {
            return Err(Fault { column: start + 1, problem: problem.to_owned() });
        }
        let mut parser = serde_json::Deserializer::from_str(text);
        parser.deserialize_map(Object { scan: self, found }).and_then(|()| parser.end()).map_err(
            |error| Fault { column: error.column().max(1), problem: json_text::problem(&error) },
        )
    }

    #[inline]
    fn position(&mut self, key: &str, expected: usize) -> usize {
        if self.layout.get(expected).is_some_and(|(name, _)| **name == *key) {
            return expected;
        }
        if let Some(position) = self.positions.get(key) {
            return *position;
        }
        let (position, slot) = (self.layout.len(), self.wanted.get(key).copied());
        if slot.is_none() {
            self.unwanted.get_or_insert(position);
        }
        self.layout.push((key.into(), slot));
        self.positions.insert(key.into(), position);
        position
    }
}

struct Object<'s, 'f, 'a> {
    scan: &'s mut Scan,
    found: &'f mut [Option<&'a str>],
}

impl<'a> Visitor<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(position) = map.next_key_seed(Key { scan: self.scan, expected })? {
            match self.scan.layout[position].1 {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(slot) => self.found[slot] = Some(map.next_value::<&RawValue>()?.get()),
            }
            expected = position + 1;
        }
        Ok(())
    }
}

/// Reads a key as its position in the layout.
struct Key<'s> {
    scan: &'s mut Scan,
    expected: usize,
}

impl<'a> DeserializeSeed<'a> for Key<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'a>>(self, parser: D) -> Result<usize, D::Error> {
        parser.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<usize, E> {
        Ok(self.scan.position(key, self.expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_keys_are_found_in_any_order_and_any_spelling() {
        let mut scan = Scan::new(&["b", "a"]);
        for (text, expected) in [
            (r#"{"a":1,"x":0,"b":"2"}"#, [Some("\"2\""), Some("1")]),
            (r#"{"b" : [ 3 ] ,"a":4}"#, [Some("[ 3 ]"), Some("4")]),
            (r#"{"x":{"a":5},"\u0061":null}"#, [None, Some("null")]),
            (r#"{"a":1,"x":0,"y":0,"b":2}"#, [Some("2"), Some("1")]),
            (r#"{"a":1,"x":0,"b":2}"#, [Some("2"), Some("1")]),
        ] {
            let mut found = [None, None];
            assert!(scan.line(text, &mut found).is_ok());
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(scan.keys().collect::<Vec<_>>(), ["a", "x", "b", "y"]);
        assert_eq!(scan.unwanted(), Some("x"));
    }
}
