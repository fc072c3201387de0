//! The types of features, as a handler names them, and their columns in Arrow.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, TimeUnit};

use crate::json_text;
use crate::values::is_json;
use crate::write::{DECIMAL, TYPE_KEY};

/// The column of a feature that a handler declares with the type `name`; `None` for a name that is
/// no type.
///
/// `boolean`, `int8` to `int64`, `float32`, `float64`, `string`, `bytes`, `date`, `timestamp`
/// (microseconds, UTC), `decimal` (text of any precision, marked [`DECIMAL`]), `json`,
/// `array<T>`, `struct<name: T, …>` and `map<string, T>`.
pub(crate) fn field(feature: &str, name: &str) -> Option<Field> {
    let mut parser = Parser { rest: name };
    let field = parser.field(feature)?;
    parser.rest.trim().is_empty().then_some(field)
}

/// The type of a column in the words of [`field`]; in Arrow's where it has none.
pub(crate) fn name(field: &Field) -> String {
    if is_json(field) {
        return "json".to_owned();
    }
    if field.metadata().get(TYPE_KEY).is_some_and(|it| it == DECIMAL) {
        return "decimal".to_owned();
    }
    match field.data_type() {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Binary => "bytes".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp".to_owned(),
        DataType::List(item) => format!("array<{}>", name(item)),
        DataType::Struct(fields) => {
            let members: Vec<_> =
                fields.iter().map(|it| format!("{}: {}", it.name(), name(it))).collect();
            format!("struct<{}>", members.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("map<{}, {}>", name(&fields[0]), name(&fields[1]))
            }
            other => other.to_string(),
        },
        other => other.to_string().to_ascii_lowercase(),
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn field(&mut self, name: &str) -> Option<Field> {
        let end = self.rest.find(['<', '>', ',']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        let plain = |data_type| Some(Field::new(name, data_type, true));
        match word.trim() {
            "boolean" => plain(DataType::Boolean),
            "int8" => plain(DataType::Int8),
            "int16" => plain(DataType::Int16),
            "int32" => plain(DataType::Int32),
            "int64" => plain(DataType::Int64),
            "float32" => plain(DataType::Float32),
            "float64" => plain(DataType::Float64),
            "string" => plain(DataType::Utf8),
            "bytes" => plain(DataType::Binary),
            "date" => plain(DataType::Date32),
            "timestamp" => plain(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
            "json" => plain(DataType::Utf8).map(json_text::marked),
            "decimal" => {
                let metadata = HashMap::from([(TYPE_KEY.to_owned(), DECIMAL.to_owned())]);
                plain(DataType::Utf8).map(|field| field.with_metadata(metadata))
            }
            "array" => {
                self.skip('<')?;
                let item = self.field("item")?;
                self.skip('>')?;
                plain(DataType::List(Arc::new(item)))
            }
            "map" => {
                self.skip('<')?;
                let key = self.field("keys")?.with_nullable(false);
                if *key.data_type() != DataType::Utf8 || !key.metadata().is_empty() {
                    return None;
                }
                self.skip(',')?;
                let value = self.field("values")?;
                self.skip('>')?;
                let entries = DataType::Struct(Fields::from(vec![key, value]));
                plain(DataType::Map(Arc::new(Field::new("entries", entries, false)), false))
            }
            "struct" => {
                self.skip('<')?;
                let mut members: Vec<Field> = Vec::new();
                loop {
                    let (member, rest) = self.rest.split_once(':')?;
                    self.rest = rest;
                    let member = member.trim();
                    if member.is_empty() || members.iter().any(|it| it.name() == member) {
                        return None;
                    }
                    members.push(self.field(member)?);
                    if self.skip(',').is_none() {
                        break;
                    }
                }
                self.skip('>')?;
                plain(DataType::Struct(members.into()))
            }
            _ => None,
        }
    }

    fn skip(&mut self, character: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(character)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_s_name_is_its_column() {
        for text in [
            "boolean",
            "int8",
            "int64",
            "float32",
            "string",
            "bytes",
            "date",
            "timestamp",
            "decimal",
            "json",
            "array<float64>",
            "map<string, array<int64>>",
            "struct<a: int64, b c: struct<d: date>>",
            "array<decimal>",
        ] {
            assert_eq!(field("f", text).map(|it| name(&it)).as_deref(), Some(text));
        }
        assert_eq!(field("f", " array < int64 > "), field("f", "array<int64>"));
    }

    #[test]
    fn what_is_no_type_s_name_has_no_column() {
        for text in [
            "",
            "text",
            "array",
            "array<>",
            "array<int64",
            "array<int64>>",
            "map<int64, string>",
            "struct<>",
            "struct<a>",
            "struct<a: int64,>",
            "struct<a: int64, a: int64>",
            "int64 x",
        ] {
            assert_eq!(field("f", text), None, "{text}");
        }
    }
}
