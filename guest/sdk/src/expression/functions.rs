//! The functions of an expression: CEL's own, those of its strings extension, and what the
//! `cel` crate has only with larger dependencies.

use super::time;
use cel::common::types::{CelBool, CelString, Kind, Type};
use cel::common::value::{StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError, extensions};
use regex_lite::Regex;
use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;

/// Functions that an expression may call. Each was checked for what a row can make it do: `format`
/// is not among them, as its widths are not bounded.
const FUNCTIONS: [&str; 36] = [
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "replace",
    "reverse",
    "size",
    "split",
    "startsWith",
    "string",
    "substring",
    "timestamp",
    "trim",
    "type",
    "uint",
    "upperAscii",
];
/// Macros: the parser replaces their calls.
const MACROS: [&str; 6] = ["has", "all", "exists", "exists_one", "map", "filter"];

/// Functions of this crate that the `cel` crate has, too, for types of its own. It has them with a
/// feature that another crate of the same build can switch on. Once an expression is read, ours have
/// other names, so that the two cannot be confused.
const OURS: [(&str, &str); 2] = [("duration", "@duration"), ("timestamp", "@timestamp")];

/// The name of a function once an expression is read.
pub(super) fn name_within(name: &str) -> &str {
    OURS.iter().find(|(written, _)| *written == name).map_or(name, |(_, within)| within)
}

/// Whether it is an operator, or a function that can be called.
pub(super) fn is_known(name: &str) -> bool {
    name.starts_with(['_', '@', '!', '-']) || FUNCTIONS.contains(&name)
}

/// The names of functions and macros, for hints.
pub(super) fn names() -> Vec<&'static str> {
    FUNCTIONS.into_iter().chain(MACROS).collect()
}

/// All functions, for the interpreter.
pub(super) fn environment() -> Env {
    let mut env = Env::default().with_optional_support(false).with_stdlib();
    // Only a name that is declared twice fails, and a test checks that there is none.
    let _ = register(&mut env);
    env
}

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_extension(extensions::strings)?;
    cel::add_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>,
        id = "matches")?;
    cel::add_member_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>,
        id = "string.matches")?;
    time::register(env)
}

/// How many compiled patterns are cached: most expressions have one, which is a constant.
const PATTERNS: usize = 32;

fn matches(text: &CelString<'_>, pattern: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    thread_local! {
        static CACHE: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    CACHE.with_borrow_mut(|cache| {
        if let Some(regex) = cache.get(pattern.inner()) {
            return Ok(regex.is_match(text.inner()).into());
        }
        let regex = Regex::new(pattern.inner())
            .map_err(|_| ExecutionError::function_error("matches", "the pattern is not valid"))?;
        let matched = regex.is_match(text.inner());
        if cache.len() >= PATTERNS {
            cache.clear();
        }
        cache.insert(pattern.inner().to_owned(), regex);
        Ok(matched.into())
    })
}

/// A value that no function takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nothing(pub(super) &'static str);

static NOTHING: Type = Type::simple_type(Kind::Error, "a value out of range");

impl Val for Nothing {
    fn get_type(&self) -> &Type {
        &NOTHING
    }

    fn cel_type() -> &'static Type {
        &NOTHING
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Nothing {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_declared_and_none_twice() {
        let mut env = Env::default().with_optional_support(false).with_stdlib();
        register(&mut env).unwrap();
    }
}
