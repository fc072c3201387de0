//! One row: a JSON object, kept as its text.

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A row's text, and where its fields are in it.
pub struct Row<'a> {
    text: &'a str,
    fields: Vec<(Key<'a>, &'a RawValue)>,
}

type Key<'a> = Cow<'a, str>;

/// A row that cannot be enriched, as it is no row or lacks what the handler reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its position, from 0.
    pub row: usize,
    /// What is wrong, for behind the row's number: `is a number, not an object`.
    pub what: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} {}", self.row, self.what)
    }
}

impl From<BadRow> for crate::Error {
    fn from(bad: BadRow) -> Self {
        super::invalid(bad.to_string())
    }
}

/// Why a text is no row.
#[derive(Debug, thiserror::Error)]
pub enum NotARow {
    /// It is JSON, and not an object.
    #[error("is {0}, not an object")]
    NotAnObject(&'static str),
    /// It is no JSON.
    #[error("is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is no text.
    #[error("is not UTF-8")]
    NotUtf8(#[from] std::str::Utf8Error),
}

impl<'a> Row<'a> {
    /// Reads a row.
    ///
    /// # Errors
    /// It is none; the message is for behind the row's number.
    pub fn read(text: &'a str) -> Result<Self, NotARow> {
        let text = text.trim_ascii();
        if !text.starts_with('{') {
            let other: Value = serde_json::from_str(text)?;
            return Err(NotARow::NotAnObject(crate::config::kind(&other)));
        }
        let mut parser = serde_json::Deserializer::from_str(text);
        let fields = parser.deserialize_map(Fields)?;
        parser.end()?;
        Ok(Row { text, fields })
    }

    /// The row as it was read, without the white space around it.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Whether it has a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text of a field; where the name is there twice, of the last.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.fields.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.get())
    }

    /// Appends the row as it is, but for its closing brace and white space before that.
    pub fn open(&self, out: &mut Vec<u8>) {
        let body = self.text[..self.text.len() - 1].trim_ascii_end();
        out.extend_from_slice(body.as_bytes());
    }
}

/// Reads the keys of an object, and the text of each value.
struct Fields;

impl<'a> Visitor<'a> for Fields {
    type Value = Vec<(Key<'a>, &'a RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(TextOf(key)) = map.next_key()? {
            fields.push((key, map.next_value()?));
        }
        Ok(fields)
    }
}

/// A text, borrowed where it has no escapes: a plain `Cow` would be copied.
#[derive(serde::Deserialize)]
struct TextOf<'a>(#[serde(borrow)] Key<'a>);
