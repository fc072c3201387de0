//! Secrets in a configuration: `{ env = "NAME" }`, `{ file = "path" }`, or a text where the
//! handler's schema says `writeOnly`.

use beamlet_config::Problem;
use beamlet_egress::Secrets;
use http::HeaderValue;
use serde_json::{Map, Value};
use std::path::Path;

/// The table in which a reference to a secret may stand: elsewhere, `{ env = "prod" }` is what
/// it looks like, a value.
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
                if let Err(why) = usable(text) {
                    problem(why);
                }
                *text = secrets.keep(text);
            }
            Value::Object(map) => {
                if let Some(reference) = Reference::of(map) {
                    let placeholder = match self.read(&reference) {
                        Ok(secret) => secrets.keep(&secret),
                        Err(why) => {
                            problem(why);
                            // The handler need not say that it is missing, too.
                            secrets.keep("")
                        }
                    };
                    *value = Value::String(placeholder);
                    return;
                }
                for (name, value) in map {
                    let schema = schema.and_then(|schema| self.property(schema, name));
                    let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                    self.visit(value, schema, &path, secrets, problems);
                }
            }
            _ => {}
        }
    }

    fn read(&self, reference: &Reference<'_>) -> Result<String, String> {
        reference.read(self.directory)
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

/// Where a secret is kept.
enum Reference<'a> {
    Env(&'a str),
    File(&'a str),
}

impl<'a> Reference<'a> {
    /// An object of exactly one key, `env` or `file`, with a text.
    fn of(map: &'a Map<String, Value>) -> Option<Self> {
        let (name, value) = map.iter().next().filter(|_| map.len() == 1)?;
        match (name.as_str(), value.as_str()?) {
            ("env", name) => Some(Reference::Env(name)),
            ("file", path) => Some(Reference::File(path)),
            _ => None,
        }
    }

    /// What it refers to; the error says why it cannot be used. A file is relative to
    /// `directory`.
    fn read(&self, directory: &Path) -> Result<String, String> {
        let (secret, source) = match self {
            Reference::Env(name) => {
                let secret = std::env::var(name).map_err(|error| match error {
                    std::env::VarError::NotPresent => {
                        format!("the environment variable {name} is not set")
                    }
                    std::env::VarError::NotUnicode(_) => {
                        format!("the environment variable {name} is not UTF-8")
                    }
                })?;
                (secret, format!("the environment variable {name}"))
            }
            Reference::File(file) => {
                let path = directory.join(file);
                let secret = std::fs::read_to_string(&path).map_err(|error| {
                    format!("the file {} cannot be read: {error}", path.display())
                })?;
                (
                    secret.trim_end_matches(['\r', '\n']).to_owned(),
                    format!("the file {}", path.display()),
                )
            }
        };
        if secret.is_empty() {
            return Err(format!("{source} is empty"));
        }
        usable(&secret).map_err(|why| format!("what {source} holds {why}"))?;
        Ok(secret)
    }
}

/// The secret that a value refers to, if it is a reference.
pub(super) fn read(directory: &Path, value: &Value) -> Option<Result<String, String>> {
    Some(Reference::of(value.as_object()?)?.read(directory))
}

fn is_secret(schema: Option<&Value>) -> bool {
    schema.and_then(|schema| schema.get("writeOnly")).and_then(Value::as_bool) == Some(true)
}

/// A secret travels in a header. Says what is wrong for after the name of its key.
fn usable(secret: &str) -> Result<(), String> {
    match HeaderValue::from_str(secret) {
        Ok(_) if secret.is_ascii() && secret.trim() == secret => Ok(()),
        _ => Err("must be printable ASCII, on one line, without spaces around it".to_owned()),
    }
}
