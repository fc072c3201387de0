//! The output for each pair of formats when features are joined to rows.

use std::collections::HashMap;
use std::sync::Arc;

use crate::support::{batches, columns, na, rows, written};
use arrow_array::builder::{Float64Builder, ListBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field as ArrowField, Schema};
use beamlet_formats::Format::{Csv, Ndjson};
use beamlet_formats::{Field, ValueType};
use insta::assert_snapshot;

fn score(values: &[Option<f64>]) -> Option<RecordBatch> {
    Some(columns([("score", Arc::new(Float64Array::from(values.to_vec())) as ArrayRef)]))
}

/// One row with a feature of every type.
fn every_type() -> RecordBatch {
    let text = |name: &str, key: &str, value: &str| {
        ArrowField::new(name, DataType::Utf8, true)
            .with_metadata(HashMap::from([(key.to_owned(), value.to_owned())]))
    };
    let mut list = ListBuilder::new(Float64Builder::new());
    list.append_value([Some(1.5), None, Some(f64::NAN)]);
    let arrays: Vec<(ArrowField, ArrayRef)> = vec![
        (ArrowField::new("int", DataType::Int64, true), Arc::new(Int64Array::from(vec![i64::MIN]))),
        (
            ArrowField::new("float", DataType::Float64, true),
            Arc::new(Float64Array::from(vec![0.1])),
        ),
        (
            ArrowField::new("float32", DataType::Float32, true),
            Arc::new(Float32Array::from(vec![0.1])),
        ),
        (
            ArrowField::new("inf", DataType::Float64, true),
            Arc::new(Float64Array::from(vec![f64::NEG_INFINITY])),
        ),
        (
            ArrowField::new("bool", DataType::Boolean, true),
            Arc::new(BooleanArray::from(vec![true])),
        ),
        (
            ArrowField::new("text", DataType::Utf8, true),
            Arc::new(StringArray::from(vec!["a \"b\", ü\n"])),
        ),
        (
            ArrowField::new("null", DataType::Utf8, true),
            Arc::new(StringArray::from(vec![None::<&str>])),
        ),
        (
            ArrowField::new("bytes", DataType::Binary, true),
            Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..]])),
        ),
        (
            ArrowField::new("date", DataType::Date32, true),
            Arc::new(Date32Array::from(vec![15_706])),
        ),
        (text("decimal", "beamlet:type", "decimal"), Arc::new(StringArray::from(vec!["1.20"]))),
        (
            text("json", "ARROW:extension:name", "arrow.json"),
            Arc::new(StringArray::from(vec!["{\n  \"a\": [1, \"x\"]\n}"])),
        ),
    ];
    let (mut fields, mut arrays): (Vec<_>, Vec<_>) = arrays.into_iter().unzip();
    for (name, micros) in [("second", 0), ("milli", 1_500_000), ("micro", 1)] {
        let array = TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC");
        fields.push(ArrowField::new(name, array_type(&array), true));
        arrays.push(Arc::new(array));
    }
    let list = list.finish();
    fields.push(ArrowField::new("list", array_type(&list), true));
    arrays.push(Arc::new(list));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn array_type(array: &dyn arrow_array::Array) -> DataType {
    array.data_type().clone()
}

