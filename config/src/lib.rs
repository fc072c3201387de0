//! Reading a configuration, for the host and for handlers: every problem is kept with its
//! place, none ends the reading, and keys that nobody asked for are problems too.

use serde_json::{Map, Value};
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a JSON Pointer, for something missing to where it should be.
    pub path: String,
    /// What is wrong, and what to do. Never holds a secret.
    pub message: String,
}

/// As a line: the pointer, then the message.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = if self.path.is_empty() { "the configuration" } else { &self.path };
        write!(f, "{path}: {}", self.message)
    }
}

/// The problems found so far, in the order they were found.
#[derive(Default)]
pub struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// Notes a problem at a JSON Pointer.
    pub fn add(&self, path: impl Into<String>, message: impl Into<String>) {
        self.0.borrow_mut().push(Problem { path: path.into(), message: message.into() });
    }

    /// `value`, unless there was a problem.
    ///
    /// # Errors
    /// All problems.
    pub fn or<T>(self, value: Option<T>) -> Result<T, Vec<Problem>> {
        match (self.0.into_inner(), value) {
            (problems, Some(value)) if problems.is_empty() => Ok(value),
            (problems, _) => Err(problems),
        }
    }
}

/// One object of the configuration. What is read from it by name is known; the rest is told
/// as unknown when it goes out of scope by [`close`](Self::close).
pub struct Section<'a> {
    path: String,
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
        Section { path, map, known: RefCell::default(), problems }
    }

    /// The object of that name; a required one that is not there is a problem.
    pub fn section(&self, name: &'a str, required: bool) -> Section<'a> {
        let value = self.value(name);
        if required && value.is_none() && self.map.is_some() {
            self.problem(name, "is required");
        }
        let mut section = Section::of(value, self.pointer(name), self.problems);
        // What is missing has been told: its own required keys need not be.
        if value.is_none() && !required {
            section.map = None;
        }
        section
    }

    /// Whether the object is there.
    pub fn is_there(&self) -> bool {
        self.map.is_some()
    }

    /// Any value of that name; null is as good as absent.
    pub fn value(&self, name: &'a str) -> Option<&'a Value> {
        self.known.borrow_mut().push(name);
        self.map.and_then(|map| map.get(name)).filter(|value| !value.is_null())
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
        let number = self.typed(name, "a whole number", Value::as_i64)?;
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

    /// The JSON Pointer to the key of that name.
    pub fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.path, name.replace('~', "~0").replace('/', "~1"))
    }

    /// Tells every key that was not asked for, with the known one that is nearest.
    pub fn close(self) {
        let known = self.known.borrow();
        for key in
            self.map.into_iter().flat_map(Map::keys).filter(|key| !known.contains(&key.as_str()))
        {
            let hint = match nearest(key, &known) {
                Some(name) => format!("; did you mean `{name}`?"),
                None if known.is_empty() => String::new(),
                None => format!("; known are {}", list(&known)),
            };
            self.problem(key, format!("unknown key `{key}`{hint}"));
        }
    }
}

/// The known name that somebody who wrote `name` most likely meant.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|&candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Names in a sentence.
fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What a JSON value is, in a sentence.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fractional number",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems_of(config: Value, read: impl Fn(&Section<'_>)) -> Vec<(String, String)> {
        let problems = Problems::default();
        let root = Section::root(&config, &problems);
        read(&root);
        root.close();
        let all = problems.or(Some(())).err().unwrap_or_default();
        all.into_iter().map(|problem| (problem.path, problem.message)).collect()
    }

    fn pair(path: &str, message: &str) -> (String, String) {
        (path.to_owned(), message.to_owned())
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let told = problems_of(json!({"size": 12, "name": 7, "flag": "no"}), |root| {
            root.integer("size", 1..=10);
            root.required_text("name");
            root.boolean("flag");
            root.required_text("key");
        });
        assert_eq!(
            told,
            [
                pair("/size", "must be from 1 to 10, is 12"),
                pair("/name", "must be a string, is a number"),
                pair("/flag", "must be true or false, is a string"),
                pair("/key", "is required"),
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_told_with_the_nearest_known_one() {
        let told = problems_of(json!({"entity_ids": "x"}), |root| {
            root.text("entity_id");
        });
        assert_eq!(
            told,
            [pair("/entity_ids", "unknown key `entity_ids`; did you mean `entity_id`?")]
        );
    }

    #[test]
    fn a_key_with_a_slash_or_a_tilde_is_escaped_in_its_pointer() {
        let told = problems_of(json!({"a/b~c": 1}), |_| {});
        assert_eq!(told[0].0, "/a~1b~0c");
    }

    #[test]
    fn a_section_of_another_type_is_one_problem_and_not_one_a_key() {
        let told = problems_of(json!({"connection": []}), |root| {
            let connection = root.section("connection", true);
            connection.required_text("url");
            connection.close();
        });
        assert_eq!(told, [pair("/connection", "must be an object, is an array")]);
    }

    #[test]
    fn a_required_section_that_is_missing_is_one_problem() {
        let told = problems_of(json!({}), |root| {
            root.section("connection", true).required_text("url");
        });
        assert_eq!(told, [pair("/connection", "is required")]);
    }
}
