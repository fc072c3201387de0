//! Reads configurations, for hosts and for handlers. Every problem is collected with its place and none
//! ends the reading; an unknown key is a problem, too.

use serde_json::Value;
use std::cell::RefCell;

#[cfg(feature = "file")]
mod document;
mod json;
mod secret;
mod section;
mod url;

#[cfg(feature = "file")]
pub use document::{ConfigError, Document};
pub use json::{Json, NotJson};
pub use secret::{Reference, usable_secret};
pub use section::{Section, camel_case};
pub use url::parse_url;

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

/// The problems found so far, in the order they were found, and the warnings.
#[derive(Default)]
pub struct Problems {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl Problems {
    /// Notes a problem at a JSON Pointer.
    pub fn add(&self, path: impl Into<String>, message: impl Into<String>) {
        let problem = Problem { path: path.into(), message: message.into() };
        self.problems.borrow_mut().push(problem);
    }

    /// Notes a warning at a JSON Pointer.
    pub fn warn(&self, path: impl Into<String>, message: impl Into<String>) {
        let warning = Problem { path: path.into(), message: message.into() };
        self.warnings.borrow_mut().push(warning);
    }

    /// Takes the warnings so far.
    pub fn warnings(&self) -> Vec<Problem> {
        self.warnings.take()
    }

    /// `value`, unless there was a problem.
    ///
    /// # Errors
    /// All problems.
    pub fn or<T>(self, value: Option<T>) -> Result<T, Vec<Problem>> {
        match (self.problems.into_inner(), value) {
            (problems, Some(value)) if problems.is_empty() => Ok(value),
            (problems, _) => Err(problems),
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
pub fn list(names: &[&str]) -> String {
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
mod tests;
