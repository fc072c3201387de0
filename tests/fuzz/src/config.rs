//! The configuration reader against `toml` and `serde_json`, and the Tecton handler's over it.

use beamlet_config::{Document, Problem};
use beamlet_guest::Handler;
use beamlet_tecton::Tecton;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

/// A configuration is read as others read its format, or its problems say where it differs.
pub fn config(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);

    let document = Document::parse(Path::new("beamlet.toml"), text);
    match (document, bare.parse::<toml::Table>()) {
        (Ok(document), Ok(expected)) => {
            sound(&document);
            if document.problems().is_empty() {
                same(document.value(), &toml::Value::Table(expected));
            }
        }
        (Ok(document), Err(why)) => {
            sound(&document);
            // Beyond int64, `toml` refuses what a uint64 holds.
            let has = !document.problems().is_empty() || has_large(document.value());
            assert!(has, "`toml` refuses it: {why}");
        }
        (Err(_), expected) => assert!(expected.is_err(), "`toml` takes it"),
    }

    let document = Document::parse(Path::new("beamlet.json"), text);
    let expected = serde_json::from_str::<Value>(bare);
    match (document, expected) {
        (Ok(document), expected) => {
            sound(&document);
            assert_eq!(document.value(), &expected.expect("`serde_json` refuses it"));
            let is_told = document.problems().iter().any(|it| it.message.contains("twice"));
            assert_eq!(is_told, has_twice(bare), "a key that is there twice is a problem");
        }
        (Err(_), expected) => assert!(expected.is_err(), "`serde_json` takes it"),
    }
}

/// Problems have places that can be shown, including those of a handler.
fn sound(document: &Document) {
    let is_pointer = |problem: &Problem| problem.path.is_empty() || problem.path.starts_with('/');
    for problem in document.problems() {
        assert!(is_pointer(problem) && !problem.message.is_empty(), "{problem}");
        assert!(document.locate(problem).starts_with("beamlet."));
    }
    if let Err(problems) = Tecton::new(document.value()) {
        assert!(!problems.is_empty() && problems.iter().all(is_pointer), "{problems:?}");
    }
}

fn same(came: &Value, expected: &toml::Value) {
    let is_same = match expected {
        toml::Value::String(text) => came == text,
        toml::Value::Integer(number) => came == number,
        // JSON has no numbers that are not finite, so they are named.
        toml::Value::Float(number) if number.is_finite() => came.as_f64() == Some(*number),
        toml::Value::Float(_) => came.is_string(),
        toml::Value::Boolean(truth) => came == truth,
        toml::Value::Datetime(time) => *came == time.to_string(),
        toml::Value::Array(list) => {
            let came = came.as_array().expect("an array");
            assert_eq!(came.len(), list.len());
            return came.iter().zip(list).for_each(|(came, expected)| same(came, expected));
        }
        toml::Value::Table(table) => {
            let came = came.as_object().expect("an object");
            assert_eq!(came.len(), table.len());
            return table.iter().for_each(|(name, expected)| same(&came[name], expected));
        }
    };
    assert!(is_same, "{expected} came as {came}");
}

/// Whether there is an integer above the greatest int64.
fn has_large(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_u64() && !number.is_i64(),
        Value::Array(list) => list.iter().any(has_large),
        Value::Object(map) => map.values().any(has_large),
        _ => false,
    }
}

/// Whether an object has two members of one name.
fn has_twice(json: &str) -> bool {
    struct Members<'a>(Vec<(String, &'a RawValue)>);
    struct Visit;
    impl<'de> Visitor<'de> for Visit {
        type Value = Members<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(Members(members))
        }
    }
    impl<'de> Deserialize<'de> for Members<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Visit)
        }
    }
    if let Ok(Members(members)) = serde_json::from_str(json) {
        let mut names = HashSet::new();
        return members.iter().any(|(name, value)| !names.insert(name) || has_twice(value.get()));
    }
    let list: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
    list.iter().any(|element| has_twice(element.get()))
}
