//! A configuration file as one JSON value, with the line of each of its keys.

use crate::Problem;
use crate::json::{Json, NotJson, TOO_LARGE, without_mark};
use beamlet_contract::{number, pointer};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A configuration file could not be read as one. The text is never shown: it may hold secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not text.
    #[error("{}:{line}: is not UTF-8{hint}; save it as UTF-8", .path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What it looks like instead, where that is known.
        hint: &'static str,
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

/// The name of a configuration that is no file, in messages.
const NAMELESS: &str = "the configuration";

/// A configuration, parsed.
#[derive(Clone, Debug)]
pub struct Document {
    path: PathBuf,
    value: Value,
    problems: Vec<Problem>,
    /// JSON Pointer to the line of its key.
    lines: HashMap<String, usize>,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is neither TOML nor JSON.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))?;
        Document::parse(path, &text)
    }

    /// Parses a text as the file's name says.
    ///
    /// # Errors
    /// It is neither TOML nor JSON.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("toml") => toml(path, without_mark(text)),
            Some("json") => json(path, text),
            _ => Err(ConfigError::UnknownFormat(path.to_owned())),
        }
    }

    /// Parses a text, JSON where it begins with a brace and TOML else. Relative paths in it are
    /// relative to the working directory.
    ///
    /// # Errors
    /// It is neither TOML nor JSON.
    pub fn of_text(text: &str) -> Result<Self, ConfigError> {
        let path = Path::new(NAMELESS);
        let text = without_mark(text);
        if text.trim_start().starts_with('{') { json(path, text) } else { toml(path, text) }
    }

    /// A value without a text: messages name no line. Relative paths in it are relative to the
    /// working directory.
    pub fn of_value(value: Value) -> Self {
        let (problems, lines) = (Vec::new(), HashMap::new());
        Document { path: PathBuf::from(NAMELESS), value, problems, lines }
    }

    /// Problems of the text that its value does not show: keys that are there twice, numbers that do
    /// not fit.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The whole configuration, as JSON.
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

/// A text, JSON or TOML.
impl TryFrom<&str> for Document {
    type Error = ConfigError;

    fn try_from(text: &str) -> Result<Self, ConfigError> {
        Document::of_text(text)
    }
}

/// The file at a path.
impl TryFrom<&Path> for Document {
    type Error = ConfigError;

    fn try_from(path: &Path) -> Result<Self, ConfigError> {
        Document::read(path)
    }
}

impl From<Value> for Document {
    fn from(value: Value) -> Self {
        Document::of_value(value)
    }
}

fn not_utf8(path: &Path, error: &FromUtf8Error) -> ConfigError {
    let bytes = error.as_bytes();
    let valid = &bytes[..error.utf8_error().valid_up_to()];
    let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let hint = if is_utf16 { ", but looks like UTF-16" } else { "" };
    ConfigError::NotUtf8 { path: path.to_owned(), line, hint }
}

fn json(path: &Path, text: &str) -> Result<Document, ConfigError> {
    match Json::parse(text) {
        Ok(Json { value, problems, lines }) => {
            Ok(Document { path: path.to_owned(), value, problems, lines })
        }
        Err(NotJson { line, column, why }) => {
            Err(ConfigError::Syntax { path: path.to_owned(), line, column, format: "JSON", why })
        }
    }
}

fn toml(path: &Path, text: &str) -> Result<Document, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = line_and_column(text, at);
        let why = error.message().lines().collect::<Vec<_>>().join(", ");
        ConfigError::Syntax { path: path.to_owned(), line, column, format: "TOML", why }
    })?;
    let mut reading = Reading { text, problems: Vec::new(), lines: HashMap::new() };
    let value = reading.object(table.get_ref(), "");
    let Reading { problems, lines, .. } = reading;
    Ok(Document { path: path.to_owned(), value, problems, lines })
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (line, column)
}

/// Converts a TOML document to JSON.
struct Reading<'a> {
    text: &'a str,
    problems: Vec<Problem>,
    lines: HashMap<String, usize>,
}

