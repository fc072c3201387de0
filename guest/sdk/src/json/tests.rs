//! What happens to a row's text.

use super::{Row, splice, to_batch};
use crate::contract::Outcome;
use crate::{Batch, Column, Enriched, Error, ErrorKind, RowFailure, Values};

fn rows<'a>(texts: &[&'a str]) -> Vec<Row<'a>> {
    texts.iter().map(|text| Row::read(text).unwrap()).collect()
}

fn answer(columns: Vec<Column>) -> Enriched {
    let rows = columns[0].values.len() as u32;
    let fields = Batch { rows, columns };
    Enriched { fields, missing: Vec::new(), null_keys: Vec::new(), failures: Vec::new() }
}

fn column(name: &str, values: Values, nulls: &[u32]) -> Column {
    Column { name: name.to_owned(), values, nulls: nulls.to_vec() }
}

fn spliced(texts: &[&str], answers: &[Enriched]) -> Vec<String> {
    let mut found = Vec::new();
    splice(&rows(texts), answers, false, |_, row, _| {
        found.push(format!("{}}}", str::from_utf8(row).unwrap()));
    });
    found
}

#[test]
fn own_fields_stay_to_the_byte_and_features_stand_behind_them() {
    let texts = [
        r#"{ "n" : 1.50, "big":123456789012345678901234567890, "n":2e0 }"#,
        "{}",
        "{\"a\u{e9}\\u00e9\": [1,\n 2]\n}",
    ];
    let values = Values::Float64s(vec![1.0, f64::NAN, 0.0]);
    assert_eq!(
        spliced(&texts, &[answer(vec![column("f", values, &[2])])]),
        [
            r#"{ "n" : 1.50, "big":123456789012345678901234567890, "n":2e0,"f":1.0}"#,
            r#"{"f":"NaN"}"#,
            "{\"a\u{e9}\\u00e9\": [1,\n 2],\"f\":null}",
        ]
    );
}

#[test]
fn where_both_have_a_name_the_rows_own_value_stays_however_it_is_spelt() {
    let features = || vec![column("f", Values::Int64s(vec![7]), &[])];
    assert_eq!(spliced(&[r#"{"\u0066":1}"#], &[answer(features())]), [r#"{"\u0066":1}"#]);
    assert_eq!(spliced(&[r#"{"x":{"f":1}}"#], &[answer(features())]), [r#"{"x":{"f":1},"f":7}"#]);
}

#[test]
fn each_row_comes_once_in_order_with_its_outcome() {
    let error = Error::new(ErrorKind::NotFound, "gone");
    let first = Enriched {
        missing: vec![0],
        failures: vec![RowFailure { row: 1, error }],
        ..answer(vec![column("f", Values::Booleans(vec![false; 2]), &[0, 1])])
    };
    let second = Enriched {
        null_keys: vec![1],
        ..answer(vec![column("f", Values::Json(["[1]", "nonsense"].into_iter().collect()), &[])])
    };
    let mut found = Vec::new();
    let texts = ["{}", "{}", "{}", "{}"];
    splice(&rows(&texts), &[first, second], false, |at, row, outcome| {
        let outcome = match outcome {
            Outcome::Enriched => "enriched",
            Outcome::Missing => "missing",
            Outcome::NullKey => "null key",
            Outcome::Failed(error) => &error.message,
        };
        found.push(format!("{at} {} {outcome}", str::from_utf8(row).unwrap()));
    });
    assert_eq!(
        found,
        [
            r#"0 {"f":null missing"#,
            r#"1 { gone"#,
            r#"2 {"f":[1] enriched"#,
            r#"3 {"f":null null key"#,
        ]
    );
}

#[test]
fn a_handler_is_shown_the_columns_that_it_reads_in_the_narrowest_type() {
    let rows = rows(&[r#"{"a":1,"b":"x","c":1}"#, r#"{"a":null,"b":"y","c":0.5,"d":[1]}"#]);
    let batch = to_batch(&rows, &[("a", true), ("c", true), ("d", false)]).unwrap();
    assert_eq!(batch.rows, 2);
    let [a, c, d] = &batch.columns[..] else { panic!("{:?}", batch.columns) };
    assert!(matches!(&a.values, Values::Int64s(list) if *list == [1, 0]));
    assert_eq!(a.nulls, [1]);
    assert!(matches!(&c.values, Values::Json(list) if list.get(1) == "0.5"));
    assert!(matches!(&d.values, Values::Json(list) if list.get(1) == "[1]"));
    assert_eq!(d.nulls, [0]);
}

#[test]
fn a_row_without_a_key_is_named_by_its_number() {
    let rows = rows(&[r#"{"key":null}"#, r#"{"Key":1}"#]);
    let bad = to_batch(&rows, &[("key", true)]).map(|batch| batch.rows).unwrap_err();
    assert_eq!(bad.to_string(), "row 1 has no field `key`");
}

#[test]
fn a_text_that_is_not_an_object_is_described() {
    let found = |text| Row::read(text).err().unwrap().to_string();
    assert_eq!(found("1.5"), "is a fractional number, not an object");
    assert_eq!(found("[{}]"), "is an array, not an object");
    assert_eq!(found("{]"), "is not JSON: key must be a string at line 1 column 2");
    assert_eq!(found("{} {}"), "is not JSON: trailing characters at line 1 column 4");
    assert_eq!(found("nil"), "is not JSON: expected ident at line 1 column 2");
    assert_eq!(found(""), "is not JSON: EOF while parsing a value at line 1 column 0");
}

/// A handler that takes any configuration.
struct Any;

impl crate::Handler for Any {
    const NAME: &'static str = "any";
    const VERSION: &'static str = "1.0.0";
    type Entity = ();

    fn config_schema() -> String {
        "{}".to_owned()
    }

    fn new(_: &serde_json::Value) -> Result<Self, Vec<crate::config::Problem>> {
        Ok(Any)
    }

    fn inputs(&self) -> Vec<crate::Input> {
        Vec::new()
    }

    fn entities(&self, _: &Batch) -> Result<Vec<Result<(), Error>>, Error> {
        Ok(Vec::new())
    }

    fn request(&self, _: &[()]) -> crate::Request {
        unreachable!("no row is asked for")
    }

    fn answer(&self, _: &[()], _: &crate::Response) -> Result<Enriched, Error> {
        unreachable!("no row is asked for")
    }

    fn outputs_request(&self) -> crate::Request {
        unreachable!("nobody asks")
    }

    fn outputs(&self, _: &crate::Response) -> Result<Vec<crate::Field>, Error> {
        unreachable!("nobody asks")
    }
}

#[test]
fn a_configuration_that_comes_as_text_is_read_as_a_file_is() {
    let problems = |text: &str| {
        let found = crate::setup::setup::<Any>(text).err().unwrap_or_default();
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(problems("{\"a\": 1, \"a\": 2}"), ["/a: is there twice, first on line 1; keep one"]);
    assert!(
        problems("{\"n\": 99999999999999999999}")[0].starts_with("/n: is an integer that does")
    );
    assert!(problems("\u{feff}{}").is_empty());
}
