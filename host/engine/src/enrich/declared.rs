//! The fields that come out of an enricher are fixed when it is set up: those that the store declares, or
//! else those of its first answer. An answer that differs, because the store was changed since, is
//! brought into that form.

use super::answers::Answers;
use crate::columns::{declared, is_of};
use crate::plugin::{ErrorKind, HandlerError, OutputField};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use beamlet_contract::FieldType;
use beamlet_contract::arrow::{self, field_type, is_json, type_name};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tracing::warn;

/// The fields that come out.
#[derive(Default)]
pub(super) struct Declared {
    fields: OnceLock<Vec<Expected>>,
    /// Names that a warning was logged for.
    warned: Mutex<BTreeSet<String>>,
}

/// A field that comes out.
struct Expected {
    name: String,
    /// As the handler declares it, or as it came first.
    type_name: String,
    /// `None` where any column fits: JSON that came undeclared, or an unknown type.
    of: Option<FieldType>,
}

/// Rows with a value of another type: positions among the answers, and why each fails.
pub(super) type Wrong = Vec<(usize, HandlerError)>;

impl Declared {
    /// The fields that the store declares, which may be none.
    pub(super) fn new(outputs: &[OutputField]) -> Self {
        let declared = Declared::default();
        if !outputs.is_empty() {
            let expected = |output: &OutputField| Expected {
                name: output.name.clone(),
                type_name: output.data_type.clone(),
                of: output.data_type.parse().ok(),
            };
            let _ = declared.fields.set(outputs.iter().map(expected).collect());
        }
        declared
    }

    /// The schema of the features, where the store declares them.
    pub(super) fn schema(&self) -> Option<SchemaRef> {
        let fields = self.fields.get()?.iter().map(|expected| {
            let of = expected.of.as_ref()?;
            Some(declared(&expected.name, of))
        });
        fields.collect::<Option<Vec<Field>>>().map(|fields| Arc::new(Schema::new(fields)))
    }

    /// Brings the parts of answers into the declared form: in the declared order, null for a field that
    /// did not come, and without fields that are not declared. Returns the rows that have a value of
    /// another type.
    pub(super) fn conform(&self, answers: &mut Answers) -> Wrong {
        let mut wrong = Vec::new();
        for at in 0..answers.parts.len() {
            let part = &answers.parts[at];
            if part.num_columns() == 0 {
                continue;
            }
            let fields = self.fields.get_or_init(|| {
                part.schema_ref().fields().iter().map(|field| Expected::of_field(field)).collect()
            });
            if is_conforming(part, fields) {
                continue;
            }
            let (part, others) = self.conformed(part, fields);
            answers.parts[at] = part;
            let of_part = answers.rows.iter().enumerate().filter_map(|(row, answer)| {
                let (part, at_row) = answer.place?;
                (part as usize == at).then_some((row, at_row as usize))
            });
            for (row, at_row) in of_part {
                let first = others.iter().find(|(column, _)| column.is_valid(at_row));
                if let Some((_, message)) = first {
                    wrong.push((row, failure(message.clone())));
                }
            }
        }
        wrong
    }

