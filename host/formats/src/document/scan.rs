//! One pass over a JSON object: whether it is one, which keys it has, and where the wanted values
//! stand.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use beamlet_values::json_text;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{Origin, RowsError};

/// Looks for wanted keys in one document after another, and remembers all keys that it
/// has seen.
///
/// Rows of one file mostly have the same keys in the same order. So the key that followed last time
/// is compared first, and only an unexpected key costs a look-up.
pub(crate) struct Scan {
    /// Every key seen, in order of appearance, and its slot if it is wanted.
    layout: Vec<(Box<str>, Option<usize>)>,
    positions: HashMap<Box<str>, usize>,
    wanted: HashMap<Box<str>, usize>,
    unwanted: Option<usize>,
}

/// A line that is not a JSON object.
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

    /// The keys seen so far, in order of appearance.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.layout.iter().map(|(key, _)| key.as_ref())
    }

    /// The first key seen that is not wanted.
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
        // Reported here because serde's message names neither the place nor the remedy.
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

/// One member of an object.
pub(crate) struct Member<'a> {
    pub(crate) name: Cow<'a, str>,
    /// Where its value stands in the object's text.
    pub(crate) value: Range<usize>,
}

/// The members of a text that is known to be an object, in order, including duplicates.
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

/// More names than any schema has. Keys that are data (ids, dates) must not fill the memory.
const MOST_KEYS: usize = 4_096;

/// The top-level keys that the documents of one reader have had, so that a join need not look for a
/// feature's name in every row. At a limit, the set treats every key as seen.
#[derive(Debug, Default)]
pub(super) struct Keys {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    names: HashSet<Box<str>>,
    overflown: bool,
}

impl Keys {
    pub(super) fn add<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if seen.overflown || seen.names.contains(name) {
                continue;
            }
            if seen.names.len() == MOST_KEYS {
                *seen = Seen { overflown: true, ..Seen::default() };
            } else {
                seen.names.insert(name.into());
            }
        }
    }

    /// Whether a row may have had the key. `false` is certain.
    pub(super) fn may_have(&self, name: &str) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.overflown || seen.names.contains(name)
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

    #[test]
    fn each_member_is_returned_with_the_place_of_its_value() {
        let text = r#" { "a" : [1, 2] ,"\u0061":null,"b":{"a":3} }"#;
        let found = members(text).unwrap();
        let found: Vec<_> = found.iter().map(|it| (&*it.name, &text[it.value.clone()])).collect();
        assert_eq!(found, [("a", "[1, 2]"), ("a", "null"), ("b", r#"{"a":3}"#)]);
    }

    #[test]
    fn beyond_the_limit_every_key_counts_as_seen() {
        let keys = Keys::default();
        keys.add(["a"].into_iter());
        assert!(keys.may_have("a") && !keys.may_have("b"));
        let many: Vec<_> = (0..=MOST_KEYS).map(|it| it.to_string()).collect();
        keys.add(many.iter().map(String::as_str));
        assert!(keys.may_have("a") && keys.may_have("b"));
        assert!(keys.seen.lock().unwrap().names.is_empty());
    }
}