impl Reading<'_> {
    fn object(&mut self, table: &DeTable<'_>, path: &str) -> Value {
        let mut map = Map::new();
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let path = pointer::child(path, &name);
            self.lines.insert(path.clone(), line_and_column(self.text, key.span().start).0);
            map.insert(name, self.value(value, &path));
        }
        Value::Object(map)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, path: &str) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(truth) => Value::from(*truth),
            DeValue::Integer(number) => {
                let (digits, radix) = (number.as_str(), number.radix());
                let exact = i64::from_str_radix(digits, radix).map(Value::from);
                let exact = exact.or_else(|_| u64::from_str_radix(digits, radix).map(Value::from));
                exact.unwrap_or_else(|_| self.refused(path, TOO_LARGE))
            }
            DeValue::Float(literal) => match literal.as_str().parse::<f64>() {
                Ok(float) if float.is_finite() => Value::from(float),
                // JSON has no number for these: they go by their names.
                Ok(float) if literal.as_str().ends_with(|c: char| c.is_ascii_alphabetic()) => {
                    number::name(float).map_or(Value::Null, Value::from)
                }
                _ => self.refused(path, "is a number beyond the range of a 64-bit float"),
            },
            DeValue::Datetime(time) => Value::from(time.to_string()),
            DeValue::Array(elements) => {
                let mut list = Vec::new();
                for (at, element) in elements.iter().enumerate() {
                    let path = format!("{path}/{at}");
                    let line = line_and_column(self.text, element.span().start).0;
                    self.lines.insert(path.clone(), line);
                    list.push(self.value(element, &path));
                }
                Value::Array(list)
            }
            DeValue::Table(table) => self.object(table, path),
        }
    }

    /// Notes a problem; null stands for the value.
    fn refused(&mut self, path: &str, message: &str) -> Value {
        self.problems.push(Problem { path: path.to_owned(), message: message.to_owned() });
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(name: &str, text: &str) -> Result<Document, String> {
        Document::parse(Path::new(name), text).map_err(|error| error.to_string())
    }

    fn problems(name: &str, text: &str) -> Vec<String> {
        let document = parse(name, text).unwrap();
        document.problems().iter().map(|problem| document.locate(problem)).collect()
    }

    #[test]
    fn an_integer_that_does_not_fit_is_a_problem_with_its_line() {
        let message = "is an integer that does not fit into 64 bits; where the handler takes a \
                       string, write it as one";
        assert_eq!(
            problems(
                "a.toml",
                "[b]\nok = 18446744073709551615\nn = 99999999999999999999\nl = [1,\n 0x1_0000_0000_0000_0000]\n"
            ),
            [format!("a.toml:5: /b/l/1: {message}"), format!("a.toml:3: /b/n: {message}")]
        );
        assert_eq!(
            problems("a.json", "{\"b\":\n{\"n\": -99999999999999999999}}"),
            [format!("a.json:2: /b/n: {message}")]
        );
    }

    #[test]
    fn an_integer_that_fits_is_exact_however_it_is_written() {
        let value = |text: &str| parse("a.toml", text).unwrap().value()["n"].clone();
        assert_eq!(value("n = 9_223_372_036_854_775_807"), json!(i64::MAX));
        assert_eq!(value("n = 9223372036854775808"), json!(9_223_372_036_854_775_808_u64));
        assert_eq!(value("n = 0xff"), json!(255));
        assert_eq!(value("n = +1"), json!(1));
        assert_eq!(value("n = 1_000.5"), json!(1000.5));
        assert_eq!(value("n = -inf"), json!("-Infinity"));
    }

    #[test]
    fn a_float_beyond_its_range_is_not_taken_for_infinity() {
        let found = problems("a.toml", "n = 1e400\n");
        assert_eq!(found, ["a.toml:1: /n: is a number beyond the range of a 64-bit float"]);
        assert!(parse("a.json", "{\"n\": 1e400}").unwrap_err().contains("out of range"));
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_in_both_formats() {
        assert!(parse("a.toml", "k = 1\nk = 2\n").unwrap_err().starts_with("a.toml:2:1: "));
        assert_eq!(
            problems("a.json", "{\"k\": 1,\n\"k\": 2}"),
            ["a.json:2: /k: is there twice, first on line 1; keep one"]
        );
    }

    #[test]
    fn a_byte_order_mark_is_skipped_in_both_formats() {
        assert_eq!(*parse("a.json", "\u{feff}{\"k\":1}").unwrap().value(), json!({ "k": 1 }));
        assert_eq!(*parse("a.toml", "\u{feff}k = 1").unwrap().value(), json!({ "k": 1 }));
    }

    #[test]
    fn the_extension_may_be_in_any_case() {
        assert!(parse("a.TOML", "k = 1").is_ok() && parse("a.Json", "{}").is_ok());
        assert!(parse("a.yaml", "").unwrap_err().contains(".toml or a .json"));
    }

    #[test]
    fn a_file_that_is_not_utf_8_is_reported_with_the_line() {
        let directory = std::env::temp_dir();
        let read = |name: &str, bytes: &[u8]| {
            let path = directory.join(format!("beamlet-config-{}-{name}", std::process::id()));
            std::fs::write(&path, bytes).unwrap();
            let error = Document::read(&path).unwrap_err().to_string();
            std::fs::remove_file(path).unwrap();
            error
        };
        let latin = read("latin.toml", b"a = 1\nb = '\xe9'\n");
        assert!(latin.ends_with("latin.toml:2: is not UTF-8; save it as UTF-8"), "{latin}");
        let utf16 = read("utf16.json", b"\xff\xfe{\0}\0");
        assert!(utf16.contains("looks like UTF-16"), "{utf16}");
    }
}
