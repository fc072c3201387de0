//! Reads a type from text: `int64`, `array<string>`, `struct<a: string, b: float64>`,
//! `map<string, int64>`, and `name: type`.

use super::{DataType, Field};

/// Text that is no type: what was expected, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no type: expected {expected} at character {position}")]
pub struct DataTypeError {
    /// The whole text.
    pub text: String,
    /// What would have been right.
    pub expected: &'static str,
    /// Where, counted in characters from 1.
    pub position: usize,
}

const A_TYPE: &str = "one of int64, float32, float64, boolean, string, timestamp, array<…>, struct<name: …>, map<string, …>";

/// Nested deeper than this, a type is refused, so that no text overflows the stack.
const MAX_DEPTH: usize = 32;

pub(super) fn data_type(text: &str) -> Result<DataType, DataTypeError> {
    let mut parser = Parser::new(text);
    let found = parser.data_type(0)?;
    parser.end()?;
    Ok(found)
}

pub(super) fn field(text: &str) -> Result<Field, DataTypeError> {
    let mut parser = Parser::new(text);
    let found = parser.field(0)?;
    parser.end()?;
    Ok(found)
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, rest: text }
    }

    fn data_type(&mut self, depth: usize) -> Result<DataType, DataTypeError> {
        if depth > MAX_DEPTH {
            return Err(self.expected("at most 32 levels of nesting"));
        }
        self.skip_space();
        let before = self.rest;
        match self.word() {
            "int64" => Ok(DataType::Int64),
            "float32" => Ok(DataType::Float32),
            "float64" => Ok(DataType::Float64),
            "boolean" => Ok(DataType::Boolean),
            "string" => Ok(DataType::String),
            "timestamp" => Ok(DataType::Timestamp),
            "array" => {
                self.symbol('<', "`<` and the type of the elements")?;
                let element = self.data_type(depth + 1)?;
                self.symbol('>', "`>`")?;
                Ok(DataType::array(element))
            }
            "struct" => {
                self.symbol('<', "`<` and the fields")?;
                let fields = self.fields(depth + 1)?;
                Ok(DataType::Struct(fields))
            }
            "map" => {
                self.symbol('<', "`<string, ` and the type of the values")?;
                self.skip_space();
                let before = self.rest;
                if self.word() != "string" {
                    self.rest = before;
                    return Err(self.expected("string, the only type a map's keys have"));
                }
                self.symbol(',', "`,` and the type of the values")?;
                let value = self.data_type(depth + 1)?;
                self.symbol('>', "`>`")?;
                Ok(DataType::map(value))
            }
            _ => {
                self.rest = before;
                Err(self.expected(A_TYPE))
            }
        }
    }

    fn fields(&mut self, depth: usize) -> Result<Vec<Field>, DataTypeError> {
        let mut fields: Vec<Field> = Vec::new();
        loop {
            let before = self.rest;
            let field = self.field(depth)?;
            if fields.iter().any(|other| other.name == field.name) {
                self.rest = before;
                return Err(self.expected("a field of another name"));
            }
            fields.push(field);
            self.skip_space();
            if !self.rest.starts_with(',') {
                self.symbol('>', "`,` or `>`")?;
                return Ok(fields);
            }
            self.rest = &self.rest[1..];
        }
    }

    fn field(&mut self, depth: usize) -> Result<Field, DataTypeError> {
        self.skip_space();
        let name = self.word();
        if name.is_empty() {
            return Err(self.expected("a name"));
        }
        self.symbol(':', "`:` and a type")?;
        Ok(Field::new(name, self.data_type(depth)?))
    }

    fn word(&mut self) -> &'t str {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let length = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        word
    }

    fn symbol(&mut self, symbol: char, expected: &'static str) -> Result<(), DataTypeError> {
        self.skip_space();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.expected(expected)),
        }
    }

    fn end(&mut self) -> Result<(), DataTypeError> {
        self.skip_space();
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(self.expected("nothing more")),
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn expected(&self, expected: &'static str) -> DataTypeError {
        let read = &self.text[..self.text.len() - self.rest.len()];
        DataTypeError { text: self.text.to_owned(), expected, position: read.chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        data_type(text).unwrap_err().to_string()
    }

    #[test]
    fn every_type_reads_back_as_it_is_written() {
        for text in [
            "int64",
            "float32",
            "float64",
            "boolean",
            "string",
            "timestamp",
            "array<string>",
            "struct<a: string, b: float64>",
            "map<string, int64>",
            "array<struct<a: map<string, array<timestamp>>>>",
        ] {
            assert_eq!(data_type(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn space_does_not_matter() {
        let tight = data_type("struct<a:string,b:map<string,int64>>").unwrap();
        let loose = data_type(" struct < a : string , b : map < string , int64 > > ").unwrap();
        assert_eq!(tight, loose);
    }

    #[test]
    fn an_error_says_what_was_expected_and_where() {
        assert!(problem("int46").contains("expected one of int64"));
        assert!(problem("array<string").contains("expected `>` at character 13"));
        assert!(problem("map<int64, string>").contains("expected string"));
        assert!(problem("struct<a: string, a: int64>").contains("another name at character 18"));
        assert!(problem("int64 x").contains("nothing more at character 7"));
    }

    #[test]
    fn a_type_nested_without_end_is_refused() {
        assert!(problem(&"array<".repeat(100_000)).contains("32 levels"));
    }

    #[test]
    fn a_field_is_a_name_with_a_type() {
        let found = field("user_id: int64").unwrap();
        assert_eq!(found, Field::new("user_id", DataType::Int64));
        assert!(field("user_id").is_err());
    }

    #[test]
    fn nested_types_have_tectons_json() {
        let found = data_type("map<string, struct<a: array<int64>>>").unwrap();
        assert_eq!(
            found.json(),
            r#"{"type":"map","keyType":{"type":"string"},"valueType":{"type":"struct","fields":[{"name":"a","dataType":{"type":"array","elementType":{"type":"int64"}}}]}}"#
        );
    }
}
