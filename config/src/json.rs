//! A configuration in JSON. Text comes in; the value comes out, with the place of each key and
//! with the problems that a plain parser passes over in silence.

use crate::Problem;
use beamlet_contract::pointer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;

/// A configuration in JSON, parsed.
#[derive(Clone, Debug)]
pub struct Json {
    /// The value. What a problem is about may not be as it was written.
    pub value: Value,
    /// Keys that are there twice, and integers that do not fit into 64 bits.
    pub problems: Vec<Problem>,
    /// JSON Pointer to the line of its key, or of the value in an array; from 1.
    pub lines: HashMap<String, usize>,
}

/// The text is not JSON. Holds nothing of the text: it may contain secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJson {
    /// From 1.
    pub line: usize,
    /// From 1, in bytes.
    pub column: usize,
    /// What the parser reports.
    pub why: String,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is not JSON: {} at line {} column {}", self.why, self.line, self.column)
    }
}

impl Json {
    /// Parses a text. A byte order mark in front of it is skipped.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn parse(text: &str) -> Result<Self, NotJson> {
        let text = without_mark(text);
        let value = serde_json::from_str(text).map_err(|error| {
            let why = error.to_string();
            // serde_json appends the place, which stands in fields of its own.
            let why = why.split(" at line ").next().unwrap_or_default().to_owned();
            NotJson { line: error.line(), column: error.column(), why }
        })?;
        let mut walk = Walk { text, problems: Vec::new(), lines: HashMap::new() };
        if let Ok(whole) = serde_json::from_str(text) {
            walk.value(whole, "");
        }
        Ok(Json { value, problems: walk.problems, lines: walk.lines })
    }
}

/// The text without the byte order mark that some editors put in front of it.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The problem of an integer that no 64-bit number holds.
pub(crate) const TOO_LARGE: &str = "is an integer that does not fit into 64 bits; where the \
                                    handler takes a string, write it as one";

/// Looks at the text of each value: a parsed value has lost what was written.
struct Walk<'a> {
    text: &'a str,
    problems: Vec<Problem>,
    lines: HashMap<String, usize>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, raw: &'a RawValue, path: &str) {
        match raw.get().as_bytes().first() {
            Some(b'{') => self.object(raw, path),
            Some(b'[') => self.array(raw, path),
            Some(b'-' | b'0'..=b'9') if !fits(raw.get()) => self.problem(path, TOO_LARGE),
            _ => {}
        }
    }

    fn object(&mut self, raw: &'a RawValue, path: &str) {
        let Ok(Members(members)) = serde_json::from_str(raw.get()) else { return };
        for (key, value) in members {
            let Ok(name) = serde_json::from_str::<String>(key.get()) else { continue };
            let path = pointer::child(path, &name);
            if let Some(first) = self.lines.insert(path.clone(), self.line(key)) {
                self.problem(&path, format!("is there twice, first on line {first}; keep one"));
            }
            self.value(value, &path);
        }
    }

    fn array(&mut self, raw: &'a RawValue, path: &str) {
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else { return };
        for (at, element) in elements.into_iter().enumerate() {
            let path = format!("{path}/{at}");
            self.lines.insert(path.clone(), self.line(element));
            self.value(element, &path);
        }
    }

    fn problem(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(Problem { path: path.to_owned(), message: message.into() });
    }

    /// The line of a piece of the text.
    fn line(&self, piece: &RawValue) -> usize {
        let at = piece.get().as_ptr().addr() - self.text.as_ptr().addr();
        self.text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1
    }
}

/// Whether a number is none of the integers that lose digits.
fn fits(number: &str) -> bool {
    let is_integer = !number.contains(['.', 'e', 'E']);
    !is_integer || number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok()
}

/// All members of an object, those of one name too.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(text: &str) -> Vec<String> {
        Json::parse(text).unwrap().problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_key_that_is_there_twice_is_a_problem_with_both_lines() {
        let text = "{\"a\": {\n\"k\": 1,\n\"\\u006b\": 2},\n\"b\": 3}";
        assert_eq!(problems(text), ["/a/k: is there twice, first on line 2; keep one"]);
        assert_eq!(Json::parse(text).unwrap().lines["/a/k"], 3);
    }

    #[test]
    fn the_same_key_in_two_objects_is_no_problem() {
        assert!(problems(r#"{"a": [{"k": 1}, {"k": 2}], "k": 3}"#).is_empty());
    }

    #[test]
    fn an_integer_is_exact_or_a_problem() {
        let text = "{\"exact\": [-9223372036854775808, 18446744073709551615, 1e300],\n\
                    \"not\": [18446744073709551616, -9223372036854775809]}";
        let paths: Vec<String> =
            Json::parse(text).unwrap().problems.into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["/not/0", "/not/1"]);
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(Json::parse("\u{feff}{\"a\":1}").unwrap().value, json!({ "a": 1 }));
    }

    #[test]
    fn every_key_and_element_has_its_line() {
        let lines = Json::parse("{\n\"a\":\n[1,\n2],\n\"b/c\": {}}").unwrap().lines;
        let line = |path: &str| lines[path];
        assert_eq!(["/a", "/a/0", "/a/1", "/b~1c"].map(line), [2, 3, 4, 5]);
    }

    #[test]
    fn what_is_not_json_is_reported_with_its_place() {
        let error = Json::parse("{\n \"key\": k3y }").unwrap_err();
        assert_eq!((error.line, error.column), (2, 9));
        assert!(!error.to_string().contains("k3y"), "{error}");
    }
}
