//! A configuration file as one JSON value, with the line of each of its keys.

use beamlet_config::Problem;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A configuration file could not be read as one. The text is never shown: it may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The name says neither TOML nor JSON.
    #[error("{}: a configuration is a .toml or a .json file", .0.display())]
    UnknownFormat(PathBuf),
    /// The text is not of the format that its name says.
    #[error("{}:{line}:{column}: is not {format}: {why}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// TOML or JSON.
        format: &'static str,
        /// What the parser says.
        why: String,
    },
}

/// A configuration file, parsed.
#[derive(Clone, Debug)]
pub struct Document {
    path: PathBuf,
    value: Value,
    /// JSON Pointer to the line where its key stands; of TOML only.
    lines: HashMap<String, usize>,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is neither TOML nor JSON.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Document::parse(path, &text)
    }

    /// Parses a text as the file's name says.
    ///
    /// # Errors
    /// It is neither TOML nor JSON.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut lines = HashMap::new();
        let value = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => toml(path, text, &mut lines)?,
            Some("json") => json(path, text)?,
            _ => return Err(ConfigError::UnknownFormat(path.to_owned())),
        };
        Ok(Document { path: path.to_owned(), value, lines })
    }

    /// The whole, as JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The file's directory: what relative paths in it are relative to.
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// A problem as a line for a person: file, line where it is known, pointer, message.
    pub fn locate(&self, problem: &Problem) -> String {
        let path = self.path.display();
        match self.line(&problem.path) {
            Some(line) => format!("{path}:{line}: {problem}"),
            None => format!("{path}: {problem}"),
        }
    }

    /// The line of a key, or of the nearest table around what is not there.
    pub fn line(&self, pointer: &str) -> Option<usize> {
        let mut pointer = pointer;
        loop {
            if let Some(line) = self.lines.get(pointer) {
                return Some(*line);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

fn json(path: &Path, text: &str) -> Result<Value, ConfigError> {
    serde_json::from_str(text).map_err(|error| {
        let why = error.to_string();
        // serde_json appends the place, which is told in front.
        let why = why.split(" at line ").next().unwrap_or_default().to_owned();
        let (line, column) = (error.line(), error.column());
        ConfigError::Syntax { path: path.to_owned(), line, column, format: "JSON", why }
    })
}

fn toml(path: &Path, text: &str, lines: &mut HashMap<String, usize>) -> Result<Value, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = line_and_column(text, at);
        let why = error.message().lines().collect::<Vec<_>>().join(", ");
        ConfigError::Syntax { path: path.to_owned(), line, column, format: "TOML", why }
    })?;
    Ok(object(table.get_ref(), "", text, lines))
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

fn object(
    table: &DeTable<'_>,
    path: &str,
    text: &str,
    lines: &mut HashMap<String, usize>,
) -> Value {
    let mut map = Map::new();
    for (key, value) in table {
        let name = key.get_ref().to_string();
        let pointer = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        lines.insert(pointer.clone(), line_and_column(text, key.span().start).0);
        map.insert(name, convert(value, &pointer, text, lines));
    }
    Value::Object(map)
}

fn convert(
    value: &Spanned<DeValue<'_>>,
    path: &str,
    text: &str,
    lines: &mut HashMap<String, usize>,
) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => {
            let number: f64 = number.as_str().parse().unwrap_or(f64::NAN);
            // JSON has no other numbers: those go by their names.
            if number.is_finite() { Value::from(number) } else { Value::from(special(number)) }
        }
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(at, element)| convert(element, &format!("{path}/{at}"), text, lines))
            .collect(),
        DeValue::Table(table) => object(table, path, text, lines),
    }
}

fn special(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}
