//! Features with declared types, and features without a declaration.

use std::collections::HashMap;
use std::sync::Arc;

use crate::support;
use crate::support::{bytes_with, columns, read_back, rows, table};
use arrow_array::builder::{Float64Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field as ArrowField, Schema};
use beamlet_formats::Format::{Arrow, Arrows, Csv, Ndjson, Parquet};
use beamlet_formats::{Format, RowsError, WriteOptions};
use insta::assert_snapshot;

fn json(texts: &[Option<&str>]) -> RecordBatch {
    marked("ARROW:extension:name", "arrow.json", texts)
}

fn marked(key: &str, value: &str, texts: &[Option<&str>]) -> RecordBatch {
    let field = ArrowField::new("f", DataType::Utf8, true)
        .with_metadata(HashMap::from([(key.to_owned(), value.to_owned())]));
    let texts = Arc::new(StringArray::from(texts.to_vec()));
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![texts]).unwrap()
}

fn of(array: impl Array + 'static) -> RecordBatch {
    columns([("f", Arc::new(array) as ArrayRef)])
}

fn nulls(count: usize) -> RecordBatch {
    of(StringArray::new_null(count))
}

/// The bytes of rows with these features, `f` declared as `name`.
fn write(to: Format, name: Option<&str>, batches: &[RecordBatch]) -> Result<Vec<u8>, RowsError> {
    let features = name.map(|name| vec![("f".to_owned(), name.to_owned())]);
    let options = WriteOptions { features, null: "NA".to_owned(), ..WriteOptions::default() };
    let batches: Vec<_> = batches
        .iter()
        .map(|it| (rows(Csv, &format!("id\n{}", "1\n".repeat(it.num_rows()))), Some(it.clone())))
        .collect();
    bytes_with(to, options, &batches)
}

/// The type of `f`, and its values as JSON.
fn stored(name: Option<&str>, batches: &[RecordBatch]) -> String {
    let [first, other, last] = [Parquet, Arrow, Arrows].map(|to| {
        let batch = read_back(to, write(to, name, batches).unwrap());
        let field = batch.schema().field(1).clone();
        let rows = table(&batch, 1_000_000).remove(0);
        let json = String::from_utf8(support::bytes(Ndjson, &[rows]).unwrap()).unwrap();
        format!("{} {:?}\n{json}", field.data_type(), field.metadata())
    });
    assert_eq!((&first, &first), (&other, &last));
    first
}

