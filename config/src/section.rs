//! One object of a configuration, read key by key.

use crate::{Problems, kind, list, nearest};
use beamlet_contract::pointer;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// One object of the configuration. A key that is read by its name is known; [`close`](Self::close)
/// reports the others as unknown.
pub struct Section<'a> {
    path: String,
    /// Whether a key may also be written in camelCase.
    camel: bool,
    map: Option<&'a Map<String, Value>>,
    known: RefCell<Vec<&'a str>>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    /// The whole configuration.
    pub fn root(config: &'a Value, problems: &'a Problems) -> Self {
        Section::of(Some(config), String::new(), problems)
    }

    fn of(value: Option<&'a Value>, path: String, problems: &'a Problems) -> Self {
        let map = match value {
            None => None,
            Some(Value::Object(map)) => Some(map),
            Some(other) => {
                problems.add(&path, format!("must be an object, is {}", kind(other)));
                None
            }
        };
        Section { path, camel: false, map, known: RefCell::default(), problems }
    }

    /// The object of that name; a required one that is not there is a problem.
    pub fn section(&self, name: &'a str, required: bool) -> Section<'a> {
        let value = self.value(name);
        if required && value.is_none() && self.map.is_some() {
            self.problem(name, "is required");
        }
        let mut section = Section::of(value, self.pointer(name), self.problems);
        // A missing section is one problem: its required keys are no further ones.
        if value.is_none() && !required {
            section.map = None;
        }
        section
    }

    /// Takes each key in camelCase too, as protobuf's JSON does.
    #[must_use]
    pub fn in_either_case(mut self) -> Self {
        self.camel = true;
        self
    }

    /// Whether the object is there.
    pub fn is_there(&self) -> bool {
        self.map.is_some()
    }

    /// Any value of that name; null counts as absent.
    pub fn value(&self, name: &'a str) -> Option<&'a Value> {
        self.known.borrow_mut().push(name);
        let map = self.map?;
        let value = match (map.get(name), self.camel_key(name)) {
            (Some(value), Some(camel)) => {
                self.problems.add(
                    pointer::child(&self.path, &camel),
                    format!("is `{name}` once more; write it once"),
                );
                Some(value)
            }
            (Some(value), None) => Some(value),
            (None, camel) => camel.and_then(|camel| map.get(&camel)),
        };
        value.filter(|value| !value.is_null())
    }

    /// The key of that name in camelCase, where it is written so and differs.
    fn camel_key(&self, name: &str) -> Option<String> {
        let camel = self.camel.then(|| camel_case(name)).filter(|camel| camel != name)?;
        self.map.filter(|map| map.contains_key(&camel)).map(|_| camel)
    }

    /// A text that must be there and not empty.
    pub fn required_text(&self, name: &'a str) -> Option<&'a str> {
        let there = self.map.is_some_and(|map| map.get(name).is_some_and(|value| !value.is_null()));
        let text = self.text(name);
        if self.map.is_some() && (!there || text == Some("")) {
            self.problem(name, if there { "must not be empty" } else { "is required" });
            return None;
        }
        text
    }

    /// A text.
    pub fn text(&self, name: &'a str) -> Option<&'a str> {
        self.typed(name, "a string", Value::as_str)
    }

    /// A truth value.
    pub fn boolean(&self, name: &'a str) -> Option<bool> {
        self.typed(name, "true or false", Value::as_bool)
    }

    /// A whole number within a range.
    pub fn integer(&self, name: &'a str, range: RangeInclusive<i64>) -> Option<i64> {
        let number = self.typed(name, "a whole number", whole)?;
        let (low, high) = (range.start(), range.end());
        match i64::try_from(number) {
            Ok(number) if range.contains(&number) => return Some(number),
            _ => self.problem(name, format!("must be from {low} to {high}, is {number}")),
        }
        None
    }

    /// A number within a range.
    pub fn number(&self, name: &'a str, range: RangeInclusive<f64>) -> Option<f64> {
        let number = self.typed(name, "a number", Value::as_f64)?;
        if range.contains(&number) {
            return Some(number);
        }
        let (low, high) = (range.start(), range.end());
        self.problem(name, format!("must be from {low} to {high}, is {number}"));
        None
    }

    /// An object of any content.
    pub fn object(&self, name: &'a str) -> Option<&'a Map<String, Value>> {
        self.typed(name, "an object", Value::as_object)
    }

    /// All keys with their values, in their order: for objects whose keys users choose.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.map.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    fn typed<T>(
        &self,
        name: &'a str,
        what: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(name)?;
        let read = read(value);
        if read.is_none() {
            self.problem(name, format!("must be {what}, is {}", kind(value)));
        }
        read
    }

    /// Notes a problem with the key of that name.
    pub fn problem(&self, name: &str, message: impl Into<String>) {
        self.problems.add(self.pointer(name), message);
    }

    /// Notes a warning about the key of that name.
    pub fn warn(&self, name: &str, message: impl Into<String>) {
        self.problems.warn(self.pointer(name), message);
    }

    /// The JSON Pointer to the key of that name, as it is written.
    pub fn pointer(&self, name: &str) -> String {
        let written = self.map.is_some_and(|map| map.contains_key(name));
        let camel = if written { None } else { self.camel_key(name) };
        pointer::child(&self.path, camel.as_deref().unwrap_or(name))
    }

    /// Reports every key that was not read, with the known one that is nearest.
    pub fn close(self) {
        for (key, hint) in self.unknown() {
            self.problem(&key, format!("unknown key `{key}`{hint}"));
        }
    }

    /// As [`close`](Self::close), but lets unknown keys pass with a warning.
    pub fn close_leniently(self) {
        for (key, hint) in self.unknown() {
            self.warn(&key, format!("unknown key `{key}` has no effect{hint}"));
        }
    }

    /// The keys that were not read, with a hint each.
    fn unknown(&self) -> Vec<(String, String)> {
        let known = self.known.borrow();
        let is_known = |key: &String| {
            known.iter().any(|name| name == key || (self.camel && camel_case(name) == *key))
        };
        let hint = |key: &String| match nearest(key, &known) {
            Some(name) => format!("; did you mean `{name}`?"),
            None if known.is_empty() => String::new(),
            None => format!("; known are {}", list(&known)),
        };
        let keys = self.map.into_iter().flat_map(Map::keys).filter(|key| !is_known(key));
        keys.map(|key| (key.clone(), hint(key))).collect()
    }
}

/// A whole number, up to the greatest uint64.
fn whole(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

/// `latency_budget_ms` as `latencyBudgetMs`.
pub fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
