//! The types of fields, and typed values of JSON.

use crate::{Texts, Values};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// The type of a field, of those that the contract has a list of values for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// `boolean`
    Boolean,
    /// `int64`
    Int64,
    /// `float32`
    Float32,
    /// `float64`
    Float64,
    /// `string`
    String,
}

/// Every type by its name.
const NAMES: [(&str, FieldType); 5] = [
    ("boolean", FieldType::Boolean),
    ("int64", FieldType::Int64),
    ("float32", FieldType::Float32),
    ("float64", FieldType::Float64),
    ("string", FieldType::String),
];

impl FieldType {
    /// The names of all types, as the contract spells them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// No value of this type yet.
    pub(crate) fn values(self) -> Values {
        match self {
            FieldType::Boolean => Values::Booleans(Vec::new()),
            FieldType::Int64 => Values::Int64s(Vec::new()),
            FieldType::Float32 => Values::Float32s(Vec::new()),
            FieldType::Float64 => Values::Float64s(Vec::new()),
            FieldType::String => Values::Strings(Texts::new()),
        }
    }

    /// Whether a JSON value is of this type. An int64 may be a decimal string, a float one of
    /// `NaN`, `Infinity` and `-Infinity`.
    pub fn takes(self, value: &Value) -> bool {
        let mut values = self.values();
        values.push_json(value)
    }
}

/// As the contract spells it.
impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, of)| of == self).map(|(name, _)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

/// Of the contract's spelling; the error tells the names that there are.
impl FromStr for FieldType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(name, _)| *name == text).map(|(_, of)| *of);
        found.ok_or_else(|| {
            let names: Vec<&str> = FieldType::names().collect();
            format!("must be a type: {}", crate::config::list(&names))
        })
    }
}

impl Values {
    /// Appends a JSON value; false, and nothing done, where it is not of the type of these.
    pub(crate) fn push_json(&mut self, value: &Value) -> bool {
        fn push<T>(list: &mut Vec<T>, value: Option<T>) -> bool {
            let there = value.is_some();
            list.extend(value);
            there
        }
        match self {
            Values::Booleans(list) => push(list, value.as_bool()),
            Values::Int64s(list) => push(list, integer(value)),
            Values::Float32s(list) => push(list, float(value).map(|value| value as f32)),
            Values::Float64s(list) => push(list, float(value)),
            Values::Strings(texts) => match value.as_str() {
                Some(text) => {
                    texts.push(text);
                    true
                }
                None => false,
            },
            _ => false,
        }
    }
}

/// A whole number; beyond what all JSON parsers hold exactly, stores send it as a string.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// A number, or the name of one that JSON has not.
fn float(value: &Value) -> Option<f64> {
    match value.as_str() {
        None => value.as_f64(),
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_type_is_what_its_name_says_and_another_name_is_told_those_there_are() {
        for name in FieldType::names() {
            assert_eq!(name.parse::<FieldType>().unwrap().to_string(), name);
        }
        assert_eq!(
            "int".parse::<FieldType>().unwrap_err(),
            "must be a type: `boolean`, `int64`, `float32`, `float64`, `string`"
        );
    }

    #[test]
    fn a_type_takes_its_own_values_and_the_spellings_of_what_json_has_not() {
        let takes = |of: FieldType, value: Value| of.takes(&value);
        assert!(takes(FieldType::Int64, json!(i64::MIN)));
        assert!(takes(FieldType::Int64, json!("9223372036854775807")));
        assert!(!takes(FieldType::Int64, json!(1.5)));
        assert!(!takes(FieldType::Int64, json!("9223372036854775808")));
        assert!(takes(FieldType::Float32, json!("NaN")));
        assert!(takes(FieldType::Float64, json!(1)));
        assert!(!takes(FieldType::Float64, json!("nan")));
        assert!(takes(FieldType::String, json!("")));
        assert!(!takes(FieldType::String, json!(7)));
        assert!(takes(FieldType::Boolean, json!(false)));
        assert!(!takes(FieldType::Boolean, json!(0)));
    }
}
