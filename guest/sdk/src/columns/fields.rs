//! Fields that a configuration declares, and the answer for rows of JSON objects.

use super::cells::{Cell, column};
use crate::config::Section;
use crate::contract::EXPECTED;
use crate::{Batch, Enriched, Error, ErrorKind, Field, FieldType, RowFailure};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Fields that come out, with their types, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, FieldType)>);

/// What a store has for one row.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// The fields of what the key names; one that is not there, or null, comes out as null.
    Values(&'a Map<String, Value>),
    /// The store does not know the key.
    Missing,
    /// The key is null.
    NullKey,
}

impl Fields {
    /// Reads an object of names and types. A text that is not a type is a problem.
    pub fn read(section: &Section<'_>) -> Self {
        let mut fields = Vec::new();
        for (name, value) in section.entries() {
            match value.as_str().map(str::parse::<FieldType>) {
                Some(Ok(of)) => fields.push((name.to_owned(), of)),
                Some(Err(why)) => section.problem(name, why.to_string()),
                None => section.problem(name, format!("must be a type: {EXPECTED}")),
            }
        }
        Fields(fields)
    }

    /// The JSON Schema of what [`read`](Self::read) reads.
    pub fn schema() -> Value {
        json!({
            "type": "object",
            "description": "The fields that come out: names, and their types.",
            "additionalProperties": {
                "type": "string",
                "examples": ["int64", "array<float32>", "struct<a: date, b: decimal>"],
            },
        })
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields, for [`Handler::outputs`](crate::Handler::outputs).
    pub fn outputs(&self) -> Vec<Field> {
        let field =
            |(name, of): &(String, FieldType)| Field { name: name.clone(), type_: of.to_string() };
        self.0.iter().map(field).collect()
    }

    /// The answer for rows, in their order. A row with a value that is not of its field's type
    /// fails alone.
    pub fn enriched(&self, rows: &[Found<'_>]) -> Enriched {
        let failures = self.failures(rows);
        let mut enriched = Enriched::none();
        for (row, found) in (0..).zip(rows) {
            match found {
                Found::Missing => enriched.missing.push(row),
                Found::NullKey => enriched.null_keys.push(row),
                Found::Values(_) => {}
            }
        }
        let columns = self.0.iter().map(|(name, of)| {
            let cells = (0..).zip(rows).map(|(row, found)| match failures.contains_key(&row) {
                true => Cell::Null,
                false => found.cell(name),
            });
            column(name, of, cells.collect()).expect("rows with other values have failed")
        });
        enriched.fields = Batch { rows: rows.len() as u32, columns: columns.collect() };
        let failed = failures.into_iter().map(|(row, error)| RowFailure { row, error });
        enriched.failures = failed.collect();
        enriched
    }

    /// The errors of rows with a value that is not of its field's type.
    fn failures(&self, rows: &[Found<'_>]) -> BTreeMap<u32, Error> {
        let mut failures = BTreeMap::new();
        for (name, of) in &self.0 {
            if column(name, of, rows.iter().map(|found| found.cell(name)).collect()).is_ok() {
                continue;
            }
            for (row, found) in (0..).zip(rows) {
                if let Err(why) = column(name, of, vec![found.cell(name)]) {
                    let error =
                        || Error::new(ErrorKind::BadResponse, format!("field `{name}` {why}"));
                    failures.entry(row).or_insert_with(error);
                }
            }
        }
        failures
    }
}

impl<'a> Found<'a> {
    fn cell(&self, name: &str) -> Cell<'a> {
        match self {
            Found::Values(values) => values.get(name).map_or(Cell::Null, Cell::from),
            Found::Missing | Found::NullKey => Cell::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Values;
    use crate::config::Problems;

    fn read(fields: &Value) -> Result<Fields, Vec<crate::config::Problem>> {
        let problems = Problems::default();
        let fields = Fields::read(&Section::root(fields, &problems));
        problems.or(Some(fields))
    }

    #[test]
    fn rows_become_columns_with_nulls_where_there_is_nothing() {
        let fields = read(&json!({ "year": "int64", "model": "string" })).unwrap();
        let known = json!({ "model": "A320", "year": "1998" });
        let wrong = json!({ "model": 320 });
        let known = Found::Values(known.as_object().unwrap());
        let wrong = Found::Values(wrong.as_object().unwrap());
        let answer = fields.enriched(&[Found::Missing, known, Found::NullKey, wrong]);
        assert_eq!((answer.missing, answer.null_keys), (vec![0], vec![2]));
        assert_eq!(answer.failures[0].row, 3);
        assert_eq!(
            answer.failures[0].error.message,
            "field `model` is declared string and is a number"
        );
        let [year, model] = &answer.fields.columns[..] else { panic!("two columns") };
        let Values::Int64s(years) = &year.values else { panic!("not int64") };
        assert_eq!(
            (years.as_slice(), year.nulls.as_slice()),
            (&[0, 1998, 0, 0][..], &[0, 2, 3][..])
        );
        let Values::Strings(models) = &model.values else { panic!("not string") };
        assert_eq!(models.iter().collect::<Vec<_>>(), ["", "A320", "", ""]);
        assert_eq!(answer.fields.rows, 4);
    }

    #[test]
    fn a_field_without_a_valid_type_is_a_problem_at_its_place() {
        let problems = read(&json!({ "a": "int64", "b": "number", "c": 5 })).unwrap_err();
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["/b", "/c"]);
    }
}