#[test]
fn a_declared_feature_that_is_null_at_first_has_its_type_from_the_first_row() {
    for name in [
        "int64",
        "float32",
        "boolean",
        "string",
        "bytes",
        "date",
        "timestamp",
        "decimal",
        "json",
        "array<float64>",
        "struct<a: int64, b: map<string, boolean>>",
    ] {
        let before = stored(Some(name), &[nulls(2)]);
        assert!(before.ends_with("{\"id\":1,\"f\":null}\n{\"id\":1,\"f\":null}\n"), "{before}");
        assert_ne!(before.starts_with("Utf8 {}"), name != "string", "{before}");
    }
    assert_snapshot!(stored(Some("int64"), &[nulls(1), of(Int64Array::from(vec![5])), nulls(1)]), @r#"
    Int64 {}
    {"id":1,"f":null}
    {"id":1,"f":5}
    {"id":1,"f":null}
    "#);
}

#[test]
fn json_becomes_the_declared_nested_type() {
    let texts = [Some("[1.5, null, \"NaN\"]"), None, Some("[]"), Some("null")];
    assert_snapshot!(stored(Some("array<float64>"), &[json(&texts)]), @r#"
    List(Float64) {}
    {"id":1,"f":[1.5,null,"NaN"]}
    {"id":1,"f":null}
    {"id":1,"f":[]}
    {"id":1,"f":null}
    "#);
    let texts = [Some(r#"{"b":{"x":[true],"\u0079":null},"a":-1}"#), Some("{}"), None];
    assert_snapshot!(stored(Some("struct<a: int64, b: map<string, array<boolean>>>"), &[json(&texts)]), @r#"
    Struct("a": Int64, "b": Map("entries": non-null Struct("keys": non-null Utf8, "values": List(Boolean)), unsorted)) {}
    {"id":1,"f":{"a":-1,"b":{"x":[true],"y":null}}}
    {"id":1,"f":{"a":null,"b":null}}
    {"id":1,"f":null}
    "#);
    let texts = [Some(
        r#"{"d":"2013-01-31","t":"2013-01-31T00:00:00Z","b":"AP8=","n":1.20,"j":[{}],"s":"\u00e9"}"#,
    )];
    assert_snapshot!(stored(Some("struct<d: date, t: timestamp, b: bytes, n: decimal, j: json, s: string>"), &[json(&texts)]), @r#"
    Struct("d": Date32, "t": Timestamp(µs, "UTC"), "b": Binary, "n": Utf8, metadata: {"beamlet:type": "decimal"}, "j": Utf8, metadata: {"ARROW:extension:metadata": "", "ARROW:extension:name": "arrow.json"}, "s": Utf8) {}
    {"id":1,"f":{"d":"2013-01-31","t":"2013-01-31T00:00:00Z","b":"AP8=","n":"1.20","j":[{}],"s":"é"}}
    "#);
}

#[test]
fn the_error_for_json_of_another_type_names_the_row_and_never_the_value() {
    let fail = |name, text| {
        write(Parquet, Some(name), &[json(&[None, Some(text)])]).unwrap_err().to_string() + "\n"
    };
    let messages = [
        fail("array<int64>", "[1, 1.5]"),
        fail("array<int64>", "{}"),
        fail("array<float64>", "[12345678901234567891]"),
        fail("struct<a: int64>", "{\"secret\":1}"),
        fail("map<string, string>", "{\"a\":1}"),
        fail("array<timestamp>", "[\"yesterday\"]"),
        fail("array<decimal>", "[\"x\"]"),
        fail("int64", "\"1\""),
    ];
    assert_snapshot!(messages.concat(), @r#"
    rows.csv:3: feature "f" came as json and is array<int64> in the output: a value in it is not an int64
    rows.csv:3: feature "f" came as json and is array<int64> in the output: a value in it is not an array
    rows.csv:3: feature "f" came as json and is array<float64> in the output: a value in it is not a float64
    rows.csv:3: feature "f" came as json and is struct<a: int64> in the output: it has a member that its type does not name
    rows.csv:3: feature "f" came as json and is map<string, string> in the output: a value in it is not a string
    rows.csv:3: feature "f" came as json and is array<timestamp> in the output: a value in it is not a timestamp
    rows.csv:3: feature "f" came as json and is array<decimal> in the output: a value in it is not a decimal
    rows.csv:3: feature "f" came as json and is int64 in the output: a value in it is not an int64
    "#);
}

#[test]
fn a_feature_of_another_type_is_converted_if_that_is_exact() {
    let millis = TimestampMicrosecondArray::from(vec![1]).with_timezone("+01:00");
    assert_snapshot!(stored(Some("float64"), &[of(Int64Array::from(vec![Some(1), None]))]), @r#"
    Float64 {}
    {"id":1,"f":1.0}
    {"id":1,"f":null}
    "#);
    assert_snapshot!(stored(Some("int8"), &[of(Int64Array::from(vec![-128]))]), @r#"
    Int8 {}
    {"id":1,"f":-128}
    "#);
    assert_snapshot!(stored(Some("float32"), &[of(Float64Array::from(vec![0.5]))]), @r#"
    Float32 {}
    {"id":1,"f":0.5}
    "#);
    assert_snapshot!(stored(Some("timestamp"), &[of(millis)]), @r#"
    Timestamp(µs, "UTC") {}
    {"id":1,"f":"1970-01-01T00:00:00.000001Z"}
    "#);
    assert_snapshot!(stored(Some("json"), &[of(StringArray::from(vec!["a\"b"]))]), @r#"
    Utf8 {"ARROW:extension:metadata": "", "ARROW:extension:name": "arrow.json"}
    {"id":1,"f":"a\"b"}
    "#);
    let fail = |name, batch| write(Arrow, Some(name), &[batch]).unwrap_err().to_string() + "\n";
    let messages = [
        fail("int8", of(Int64Array::from(vec![128]))),
        fail("float64", of(Int64Array::from(vec![(1 << 53) + 1]))),
        fail("float32", of(Float64Array::from(vec![0.1]))),
        fail("int64", of(StringArray::from(vec!["1"]))),
        fail("string", of(Int64Array::from(vec![1]))),
        fail("decimal", of(StringArray::from(vec!["1"]))),
    ];
    assert_snapshot!(messages.concat(), @r#"
    rows.csv:2: feature "f" came as int64 and is int8 in the output: a value in it would change
    rows.csv:2: feature "f" came as int64 and is float64 in the output: a value in it would change
    rows.csv:2: feature "f" came as float64 and is float32 in the output: a value in it would change
    rows.csv:2: feature "f" came as string and is int64 in the output: the types are not related
    rows.csv:2: feature "f" came as int64 and is string in the output: the types are not related
    rows.csv:2: feature "f" came as string and is decimal in the output: a string need not be a decimal
    "#);
    let decimal = marked("beamlet:type", "decimal", &[Some("1.20")]);
    assert_snapshot!(stored(Some("decimal"), &[decimal]), @r#"
    Utf8 {"beamlet:type": "decimal"}
    {"id":1,"f":"1.20"}
    "#);
}

#[test]
fn declared_features_are_in_a_csv_header_even_if_the_first_rows_have_none() {
    let features =
        Some(vec![("f".to_owned(), "int64".to_owned()), ("g".to_owned(), "any".to_owned())]);
    let options = WriteOptions { features, null: "NA".to_owned(), ..WriteOptions::default() };
    let row = || rows(Csv, "id\n1\n");
    let batches = [(row(), None), (row(), Some(of(Int64Array::from(vec![5]))))];
    let text = bytes_with(Csv, options.clone(), &batches).unwrap();
    assert_snapshot!(String::from_utf8(text).unwrap(), @r#"
    id,f,g
    1,NA,NA
    1,5,NA
    "#);
    let text = bytes_with(Ndjson, options, &batches).unwrap();
    assert_snapshot!(String::from_utf8(text).unwrap(), @r#"
    {"id":1}
    {"id":1,"f":5,"g":null}
    "#);
}

#[test]
fn the_error_for_an_undeclared_feature_names_it() {
    let text = |error: RowsError| error.to_string();
    assert_snapshot!(text(write(Parquet, Some("text"), &[]).unwrap_err()), @r#"the handler declares feature "f" with an unknown type: `text` is no type: expected one of boolean, int8, int16, int32, int64, float32, float64, string, bytes, date, timestamp, decimal, json, array<…>, map<string, …>, struct<name: …> at character 1"#);
    let other = columns([("g", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    assert_snapshot!(text(write(Csv, Some("int64"), &[other]).unwrap_err()), @r#"rows.csv:2: feature "g" is not among those that the handler declares; declare it"#);
}

#[test]
fn without_a_declaration_the_first_values_define_the_type() {
    assert_snapshot!(stored(None, &[nulls(1), nulls(1), of(Int64Array::from(vec![5])), nulls(1)]), @r#"
    Int64 {}
    {"id":1,"f":null}
    {"id":1,"f":null}
    {"id":1,"f":5}
    {"id":1,"f":null}
    "#);
    assert_snapshot!(stored(None, &[nulls(1)]), @r#"
    Utf8 {}
    {"id":1,"f":null}
    "#);
    let many = || vec![nulls(1_000); 10];
    let wait = stored(None, &many());
    assert!(wait.starts_with("Utf8 "), "after 10,000 rows it is a string");
    let late = [many(), vec![of(Int64Array::from(vec![5]))]].concat();
    assert_snapshot!(write(Arrows, None, &late).unwrap_err(), @r#"rows.csv:2: feature "f" came as int64 and is string in the output: the types are not related"#);
    let early = [many()[1..].to_vec(), vec![of(Int64Array::from(vec![5]))]].concat();
    assert!(stored(None, &early).starts_with("Int64 "));

    let mut list = ListBuilder::new(Float64Builder::new());
    list.append_value([Some(1.5)]);
    let list = of(list.finish());
    let text = json(&[Some("[1.5, null]")]);
    assert_snapshot!(stored(None, &[list.clone(), text.clone()]), @r#"
    List(Float64) {}
    {"id":1,"f":[1.5]}
    {"id":1,"f":[1.5,null]}
    "#);
    assert_snapshot!(stored(None, &[text, list]), @r#"
    Utf8 {"ARROW:extension:name": "arrow.json"}
    {"id":1,"f":[1.5, null]}
    {"id":1,"f":[1.5]}
    "#);
}

#[test]
fn rows_without_features_have_nulls() {
    let row = || rows(Csv, "id\n1\n");
    for to in [Parquet, Arrow, Arrows] {
        let batches = [(row(), None), (row(), Some(of(Int64Array::from(vec![5])))), (row(), None)];
        let options = WriteOptions {
            features: Some(vec![("f".to_owned(), "int64".to_owned())]),
            ..WriteOptions::default()
        };
        let batch = read_back(to, bytes_with(to, options, &batches).unwrap());
        assert_eq!(
            batch.column(1).as_primitive::<Int64Type>(),
            &Int64Array::from(vec![None, Some(5), None])
        );
    }
}