#[test]
fn a_document_keeps_every_byte_and_gets_its_features_at_the_end() {
    let text = concat!(
        r#"{ "id": 12345678901234567890123, "x": 1.50, "x": 1e0, "s": "\u00e9\/" }"#,
        "\n{}\n  { }  \r\n\n",
        r#"{"nested": {"a": [ ]} }"#,
    );
    let features = score(&[Some(1.0), None, Some(1e21), Some(0.1)]);
    assert_snapshot!(written(Ndjson, &[(rows(Ndjson, text), features)]).unwrap(), @r#"
    { "id": 12345678901234567890123, "x": 1.50, "x": 1e0, "s": "\u00e9\/","score":1.0}
    {"score":null}
      {"score":1e+21}
    {"nested": {"a": [ ]},"score":0.1}
    "#);
}

#[test]
fn the_own_field_of_a_document_wins() {
    let text = "{\"score\":null}\n{\"a\":1}\n{\"a\":{\"score\":2},\"\\u0073core\":7}\n{}";
    let features = score(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
    assert_snapshot!(written(Ndjson, &[(rows(Ndjson, text), features.clone())]).unwrap(), @r#"
    {"score":null}
    {"a":1,"score":2.0}
    {"a":{"score":2},"\u0073core":7}
    {"score":4.0}
    "#);
    assert_snapshot!(written(Csv, &[(rows(Ndjson, text), features)]).unwrap(), @r#"
    score,a
    NA,NA
    2.0,1
    7,"{""score"":2}"
    4.0,NA
    "#);
}

#[test]
fn a_field_of_a_later_batch_wins_too() {
    let batch = |text, value| (rows(Ndjson, text), score(&[Some(value)]));
    let out =
        written(Ndjson, &[batch("{\"a\":1}", 1.0), batch("{\"score\":5}", 2.0), batch("{}", 3.0)]);
    assert_snapshot!(out.unwrap(), @r#"
    {"a":1,"score":1.0}
    {"score":5}
    {"score":3.0}
    "#);
    let out =
        written(Csv, &[batch("{\"a\":1}", 1.0), batch("{\"score\":5}", 2.0), batch("{}", 3.0)]);
    assert_snapshot!(out.unwrap(), @r#"
    a,score
    1,1.0
    NA,5
    NA,3.0
    "#);
}

#[test]
fn the_own_column_of_a_table_wins() {
    let text = "id,score\n1,NA\n";
    let features = || score(&[Some(1.0)]);
    assert_snapshot!(written(Csv, &[(rows(Csv, text), features())]).unwrap(), @r#"
    id,score
    1,NA
    "#);
    assert_snapshot!(written(Ndjson, &[(rows(Csv, text), features())]).unwrap(), @r#"{"id":1,"score":null}"#);
}

#[test]
fn csv_cells_stay_as_written() {
    let text = "id,x,\"a,b\"\n007,1.50,\"say \"\"hi\"\"\nthere\"\n+1,NA,\n";
    assert_snapshot!(written(Csv, &[(rows(Csv, text), score(&[None, Some(2.0)]))]).unwrap(), @r#"
    id,x,"a,b",score
    007,1.50,"say ""hi""
    there",NA
    +1,NA,,2.0
    "#);
}

#[test]
fn csv_cells_become_json_of_their_type_without_losing_a_digit() {
    let text =
        "zip,n,x,big,ok,s\n007,1,1.50,12345678901234567890,true,\"a\n\"\"b\"\nNA,NA,2,1,false,NA\n";
    assert_snapshot!(written(Ndjson, &[(rows(Csv, text), None)]).unwrap(), @r#"
    {"zip":"007","n":1,"x":1.50,"big":"12345678901234567890","ok":true,"s":"a\n\"b"}
    {"zip":null,"n":null,"x":2,"big":"1","ok":false,"s":null}
    "#);
}

#[test]
fn documents_become_csv_with_the_columns_of_the_first_batch() {
    let first = "{\"b\":1.0,\"a\":\"x,\\\"y\\\"\"}\n{\"c\":{\"d\": [1]},\"a\":null}";
    let later = "{\"c\":true}";
    let batches = [
        (rows(Ndjson, first), score(&[Some(1.0), Some(2.0)])),
        (rows(Ndjson, later), score(&[Some(3.0)])),
    ];
    assert_snapshot!(written(Csv, &batches).unwrap(), @r#"
    b,a,c,score
    1.0,"x,""y""",NA,1.0
    NA,NA,"{""d"": [1]}",2.0
    NA,NA,true,3.0
    "#);
}

#[test]
fn every_type_of_feature_has_a_text_form() {
    assert_snapshot!(written(Ndjson, &[(rows(Ndjson, "{}"), Some(every_type()))]).unwrap(), @r#"{"int":-9223372036854775808,"float":0.1,"float32":0.1,"inf":"-Infinity","bool":true,"text":"a \"b\", ü\n","null":null,"bytes":"AP8=","date":"2013-01-01","decimal":"1.20","json":{   "a": [1, "x"] },"second":"1970-01-01T00:00:00Z","milli":"1970-01-01T00:00:01.500Z","micro":"1970-01-01T00:00:00.000001Z","list":[1.5,null,"NaN"]}"#);
    assert_snapshot!(written(Csv, &[(rows(Csv, "id\n1\n"), Some(every_type()))]).unwrap(), @r#"
    id,int,float,float32,inf,bool,text,null,bytes,date,decimal,json,second,milli,micro,list
    1,-9223372036854775808,0.1,0.1,-Infinity,true,"a ""b"", ü
    ",NA,AP8=,2013-01-01,1.20,"{   ""a"": [1, ""x""] }",1970-01-01T00:00:00Z,1970-01-01T00:00:01.500Z,1970-01-01T00:00:00.000001Z,"[1.5,null,""NaN""]"
    "#);
}

#[test]
fn a_column_with_only_nulls_matches_any_type() {
    let null = || columns([("f", Arc::new(StringArray::from(vec![None::<&str>])) as ArrayRef)]);
    let int = || columns([("f", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let text = || columns([("f", Arc::new(StringArray::from(vec!["a"])) as ArrayRef)]);
    let write = |batches: &[RecordBatch]| {
        written(
            Ndjson,
            &batches.iter().map(|it| (rows(Ndjson, "{}"), Some(it.clone()))).collect::<Vec<_>>(),
        )
    };
    assert_snapshot!(write(&[null(), int(), null(), int()]).unwrap(), @r#"
    {"f":null}
    {"f":1}
    {"f":null}
    {"f":1}
    "#);
    assert!(write(&[null(), text(), int()]).is_err());
    assert!(write(&[int(), null(), text()]).is_err());
}

#[test]
fn a_line_that_is_not_an_object_is_rejected_even_without_a_projection() {
    for format in [Ndjson, Csv] {
        assert!(written(format, &[(rows(Ndjson, "{\"a\":1}\n[]"), None)]).is_err());
    }
}

#[test]
fn a_projection_has_the_fields_in_the_requested_order() {
    let fields = [Field::required("b"), Field::optional("z"), Field::required("a")];
    let from_documents = rows(Ndjson, "{\"a\":1,\"x\":0,\"b\":\"B\"}").project(&fields).unwrap();
    let from_records = rows(Csv, "a,x,b\n1,0,B\n").project(&fields).unwrap();
    assert_eq!(from_documents, from_records);
    let names: Vec<_> =
        from_documents.schema_ref().fields().iter().map(|it| it.name().clone()).collect();
    assert_eq!(names, ["b", "z", "a"]);
}

#[test]
fn a_stated_number_is_written_in_the_spelling_of_json() {
    let types = [("a", ValueType::Int64), ("b", ValueType::Float64)];
    let rows = batches(Csv, "a,b\n007,.5\n+1,inf\n", na(&types), 9).unwrap().remove(0);
    assert_snapshot!(written(Ndjson, &[(rows, None)]).unwrap(), @r#"
    {"a":7,"b":0.5}
    {"a":1,"b":"Infinity"}
    "#);
}

#[test]
fn a_list_that_comes_as_json_in_a_later_batch_is_written_like_the_others() {
    let mut list = ListBuilder::new(Float64Builder::new());
    list.append_value([Some(1.5), Some(2.0)]);
    let typed = columns([("scores", Arc::new(list.finish()) as ArrayRef)]);
    let json: ArrayRef = Arc::new(StringArray::from(vec!["[1.5,null]"]));
    let field = ArrowField::new("scores", DataType::Utf8, true).with_metadata(HashMap::from([(
        "ARROW:extension:name".to_owned(),
        "arrow.json".to_owned(),
    )]));
    let json = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![json]).unwrap();
    let row = || rows(Ndjson, "{\"id\":1}");
    let text = written(Ndjson, &[(row(), Some(typed)), (row(), Some(json))]).unwrap();
    assert_snapshot!(text, @r#"
    {"id":1,"scores":[1.5,2.0]}
    {"id":1,"scores":[1.5,null]}
    "#);
}

#[test]
fn a_csv_with_only_a_header_stays_a_header() {
    let batches = batches(Csv, "a,b\n", na(&[]), 10).unwrap();
    let batches: Vec<_> = batches.into_iter().map(|rows| (rows, None)).collect();
    assert_snapshot!(written(Csv, &batches).unwrap(), @"a,b");
    let features = columns([("score", Arc::new(Float64Array::from(vec![0.0; 0])) as ArrayRef)]);
    let with_features = [(batches[0].0.clone(), Some(features))];
    assert_snapshot!(written(Csv, &with_features).unwrap(), @"a,b,score");
    assert_snapshot!(written(Ndjson, &batches).unwrap(), @"");
}
