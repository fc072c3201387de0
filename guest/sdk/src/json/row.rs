//! Rows: JSON objects, kept as their text, and the columns that a handler reads of them.

use crate::{Batch, Column, Error, ErrorKind, Texts, Values};
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

/// A row that cannot be enriched: it is not an object, or lacks a field that the handler reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its position, from 0.
    pub row: usize,
    /// What is wrong, for the end of a message: `is a number, not an object`.
    pub what: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} {}", self.row, self.what)
    }
}

impl From<BadRow> for Error {
    fn from(bad: BadRow) -> Self {
        Error::new(ErrorKind::InvalidInput, bad.to_string())
    }
}

/// Why a text is not a row.
#[derive(Debug, thiserror::Error)]
pub enum NotARow {
    /// It is JSON of another kind.
    #[error("is {0}, not an object")]
    NotAnObject(&'static str),
    /// It is not JSON.
    #[error("is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is not a text.
    #[error("is not UTF-8")]
    NotUtf8(#[from] std::str::Utf8Error),
}

impl<'a> Row<'a> {
    /// Reads a row.
    ///
    /// # Errors
    /// It is not a row. The message is for the end of one that has the row's number.
    pub fn read(text: &'a str) -> Result<Self, NotARow> {
        let text = text.trim_ascii();
        if !text.starts_with('{') {
            let other: Value = serde_json::from_str(text)?;
            return Err(NotARow::NotAnObject(crate::config::kind(&other)));
        }
        let mut parser = serde_json::Deserializer::from_str(text);
        let fields = parser.deserialize_map(FieldsVisitor)?;
        parser.end()?;
        Ok(Row { text, fields })
    }

    /// The row's text, without white space before and behind it.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Whether it has a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text of a field: of the last one, where two have the name.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.fields.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.get())
    }

    /// Appends the row's text without its closing brace and the white space before that.
    pub fn open(&self, out: &mut Vec<u8>) {
        let body = self.text[..self.text.len() - 1].trim_ascii_end();
        out.extend_from_slice(body.as_bytes());
    }
}

/// Reads the keys of an object, and the text of each value.
struct FieldsVisitor;

impl<'a> Visitor<'a> for FieldsVisitor {
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

/// A text, borrowed where it has no escapes. serde would copy it into a `Cow`.
#[derive(serde::Deserialize)]
struct TextOf<'a>(#[serde(borrow)] Key<'a>);

/// The columns of the inputs. Each input is a name, and whether every row must have the field.
///
/// # Errors
/// The first row that lacks a required field.
pub fn to_batch(rows: &[Row<'_>], inputs: &[(&str, bool)]) -> Result<Batch, BadRow> {
    let column = |&(name, required): &(&str, bool)| {
        let mut values = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            values.push(match row.get(name) {
                None if required => {
                    return Err(BadRow { row: at, what: format!("has no field `{name}`") });
                }
                None => Value::Null,
                // The row was read, so this is JSON.
                Some(text) => serde_json::from_str(text).unwrap_or_default(),
            });
        }
        Ok(to_column(name, &values))
    };
    let columns = inputs.iter().map(column).collect::<Result<_, _>>()?;
    Ok(Batch { rows: rows.len() as u32, columns })
}

/// A column of the narrowest type that holds all values exactly.
fn to_column(name: &str, values: &[Value]) -> Column {
    fn all<T: Default>(values: &[Value], read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        values
            .iter()
            .map(|value| if value.is_null() { Some(T::default()) } else { read(value) })
            .collect()
    }
    fn texts(values: &[Value]) -> Option<Texts> {
        fn text(value: &Value) -> Option<&str> {
            if value.is_null() { Some("") } else { value.as_str() }
        }
        values
            .iter()
            .all(|value| text(value).is_some())
            .then(|| values.iter().filter_map(text).collect())
    }
    let typed = texts(values)
        .map(Values::Strings)
        .or_else(|| all(values, Value::as_i64).map(Values::Int64s))
        .or_else(|| all(values, |v| v.as_f64().filter(|_| v.is_f64())).map(Values::Float64s))
        .or_else(|| all(values, Value::as_bool).map(Values::Booleans))
        .unwrap_or_else(|| Values::Json(values.iter().map(ToString::to_string).collect()));
    let null = values.iter().enumerate().filter(|(_, value)| value.is_null());
    Column { name: name.to_owned(), values: typed, nulls: null.map(|(at, _)| at as u32).collect() }
}