    /// The part in the declared form, and its columns of another type, each with a message.
    fn conformed(
        &self,
        part: &RecordBatch,
        fields: &[Expected],
    ) -> (RecordBatch, Vec<(ArrayRef, String)>) {
        let (mut schema, mut columns, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let nulls = |name: &str| -> (FieldRef, ArrayRef) {
            let field = Arc::new(Field::new(name, DataType::Utf8, true));
            (field, Arc::new(StringArray::new_null(part.num_rows())))
        };
        for expected in fields {
            let name = expected.name.as_str();
            let came = part.schema_ref().column_with_name(name);
            let (field, column) = match came {
                None => {
                    self.warn(
                        name,
                        "a declared feature is not in the store's answers any more; it is null",
                    );
                    nulls(name)
                }
                Some((at, field)) if expected.is_nested(field) => {
                    let (fitting, unfit) = expected.fitting(part.column(at));
                    if let Some(unfit) = unfit {
                        let message = format!(
                            "feature `{name}` is declared {} and came as another value; it was \
                             changed in the store since the run began, start the run anew",
                            expected.type_name,
                        );
                        others.push((unfit, message));
                    }
                    (Arc::new(field.clone()), fitting)
                }
                Some((at, field)) => match expected.take(field, part.column(at)) {
                    Some(taken) => taken,
                    None => {
                        let message = format!(
                            "feature `{name}` is declared {} and came as {}; it was changed in \
                             the store since the run began, start the run anew",
                            expected.type_name,
                            type_name(field)
                        );
                        others.push((part.column(at).clone(), message));
                        nulls(name)
                    }
                },
            };
            schema.push(field);
            columns.push(column);
        }
        for field in part.schema_ref().fields() {
            if fields.iter().all(|expected| expected.name != *field.name()) {
                self.warn(
                    field.name(),
                    "a feature came that was not declared when the run began; it is left out",
                );
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(part.num_rows()));
        let part =
            RecordBatch::try_new_with_options(Arc::new(Schema::new(schema)), columns, &options)
                .expect("the columns have the rows of their part");
        (part, others)
    }

    /// Logs a warning about a feature, once.
    fn warn(&self, feature: &str, what: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.insert(feature.to_owned()) {
            warn!(feature, "{what}");
        }
    }
}

fn is_conforming(part: &RecordBatch, fields: &[Expected]) -> bool {
    let own = part.schema_ref().fields();
    own.len() == fields.len()
        && own
            .iter()
            .zip(fields)
            .all(|(field, expected)| *field.name() == expected.name && expected.is(field))
}

fn failure(message: String) -> HandlerError {
    HandlerError {
        kind: ErrorKind::BadResponse,
        message,
        retryable: false,
        retry_after: None,
        http_status: None,
    }
}

impl Expected {
    /// Of a column that came undeclared: JSON may be anything.
    fn of_field(field: &Field) -> Self {
        let of = field_type(field).filter(|of| *of != FieldType::Json);
        Expected { name: field.name().clone(), type_name: type_name(field), of }
    }

    /// Whether a column may be as it is.
    fn is(&self, field: &Field) -> bool {
        let Some(of) = &self.of else { return true };
        match field_type(field) {
            // The texts of a JSON column may be of any type: they are looked at one by one.
            Some(FieldType::Json) => *of == FieldType::Json,
            came => came.as_ref() == Some(of),
        }
    }

    /// Whether a column has JSON texts of a list, map or struct.
    fn is_nested(&self, field: &Field) -> bool {
        let of = self.of.as_ref().filter(|of| **of != FieldType::Json);
        is_json(field) && of.is_some_and(|of| of.may_come_as(&FieldType::Json))
    }

    /// Splits a column of JSON texts into those of the type, and the others, where there are any.
    fn fitting(&self, column: &ArrayRef) -> (ArrayRef, Option<ArrayRef>) {
        let (Some(of), Some(texts)) = (&self.of, column.as_string_opt::<i32>()) else {
            return (column.clone(), None);
        };
        let fits = |text: Option<&str>| text.is_none_or(|text| is_of(text, of));
        if texts.iter().all(fits) {
            return (column.clone(), None);
        }
        let fitting: StringArray = texts.iter().map(|text| text.filter(|_| fits(text))).collect();
        let unfit: StringArray = texts.iter().map(|text| text.filter(|_| !fits(text))).collect();
        (Arc::new(fitting), Some(Arc::new(unfit)))
    }

    /// The column, where it fits as it is, has only nulls, or has numbers that are the same in the
    /// declared type.
    fn take(&self, field: &Field, column: &ArrayRef) -> Option<(FieldRef, ArrayRef)> {
        let as_it_is = || (Arc::new(field.clone()), column.clone());
        if self.is(field) || column.null_count() == column.len() {
            return Some(as_it_is());
        }
        let of = self.of.as_ref()?;
        let target = arrow::field(field.name(), of);
        let to = target.data_type();
        if !to.is_numeric() || !column.data_type().is_numeric() {
            return None;
        }
        // A cast that is undone by its reverse is exact.
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let there = cast_with_options(column, to, &strict).ok()?;
        let back = cast_with_options(&there, column.data_type(), &strict).ok()?;
        let same = back.to_data() == column.to_data();
        same.then(|| (Arc::new(target), there))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::answers::{Answer, Outcome};
    use arrow_array::types::Int64Type;
    use arrow_array::{Float64Array, Int64Array};

    fn declared(fields: &[(&str, &str)]) -> Declared {
        let output = |(name, of): &(&str, &str)| OutputField {
            name: (*name).to_owned(),
            data_type: (*of).to_owned(),
        };
        Declared::new(&fields.iter().map(output).collect::<Vec<_>>())
    }

    fn numbers(values: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    /// Answers of two rows each, in a part each.
    fn answers<const N: usize>(parts: [&[(&str, ArrayRef)]; N]) -> Answers {
        let part = |columns: &[(&str, ArrayRef)]| {
            let columns = columns.iter().map(|(name, column)| (*name, column.clone(), true));
            RecordBatch::try_from_iter_with_nullable(columns).unwrap()
        };
        let parts: Vec<RecordBatch> = parts.into_iter().map(part).collect();
        let places = (0..N as u32).flat_map(|part| [Some((part, 0)), Some((part, 1))]);
        let rows = places.map(|place| Answer { outcome: Outcome::Enriched, place }).collect();
        Answers { parts, rows, schema: None }
    }

    fn column(answers: &Answers, name: &str) -> Vec<Option<i64>> {
        let features = answers.features().unwrap();
        let column = features.column_by_name(name).unwrap();
        column.as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn features_in_another_order_are_put_into_the_declared_one() {
        let (a, b) = (numbers(&[1, 2]), numbers(&[3, 4]));
        let mut all = answers([&[("a", a.clone()), ("b", b.clone())], &[("b", b), ("a", a)]]);
        assert!(declared(&[("a", "int64"), ("b", "int64")]).conform(&mut all).is_empty());
        assert_eq!(column(&all, "a"), [Some(1), Some(2), Some(1), Some(2)]);
    }

    #[test]
    fn a_feature_that_does_not_come_any_more_is_null_and_one_more_is_left_out() {
        let (a, b) = (numbers(&[1, 2]), numbers(&[3, 4]));
        let mut all = answers([&[("a", a.clone())], &[("b", b), ("c", a)]]);
        assert!(declared(&[("a", "int64"), ("b", "int64")]).conform(&mut all).is_empty());
        assert_eq!(column(&all, "a"), [Some(1), Some(2), None, None]);
        assert_eq!(column(&all, "b"), [None, None, Some(3), Some(4)]);
        assert_eq!(all.features().unwrap().num_columns(), 2);
    }

    #[test]
    fn a_feature_of_another_type_fails_the_rows_that_have_it_by_name() {
        let mut all = answers([&[("a", numbers(&[1, 2]))], &[("a", texts(&[Some("x"), None]))]]);
        let wrong = declared(&[("a", "int64")]).conform(&mut all);
        let [(2, error)] = &wrong[..] else { panic!("{wrong:?}") };
        assert_eq!(
            error.message,
            "feature `a` is declared int64 and came as string; it was changed in the store since \
             the run began, start the run anew"
        );
        assert_eq!(column(&all, "a"), [Some(1), Some(2), None, None]);
    }

    #[test]
    fn a_number_that_is_the_same_in_the_declared_type_is_taken() {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
        let mut all = answers([&[("a", floats)]]);
        assert!(declared(&[("a", "int64")]).conform(&mut all).is_empty());
        assert_eq!(column(&all, "a"), [Some(1), Some(2)]);
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.5]));
        assert_eq!(declared(&[("a", "int64")]).conform(&mut answers([&[("a", floats)]])).len(), 2);
    }

    /// A column of JSON texts.
    fn json(text: &str) -> Answers {
        let field = arrow::field("a", &FieldType::Json);
        let column = texts(&[Some(text), None]);
        let part = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).unwrap();
        let rows = (0..2).map(|row| Answer { outcome: Outcome::Enriched, place: Some((0, row)) });
        Answers { parts: vec![part], rows: rows.collect(), schema: None }
    }

    #[test]
    fn a_list_with_null_elements_and_one_of_times_come_as_json_and_are_taken() {
        let wrong = |of: &str, text: &str| declared(&[("a", of)]).conform(&mut json(text)).len();
        assert_eq!(wrong("array<int64>", "[1, null]"), 0);
        assert_eq!(wrong("array<timestamp>", "[\"2023-05-26T18:00:00Z\"]"), 0);
        assert_eq!(wrong("array<array<int64>>", "[[1]]"), 0);
        assert_eq!(wrong("map<string, int64>", "{\"k\": 1}"), 0);
        assert_eq!(wrong("array<int64>", "[\"x\", null]"), 1);
        assert_eq!(wrong("struct<a: int64>", "{\"a\": \"x\"}"), 1);
        assert_eq!(wrong("map<string, int64>", "{\"k\": [1]}"), 1);
        assert_eq!(wrong("array<timestamp>", "[1]"), 1);
        assert_eq!(wrong("string", "{\"k\": 1}"), 1);
    }

    #[test]
    fn where_nothing_was_declared_the_first_answer_says_what_comes_out() {
        let undeclared = declared(&[]);
        let mut first = answers([&[("a", numbers(&[1, 2]))]]);
        assert!(undeclared.conform(&mut first).is_empty());
        let mut later = answers([&[("b", numbers(&[1, 2])), ("a", texts(&[Some("x"), None]))]]);
        assert_eq!(undeclared.conform(&mut later).len(), 1);
        assert_eq!(later.features().unwrap().num_columns(), 1);
    }
}
