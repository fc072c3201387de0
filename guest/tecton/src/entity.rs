//! From a row to what it asks the store for: its join keys, as Tecton wants them on the wire.

use crate::config::Retrieval;
use beamlet_guest::{Batch, Column, Error, ErrorKind, Input, Values};
use serde_json::Value;

/// What one row asks for.
pub struct Entity {
    /// The row's part of a request: members of an object, without the braces.
    pub(crate) members: String,
    /// Whether its join key is null.
    pub(crate) null_key: bool,
}

/// How a row becomes an entity.
pub(crate) enum EntityRule {
    /// One field, whose name is the join key's.
    Field(FieldRule),
}

pub(crate) struct FieldRule {
    name: String,
    /// What stands before the value: `"joinKeyMap":{"name":`.
    before: String,
}

impl EntityRule {
    pub(crate) fn new(retrieval: &Retrieval) -> Self {
        EntityRule::Field(FieldRule::new(&retrieval.entity_id))
    }

    /// The fields that the rule reads.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        match self {
            EntityRule::Field(rule) => vec![Input { name: rule.name.clone(), required: true }],
        }
    }

    /// An entity of each row.
    pub(crate) fn entities(&self, rows: &Batch) -> Result<Vec<Result<Entity, Error>>, Error> {
        match self {
            EntityRule::Field(rule) => rule.entities(rows),
        }
    }
}

impl FieldRule {
    fn new(name: &str) -> Self {
        let key = Value::from(name);
        FieldRule { name: name.to_owned(), before: format!("\"joinKeyMap\":{{{key}:") }
    }

    fn entities(&self, rows: &Batch) -> Result<Vec<Result<Entity, Error>>, Error> {
        let Some(column) = rows.column(&self.name) else {
            let message = format!("the rows have no field `{}`, which is the entity_id", self.name);
            return Err(Error::new(ErrorKind::InvalidInput, message));
        };
        let mask = column.null_mask();
        Ok(self
            .keys(column)
            .zip(mask)
            .map(|(key, null)| if null { Ok(self.null()) } else { key })
            .collect())
    }

    /// An entity of each value; of no meaning where the value is null.
    fn keys<'a>(
        &'a self,
        column: &'a Column,
    ) -> Box<dyn Iterator<Item = Result<Entity, Error>> + 'a> {
        fn integers<'a, T: itoa::Integer + Copy>(
            rule: &'a FieldRule,
            list: &'a [T],
        ) -> Box<dyn Iterator<Item = Result<Entity, Error>> + 'a> {
            Box::new(list.iter().map(|key| Ok(rule.integer(*key))))
        }
        match &column.values {
            Values::Strings(list) => Box::new(list.iter().map(|key| Ok(self.text(key)))),
            Values::Int8s(list) => integers(self, list),
            Values::Int16s(list) => integers(self, list),
            Values::Int32s(list) => integers(self, list),
            Values::Int64s(list) => integers(self, list),
            Values::Json(list) => Box::new(list.iter().map(|text| self.json(text))),
            other => {
                let kind = kind(other);
                Box::new((0..other.len()).map(move |_| Err(self.refuse(kind))))
            }
        }
    }

    fn entity(&self, null_key: bool, write: impl FnOnce(&mut String)) -> Entity {
        let mut members = String::with_capacity(self.before.len() + 24);
        members.push_str(&self.before);
        write(&mut members);
        members.push('}');
        Entity { members, null_key }
    }

    fn null(&self) -> Entity {
        self.entity(true, |out| out.push_str("null"))
    }

    fn text(&self, key: &str) -> Entity {
        self.entity(false, |out| push_json_string(out, key))
    }

    /// A decimal string: an int64 that goes out as a number loses digits in JSON parsers.
    fn integer(&self, key: impl itoa::Integer) -> Entity {
        self.entity(false, |out| {
            out.push('"');
            out.push_str(itoa::Buffer::new().format(key));
            out.push('"');
        })
    }

    fn json(&self, text: &str) -> Result<Entity, Error> {
        match serde_json::from_str(text) {
            Ok(Value::Null) => Ok(self.null()),
            Ok(Value::String(key)) => Ok(self.text(&key)),
            Ok(Value::Number(number)) if !number.is_f64() => {
                Ok(self.entity(false, |out| push_json_string(out, &number.to_string())))
            }
            Ok(other) => Err(self.refuse(beamlet_guest::config::kind(&other))),
            Err(_) => Err(self.refuse("no JSON")),
        }
    }

    fn refuse(&self, kind: &str) -> Error {
        let message =
            format!("field `{}` is {kind}; a join key is a string, an integer or null", self.name);
        Error::new(ErrorKind::InvalidInput, message)
    }
}

/// Appends a text as a JSON string.
pub(crate) fn push_json_string(out: &mut String, text: &str) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

/// What a column holds, in a sentence.
fn kind(values: &Values) -> &'static str {
    match values {
        Values::Booleans(_) => "a boolean",
        Values::Int8s(_) | Values::Int16s(_) | Values::Int32s(_) | Values::Int64s(_) => {
            "an integer"
        }
        Values::Float32s(_) | Values::Float64s(_) => "a fractional number",
        Values::Strings(_) => "a string",
        Values::Bytes(_) => "bytes",
        Values::Timestamps(_) => "a timestamp",
        Values::Dates(_) => "a date",
        Values::Decimals(_) => "a decimal",
        Values::BooleanLists(_)
        | Values::Int64Lists(_)
        | Values::Float32Lists(_)
        | Values::Float64Lists(_)
        | Values::StringLists(_) => "a list",
        Values::Json(_) => "JSON",
    }
}
