//! Secrets in a configuration: `{ env = "NAME" }`, `{ file = "path" }`, or a text where the
//! handler's schema says `writeOnly`.

use beamlet_config::{Problem, Reference, usable_secret};
use beamlet_contract::pointer;
use beamlet_egress::Secrets;
use serde_json::Value;
use std::path::Path;

/// The table in which a reference to a secret may be. Elsewhere, `{ env = "prod" }` is a value.
const TABLE: &str = "connection";

/// Takes secrets out of a handler's configuration.
pub(super) struct Resolver<'a> {
    directory: &'a Path,
    schema: &'a Value,
}

impl<'a> Resolver<'a> {
    /// Files are relative to `directory`.
    pub(super) fn new(directory: &'a Path, schema: &'a Value) -> Self {
        Resolver { directory, schema }
    }

    /// Puts a placeholder where a secret is, or is referred to.
    pub(super) fn resolve(
        &self,
        handler: &mut Value,
        secrets: &mut Secrets,
        problems: &mut Vec<Problem>,
    ) {
        if let Some(table) = handler.get_mut(TABLE) {
            let schema = self.property(self.schema, TABLE);
            self.visit(table, schema, &format!("/{TABLE}"), secrets, problems);
        }
    }

    fn visit(
        &self,
        value: &mut Value,
        schema: Option<&Value>,
        path: &str,
        secrets: &mut Secrets,
        problems: &mut Vec<Problem>,
    ) {
        let mut problem =
            |message: String| problems.push(Problem { path: path.to_owned(), message });
        match value {
            Value::String(text) if is_secret(schema) && !text.is_empty() => {
                let secret = usable_secret(text).unwrap_or_else(|why| {
                    problem(why.to_owned());
                    text
                });
                *text = secrets.keep(secret);
            }
            Value::Object(map) => {
                if let Some(reference) = Reference::of(map) {
                    let placeholder = match reference.read(self.directory) {
                        Ok(secret) => secrets.keep(&secret),
                        Err(why) => {
                            problem(why);
                            // With a placeholder, the handler does not report it as missing, too.
                            secrets.keep("")
                        }
                    };
                    *value = Value::String(placeholder);
                    return;
                }
                for (name, value) in map {
                    let schema = schema.and_then(|schema| self.property(schema, name));
                    let path = pointer::child(path, name);
                    self.visit(value, schema, &path, secrets, problems);
                }
            }
            _ => {}
        }
    }

    /// Where a text is a secret itself, and no reference to one: JSON Pointers.
    pub(super) fn literals(&self, handler: &Value) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(table) = handler.get(TABLE) {
            self.find(table, self.property(self.schema, TABLE), &format!("/{TABLE}"), &mut found);
        }
        found
    }

    fn find(&self, value: &Value, schema: Option<&Value>, path: &str, found: &mut Vec<String>) {
        match value {
            Value::String(text) if is_secret(schema) && !text.is_empty() => {
                found.push(path.to_owned());
            }
            Value::Object(map) if Reference::of(map).is_none() => {
                for (name, value) in map {
                    let schema = schema.and_then(|schema| self.property(schema, name));
                    self.find(value, schema, &pointer::child(path, name), found);
                }
            }
            _ => {}
        }
    }

    /// The schema of a property, through references within the document.
    fn property<'s>(&'s self, schema: &'s Value, name: &str) -> Option<&'s Value> {
        let schema = self.follow(schema);
        let named = schema.get("properties").and_then(|properties| properties.get(name));
        named.or_else(|| schema.get("additionalProperties")).map(|schema| self.follow(schema))
    }

    fn follow<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let target =
            schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        target.and_then(|pointer| self.schema.pointer(pointer)).unwrap_or(schema)
    }
}

/// The secret that a value refers to, if it is a reference.
pub(super) fn read(directory: &Path, value: &Value) -> Option<Result<String, String>> {
    Some(Reference::of(value.as_object()?)?.read(directory))
}

fn is_secret(schema: Option<&Value>) -> bool {
    schema.and_then(|schema| schema.get("writeOnly")).and_then(Value::as_bool) == Some(true)
}
