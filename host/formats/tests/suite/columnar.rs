//! Parquet and Arrow: their rows are read, and types are preserved.

use std::collections::HashMap;
use std::sync::Arc;

use crate::support;
use crate::support::{batches, bytes, bytes_with, columns, na, read_back, rows, table, written};
use arrow_array::builder::{
    Int64Builder, ListBuilder, MapBuilder, StringBuilder, StringDictionaryBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Date64Array,
    Decimal128Array, Decimal256Array, DurationSecondArray, FixedSizeBinaryArray, Float16Array,
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeBinaryArray,
    LargeStringArray, NullArray, RecordBatch, StringArray, StringViewArray, StructArray,
    Time32SecondArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field as ArrowField, Schema, TimeUnit};
use beamlet_formats::Format::{Arrow, Arrows, Csv, Ndjson, Parquet};
use beamlet_formats::{Field, Format, ReadOptions, Reader, Rows, Source, ValueType, WriteOptions};
use insta::assert_snapshot;

const COLUMNAR: [Format; 3] = [Parquet, Arrow, Arrows];

/// Three rows of every type, the second of them null.
fn every_type() -> RecordBatch {
    let mut list = ListBuilder::new(Int64Builder::new());
    list.append_value([Some(1), None]);
    list.append_null();
    list.append_value([]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).unwrap();
    map.append(false).unwrap();
    map.append(true).unwrap();
    let nested = StructArray::try_new(
        vec![
            ArrowField::new("x", DataType::Int64, true),
            ArrowField::new("y\"", DataType::Utf8, true),
        ]
        .into(),
        vec![
            Arc::new(Int64Array::from(vec![Some(1), None, None])),
            Arc::new(StringArray::from(vec![Some("a"), None, Some("b")])),
        ],
        Some(vec![true, false, true].into()),
    );
    let dictionary: StringDictionaryBuilder<Int32Type> = {
        let mut builder = StringDictionaryBuilder::new();
        builder.append_value("d");
        builder.append_null();
        builder.append_value("e");
        builder
    };
    let mut dictionary = dictionary;
    let half = half::f16::from_f32;
    let arrays: Vec<(&str, ArrayRef)> = vec![
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("i8", Arc::new(Int8Array::from(vec![Some(i8::MIN), None, Some(1)]))),
        ("i16", Arc::new(Int16Array::from(vec![Some(i16::MIN), None, Some(1)]))),
        ("i32", Arc::new(Int32Array::from(vec![Some(i32::MIN), None, Some(1)]))),
        ("i64", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(1)]))),
        ("u8", Arc::new(UInt8Array::from(vec![Some(u8::MAX), None, Some(1)]))),
        ("u16", Arc::new(UInt16Array::from(vec![Some(u16::MAX), None, Some(1)]))),
        ("u32", Arc::new(UInt32Array::from(vec![Some(u32::MAX), None, Some(1)]))),
        ("u64", Arc::new(UInt64Array::from(vec![Some(i64::MAX as u64), None, Some(1)]))),
        ("f16", Arc::new(Float16Array::from(vec![Some(half(0.5)), None, Some(half(-1.0))]))),
        ("f32", Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::INFINITY)]))),
        ("f64", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(1e300)]))),
        (
            "d128",
            Arc::new(
                Decimal128Array::from(vec![Some(-120), None, Some(5)])
                    .with_precision_and_scale(20, 2)
                    .unwrap(),
            ),
        ),
        (
            "d256",
            Arc::new(
                Decimal256Array::from(vec![Some(i256::from(12)), None, Some(i256::from(5))])
                    .with_precision_and_scale(50, 3)
                    .unwrap(),
            ),
        ),
        ("utf8", Arc::new(StringArray::from(vec![Some("a \"ü\"\n"), None, Some("")]))),
        ("large", Arc::new(LargeStringArray::from(vec![Some("a"), None, Some("")]))),
        ("view", Arc::new(StringViewArray::from(vec![Some("a"), None, Some("")]))),
        ("bytes", Arc::new(BinaryArray::from(vec![Some(&b"\xff\x00"[..]), None, Some(b"")]))),
        ("lbytes", Arc::new(LargeBinaryArray::from(vec![Some(&b"\xff"[..]), None, Some(b"")]))),
        ("vbytes", Arc::new(BinaryViewArray::from(vec![Some(&b"\xff"[..]), None, Some(b"")]))),
        (
            "fixed",
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                    [Some(b"ab"), None, Some(b"cd")].into_iter(),
                    2,
                )
                .unwrap(),
            ),
        ),
        ("date32", Arc::new(Date32Array::from(vec![Some(15_706), None, Some(-1)]))),
        ("date64", Arc::new(Date64Array::from(vec![Some(86_400_000), None, Some(0)]))),
        ("t_s", Arc::new(TimestampSecondArray::from(vec![Some(1), None, Some(-1)]))),
        ("t_ms", Arc::new(TimestampMillisecondArray::from(vec![Some(1_500), None, Some(-1)]))),
        ("t_us", Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None, Some(-1)]))),
        (
            "t_ns",
            Arc::new(
                TimestampNanosecondArray::from(vec![Some(1_000), None, Some(-1_000)])
                    .with_timezone("Europe/Berlin"),
            ),
        ),
        ("time32", Arc::new(Time32SecondArray::from(vec![Some(3_661), None, Some(0)]))),
        ("time64", Arc::new(Time64MicrosecondArray::from(vec![Some(1), None, Some(0)]))),
        ("duration", Arc::new(DurationSecondArray::from(vec![Some(61), None, Some(0)]))),
        ("null", Arc::new(NullArray::new(3))),
        ("dictionary", Arc::new(dictionary.finish())),
        ("list", Arc::new(list.finish())),
        ("struct", Arc::new(nested.unwrap())),
        ("map", Arc::new(map.finish())),
    ];
    let fields = arrays.iter().map(|(name, array)| {
        ArrowField::new(*name, array.data_type().clone(), true)
            .with_metadata(HashMap::from([("note".to_owned(), format!("of {name}"))]))
    });
    let mut fields: Vec<_> = fields.collect();
    let mut arrays: Vec<_> = arrays.into_iter().map(|(_, array)| array).collect();
    fields.push(ArrowField::new("never_null", DataType::Int64, false));
    arrays.push(Arc::new(Int64Array::from(vec![1, 2, 3])));
    let metadata = HashMap::from([("owner".to_owned(), "ada".to_owned())]);
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, metadata)), arrays).unwrap()
}

/// `batch` with the types that Parquet has for seconds, days in milliseconds and narrow dictionaries.
fn in_parquet(batch: &RecordBatch) -> RecordBatch {
    let fields = batch.schema_ref().fields().iter().map(|field| {
        let data_type = match field.data_type() {
            DataType::Timestamp(TimeUnit::Second, zone) => {
                DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
            }
            DataType::Time32(TimeUnit::Second) => DataType::Time32(TimeUnit::Millisecond),
            DataType::Date64 => DataType::Date32,
            DataType::Dictionary(_, values) => {
                DataType::Dictionary(Box::new(DataType::Int32), values.clone())
            }
            other => other.clone(),
        };
        field.as_ref().clone().with_data_type(data_type)
    });
    let schema = Schema::new_with_metadata(
        fields.collect::<Vec<_>>(),
        batch.schema_ref().metadata().clone(),
    );
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(array, to)| arrow_cast::cast(array, to.data_type()).unwrap());
    let columns = columns.collect();
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn json(rows: &Rows) -> String {
    let mut out = Vec::new();
    for row in 0..rows.len() {
        rows.json(row, &mut out).unwrap();
        out.push(b'\n');
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn types_metadata_and_nulls_survive_every_pair_of_formats() {
    let batch = every_type();
    for through in COLUMNAR {
        let first = bytes(through, &table(&batch, 100)).unwrap();
        for to in COLUMNAR {
            let is_parquet = [through, to].contains(&Parquet);
            let batch = if is_parquet { in_parquet(&batch) } else { batch.clone() };
            for size in [1, 2, 100] {
                let rows = batches(through, first.clone(), ReadOptions::default(), size).unwrap();
                assert_eq!(rows.len(), 3_usize.div_ceil(size));
                let again = read_back(to, bytes(to, &rows).unwrap());
                assert_eq!(again.schema(), batch.schema(), "{through} {to}");
                assert_eq!(again, batch, "{through} {to}");
            }
        }
    }
}

#[test]
fn every_type_has_a_json_form_and_a_csv_cell() {
    let rows = table(&every_type(), 100).remove(0);
    let text = written(Ndjson, &[(rows.clone(), None)]).unwrap();
    assert_eq!(text, json(&rows));
    assert_snapshot!(text, @r#"
    {"bool":true,"i8":-128,"i16":-32768,"i32":-2147483648,"i64":-9223372036854775808,"u8":255,"u16":65535,"u32":4294967295,"u64":9223372036854775807,"f16":0.5,"f32":0.1,"f64":0.1,"d128":"-1.20","d256":"0.012","utf8":"a \"ü\"\n","large":"a","view":"a","bytes":"/wA=","lbytes":"/w==","vbytes":"/w==","fixed":"YWI=","date32":"2013-01-01","date64":"1970-01-02","t_s":"1970-01-01T00:00:01","t_ms":"1970-01-01T00:00:01.500","t_us":"1970-01-01T00:00:00.000001","t_ns":"1970-01-01T00:00:00.000001Z","time32":"01:01:01","time64":"00:00:00.000001","duration":"PT61S","null":null,"dictionary":"d","list":[1,null],"struct":{"x":1,"y\"":"a"},"map":{"k":1},"never_null":1}
    {"bool":null,"i8":null,"i16":null,"i32":null,"i64":null,"u8":null,"u16":null,"u32":null,"u64":null,"f16":null,"f32":null,"f64":null,"d128":null,"d256":null,"utf8":null,"large":null,"view":null,"bytes":null,"lbytes":null,"vbytes":null,"fixed":null,"date32":null,"date64":null,"t_s":null,"t_ms":null,"t_us":null,"t_ns":null,"time32":null,"time64":null,"duration":null,"null":null,"dictionary":null,"list":null,"struct":null,"map":null,"never_null":2}
    {"bool":false,"i8":1,"i16":1,"i32":1,"i64":1,"u8":1,"u16":1,"u32":1,"u64":1,"f16":-1.0,"f32":"Infinity","f64":1e+300,"d128":"0.05","d256":"0.005","utf8":"","large":"","view":"","bytes":"","lbytes":"","vbytes":"","fixed":"Y2Q=","date32":"1969-12-31","date64":"1970-01-01","t_s":"1969-12-31T23:59:59","t_ms":"1969-12-31T23:59:59.999","t_us":"1969-12-31T23:59:59.999999","t_ns":"1969-12-31T23:59:59.999999Z","time32":"00:00:00","time64":"00:00:00","duration":"P0D","null":null,"dictionary":"e","list":[],"struct":{"x":null,"y\"":"b"},"map":{},"never_null":3}
    "#);
    assert_snapshot!(written(Csv, &[(rows, None)]).unwrap(), @r#"
    bool,i8,i16,i32,i64,u8,u16,u32,u64,f16,f32,f64,d128,d256,utf8,large,view,bytes,lbytes,vbytes,fixed,date32,date64,t_s,t_ms,t_us,t_ns,time32,time64,duration,null,dictionary,list,struct,map,never_null
    true,-128,-32768,-2147483648,-9223372036854775808,255,65535,4294967295,9223372036854775807,0.5,0.1,0.1,-1.20,0.012,"a ""ü""
    ",a,a,/wA=,/w==,/w==,YWI=,2013-01-01,1970-01-02,1970-01-01T00:00:01,1970-01-01T00:00:01.500,1970-01-01T00:00:00.000001,1970-01-01T00:00:00.000001Z,01:01:01,00:00:00.000001,PT61S,NA,d,"[1,null]","{""x"":1,""y\"""":""a""}","{""k"":1}",1
    NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,NA,2
    false,1,1,1,1,1,1,1,1,-1.0,Infinity,1e+300,0.05,0.005,,,,,,,Y2Q=,1969-12-31,1970-01-01,1969-12-31T23:59:59,1969-12-31T23:59:59.999,1969-12-31T23:59:59.999999,1969-12-31T23:59:59.999999Z,00:00:00,00:00:00,P0D,NA,e,[],"{""x"":null,""y\"""":""b""}",{},3
    "#);
}

#[test]
fn a_projection_has_types_that_hold_every_value() {
    let batch = every_type();
    let fields: Vec<_> =
        batch.schema().fields().iter().map(|it| Field::required(it.name())).collect();
    let shown = table(&batch, 100)[0].project(&fields).unwrap();
    let types = shown
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let marks: Vec<_> = field.metadata().iter().map(|(_, value)| value.clone()).collect();
            format!("{}: {} {}\n", field.name(), field.data_type(), marks.join(""))
        })
        .collect::<String>();
    assert_snapshot!(types, @r#"
    bool: Boolean 
    i8: Int8 
    i16: Int16 
    i32: Int32 
    i64: Int64 
    u8: UInt8 
    u16: UInt16 
    u32: UInt32 
    u64: Int64 
    f16: Float32 
    f32: Float32 
    f64: Float64 
    d128: Utf8 decimal
    d256: Utf8 decimal
    utf8: Utf8 
    large: Utf8 
    view: Utf8 
    bytes: Binary 
    lbytes: Binary 
    vbytes: Binary 
    fixed: Binary 
    date32: Date32 
    date64: Date32 
    t_s: Timestamp(µs) 
    t_ms: Timestamp(µs) 
    t_us: Timestamp(µs) 
    t_ns: Timestamp(µs, "Europe/Berlin") 
    time32: Utf8 
    time64: Utf8 
    duration: Utf8 
    null: Utf8 
    dictionary: Utf8 
    list: Utf8 arrow.json
    struct: Utf8 arrow.json
    map: Utf8 arrow.json
    never_null: Int64
    "#);
    assert!(shown.columns().iter().all(|it| it.len() == 3));
    assert_eq!(shown.column_by_name("d128").unwrap().as_string::<i32>().value(0), "-1.20");
    assert_eq!(shown.column_by_name("map").unwrap().as_string::<i32>().value(0), "{\"k\":1}");
    assert_eq!(shown.column_by_name("time32").unwrap().as_string::<i32>().value(0), "01:01:01");
    let millis = shown.column_by_name("t_ms").unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(millis.value(0), 1_500_000);
}

#[test]
fn the_error_for_an_inexact_value_names_row_field_and_type() {
    let show = |array: ArrayRef| {
        let rows = table(&columns([("a", array)]), 100).remove(0);
        rows.project(&[Field::required("a")]).unwrap_err().to_string() + "\n"
    };
    let messages = [
        show(Arc::new(UInt64Array::from(vec![1, u64::MAX]))),
        show(Arc::new(TimestampNanosecondArray::from(vec![0, 1]))),
        show(Arc::new(TimestampSecondArray::from(vec![0, i64::MAX]))),
        show(Arc::new(Date64Array::from(vec![0, 1]))),
    ];
    assert_snapshot!(messages.concat(), @r#"
    rows.arrows:row 2: field "a" of type UInt64 cannot be passed to the handler exactly: its integer is beyond int64; convert it to text or to another type
    rows.arrows:row 2: field "a" of type Timestamp(ns) cannot be passed to the handler exactly: it has digits below a microsecond; convert it to text or to another type
    rows.arrows:row 2: field "a" of type Timestamp(s) cannot be passed to the handler exactly: it is too far from 1970 for microseconds; convert it to text or to another type
    rows.arrows:row 2: field "a" of type Date64 cannot be passed to the handler exactly: it has a time of day; convert it to text or to another type
    "#);
}

#[test]
fn a_missing_column_names_file_and_field() {
    let rows =
        table(&columns([("a", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]), 9).remove(0);
    assert_snapshot!(rows.project(&[Field::required("b")]).unwrap_err(), @r#"rows.arrows: field "b" is not in the schema, and the handler requires it; add or rename a column"#);
    assert_eq!(rows.project(&[Field::optional("b")]).unwrap().column(0).null_count(), 1);
}

#[test]
fn selected_rows_keep_their_row_numbers() {
    let rows = table(&every_type(), 2);
    assert_eq!(rows[1].origin(0).to_string(), "rows.arrows:row 3");
    let some = rows[0].select(&[1]);
    assert_eq!(some.origin(0).to_string(), "rows.arrows:row 2");
    assert_eq!(some.len(), 1);
    assert_eq!(read_back(Arrow, bytes(Arrow, &[some]).unwrap()), every_type().slice(1, 1));
}

#[test]
fn text_becomes_typed_columns() {
    let documents = "{\"i\":1,\"f\":1.5,\"s\":\"ü\\n\",\"b\":true,\"n\":{\"x\": [1]},\"big\":12345678901234567890}\n{\"f\":2,\"m\":1}\n{\"m\":\"x\"}\n";
    let table = "i,f,s,b,z\n1,1.5,x,true,007\nNA,2,NA,NA,NA\n";
    for to in COLUMNAR {
        let batch = read_back(to, bytes(to, &[rows(Ndjson, documents)]).unwrap());
        let types: Vec<_> = batch
            .schema()
            .fields()
            .iter()
            .map(|it| {
                format!(
                    "{}: {}{}",
                    it.name(),
                    it.data_type(),
                    it.extension_type_name().map_or("", |_| " json")
                )
            })
            .collect();
        assert_eq!(
            types,
            [
                "i: Int64",
                "f: Float64",
                "s: Utf8",
                "b: Boolean",
                "n: Utf8 json",
                "big: Utf8 json",
                "m: Utf8 json"
            ]
        );
        let batch = read_back(to, bytes(to, &[rows(Csv, table)]).unwrap());
        let types: Vec<_> =
            batch.schema().fields().iter().map(|it| it.data_type().to_string()).collect();
        assert_eq!(types, ["Int64", "Float64", "Utf8", "Boolean", "Utf8"]);
    }
    let stored = bytes(Parquet, &[rows(Ndjson, documents)]).unwrap();
    let stored = batches(Parquet, stored, ReadOptions::default(), 9).unwrap();
    assert_snapshot!(json(&stored[0]), @r#"
    {"i":1,"f":1.5,"s":"ü\n","b":true,"n":{"x": [1]},"big":12345678901234567890,"m":null}
    {"i":null,"f":2.0,"s":null,"b":null,"n":null,"big":null,"m":1}
    {"i":null,"f":null,"s":null,"b":null,"n":null,"big":null,"m":"x"}
    "#);
}

#[test]
fn a_stated_type_overrides_inference_in_a_columnar_output() {
    let types = [
        ("t", ValueType::Timestamp),
        ("d", ValueType::Date),
        ("j", ValueType::Json),
        ("x", ValueType::Float64),
        ("late", ValueType::Int64),
    ];
    let text = "{\"t\":\"2013-01-01T01:00:00.5+01:00\",\"d\":\"2013-01-31\",\"j\":1,\"x\":1}\n{}\n";
    let ndjson = batches(Ndjson, text, na(&types), 9).unwrap();
    let batch = read_back(Parquet, bytes(Parquet, &ndjson).unwrap());
    assert_snapshot!(written(Ndjson, &[(table(&batch, 9).remove(0), None)]).unwrap(), @r#"
    {"t":"2013-01-01T00:00:00.500Z","d":"2013-01-31","j":1,"x":1.0,"late":null}
    {"t":null,"d":null,"j":null,"x":null,"late":null}
    "#);

    let text =
        "t,d,j,x,late\n2013-01-01T01:00:00.5+01:00,2013-01-31,\"[1, 2]\",1,1\nNA,NA,NA,NA,NA\n";
    let csv = batches(Csv, text, na(&types), 9).unwrap();
    let batch = read_back(Arrow, bytes(Arrow, &csv).unwrap());
    assert_snapshot!(written(Ndjson, &[(table(&batch, 9).remove(0), None)]).unwrap(), @r#"
    {"t":"2013-01-01T00:00:00.500Z","d":"2013-01-31","j":[1, 2],"x":1.0,"late":1}
    {"t":null,"d":null,"j":null,"x":null,"late":null}
    "#);
    assert_snapshot!(written(Ndjson, &[(csv[0].clone(), None)]).unwrap(), @r#"
    {"t":"2013-01-01T01:00:00.5+01:00","d":"2013-01-31","j":[1, 2],"x":1,"late":1}
    {"t":null,"d":null,"j":null,"x":null,"late":null}
    "#);

    let messages = [
        ("t", "2013-01-01 01:00:00"),
        ("t", "2013-01-01T01:00:00.0000001Z"),
        ("d", "2013-02-30"),
        ("d", "2013-2-3"),
        ("j", "{"),
    ]
    .map(|(field, value)| {
        let value_type = types.iter().find(|(name, _)| *name == field).unwrap().1;
        let text = format!("{field}\n{value}\n");
        let rows = batches(Csv, text, na(&[(field, value_type)]), 9).unwrap();
        rows[0].project(&[Field::required(field)]).unwrap_err().to_string() + "\n"
    });
    assert_snapshot!(messages.concat(), @r#"
    rows.csv:2: field "t" is a string, expected timestamp (its stated type); correct the value, or state a type with --type t=string
    rows.csv:2: field "t" is a string, expected timestamp (its stated type); correct the value, or state a type with --type t=string
    rows.csv:2: field "d" is a string, expected date (its stated type); correct the value, or state a type with --type d=string
    rows.csv:2: field "d" is a string, expected date (its stated type); correct the value, or state a type with --type d=string
    rows.csv:2: field "j" is a string, expected json (its stated type); correct the value, or state a type with --type j=string
    "#);
}

#[test]
fn a_later_document_with_other_fields_or_types_names_the_place_and_the_option() {
    let first = "{\"i\":1,\"f\":1.5}\n".repeat(1_000);
    let fail = |later: &str| {
        let rows = batches(Ndjson, format!("{first}{later}\n"), na(&[]), 100).unwrap();
        bytes(Parquet, &rows).unwrap_err().to_string() + "\n"
    };
    let messages = [
        fail("{\"g\":1}"),
        fail("{\"i\":1.5}"),
        fail("{\"i\":\"x\"}"),
        fail("{\"i\":12345678901234567890}"),
        fail("{\"f\":12345678901234567891}"),
        fail("{\"f\":[1]}"),
    ];
    assert_snapshot!(messages.concat(), @r#"
    rows.ndjson:1001: field "g" is not in the first rows, which define the columns of the output; state its type with --type g=TYPE, or write NDJSON instead
    rows.ndjson:1001: field "i" is a number with a fraction or an exponent, expected int64 (the type of the first rows); correct the value, or state a type with --type i=float64
    rows.ndjson:1001: field "i" is a string, expected int64 (the type of the first rows); correct the value, or state a type with --type i=json
    rows.ndjson:1001: field "i" is an integer beyond int64, expected int64 (the type of the first rows); correct the value, or state a type with --type i=json
    rows.ndjson:1001: field "f" is an integer that no double holds, expected float64 (the type of the first rows); correct the value, or state a type with --type f=json
    rows.ndjson:1001: field "f" is an array, expected float64 (the type of the first rows); correct the value, or state a type with --type f=json
    "#);
}

#[test]
fn rows_wait_until_a_field_that_is_null_at_first_has_a_type() {
    let nulls = "{\"a\":null,\"b\":1}\n".repeat(5_000);
    let rows = batches(Ndjson, format!("{nulls}{{\"a\":7}}\n"), na(&[]), 1_000).unwrap();
    let batch = read_back(Arrows, bytes(Arrows, &rows).unwrap());
    assert_eq!(batch.num_rows(), 5_001);
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(5_000), 7);
    // For ever: then it is a string.
    let rows = batches(Ndjson, nulls.repeat(3), na(&[]), 1_000).unwrap();
    let batch = read_back(Parquet, bytes(Parquet, &rows).unwrap());
    assert_eq!((batch.num_rows(), batch.column(0).data_type()), (15_000, &DataType::Utf8));
}

#[test]
fn every_pair_of_formats_holds_the_same_rows() {
    let text = "{\"i\":-1,\"f\":1.5,\"s\":\"a,\\\"b\\\"\",\"b\":true}\n{\"i\":null,\"f\":null,\"s\":null,\"b\":null}\n{\"i\":2,\"f\":0.25,\"s\":\"\",\"b\":false}\n";
    let all = [Ndjson, Csv, Parquet, Arrow, Arrows];
    for through in all {
        let first = bytes(through, &[rows(Ndjson, text)]).unwrap();
        for to in all {
            let options = || na(&[("i", ValueType::Int64)]);
            let options = || if matches!(through, Ndjson | Csv) { options() } else { na(&[]) };
            let second =
                bytes(to, &batches(through, first.clone(), options(), 2).unwrap()).unwrap();
            let back = batches(to, second, na(&[]), 100).unwrap();
            assert_eq!(bytes(Ndjson, &back).unwrap(), text.as_bytes(), "{through} {to}");
        }
    }
}

#[test]
fn batches_with_different_dictionaries_become_one_file() {
    let dictionary = |values: &[Option<&str>]| {
        let mut builder = StringDictionaryBuilder::<Int8Type>::new();
        values.iter().for_each(|it| builder.append_option(*it));
        columns([("d", Arc::new(builder.finish()) as ArrayRef)])
    };
    let parts = [
        dictionary(&[Some("a"), None]),
        dictionary(&[None]),
        dictionary(&[Some("b"), Some("a"), None, Some("c")]),
        dictionary(&[Some("c"), Some("a")]),
    ];
    let rows: Vec<_> = parts.iter().map(|it| table(it, 9).remove(0)).collect();
    for to in COLUMNAR {
        let batch = read_back(to, bytes(to, &rows).unwrap());
        let part = if to == Parquet { in_parquet(&parts[0]) } else { parts[0].clone() };
        assert_eq!(batch.schema(), part.schema());
        let texts = arrow_cast::cast(batch.column(0), &DataType::Utf8).unwrap();
        let texts: Vec<_> =
            texts.as_string::<i32>().iter().map(|it| it.unwrap_or("-").to_owned()).collect();
        assert_eq!(texts.concat(), "a--ba-cca", "{to}");
    }
    let many: Vec<_> =
        (0..200).map(|it| table(&dictionary(&[Some(&it.to_string())]), 9).remove(0)).collect();
    assert_snapshot!(bytes(Arrow, &many).unwrap_err(), @r#"out: arrow cannot hold the columns: the dictionary of field "d" outgrows its keys; write another format"#);
}

#[test]
fn an_output_without_rows_is_a_complete_file() {
    let features = || Some(vec![("score".to_owned(), "float64".to_owned())]);
    for to in COLUMNAR {
        let options = || WriteOptions { features: features(), ..WriteOptions::default() };
        let batch = read_back(to, bytes_with(to, options(), &[]).unwrap());
        assert_eq!((batch.num_rows(), batch.num_columns()), (0, 1));
        let header = batches(Csv, "a,b\n", na(&[]), 9).unwrap().remove(0);
        let batch = read_back(to, bytes_with(to, options(), &[(header, None)]).unwrap());
        assert_eq!((batch.num_rows(), batch.num_columns()), (0, 3));
        // And that file reads as one.
        let empty = batches(
            to,
            bytes(to, &table(&every_type().slice(0, 0), 9)).unwrap(),
            ReadOptions::default(),
            9,
        )
        .unwrap();
        assert_eq!(empty.iter().map(Rows::len).collect::<Vec<_>>(), [0]);
        let expected = if to == Parquet { in_parquet(&every_type()) } else { every_type() };
        assert_eq!(read_back(to, bytes(to, &empty).unwrap()).schema(), expected.schema());
    }
}

#[test]
fn a_file_that_is_not_in_the_stated_format_is_an_error() {
    for format in COLUMNAR {
        for bytes in [&b""[..], b"{}\n", b"PAR1", b"PAR1....PAR1", b"ARROW1\0\0......ARROW1"] {
            let error = batches(format, bytes, ReadOptions::default(), 9).unwrap_err().to_string();
            assert!(error.starts_with(support::name(format)), "{error}");
        }
    }
    let error = batches(Parquet, "{}\n", ReadOptions::default(), 9).unwrap_err();
    assert_snapshot!(error, @"rows.parquet: is not valid parquet data: EOF: Parquet file too small. Size is 3 but need 8; write it again, or use another format");
    let typed = na(&[("a", ValueType::Int64)]);
    assert_snapshot!(batches(Arrows, support::stream(&every_type()), typed, 9).unwrap_err(), @r#"rows.arrows: field "a" already has a type in the file; remove the stated type, or convert the file"#);
}

#[test]
fn no_cut_of_a_file_makes_the_reader_panic() {
    for format in COLUMNAR {
        let whole = bytes(format, &table(&every_type(), 2)).unwrap();
        for length in (0..whole.len()).step_by(97) {
            let _ = batches(format, &whole[..length], ReadOptions::default(), 9);
        }
    }
}

#[test]
fn columnar_data_is_detected_by_its_first_bytes_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for format in COLUMNAR {
        let bytes = bytes(format, &table(&every_type(), 9)).unwrap();
        for name in ["rows.dat", "rows.csv", "rows.ndjson"] {
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(Source::path(&path).format().unwrap(), Some(format), "{name}");
        }
        let source = Source::stream("stdin", support::Slow::new(bytes, 1));
        let mut reader = Reader::detect(source, Ndjson, ReadOptions::default()).unwrap();
        assert_eq!(reader.next(9).unwrap().unwrap().len(), 3, "{format}");
        assert!(reader.next(9).unwrap().is_none());
    }
    let source = Source::stream("stdin", &b"{}\n"[..]);
    let mut reader = Reader::detect(source, Ndjson, ReadOptions::default()).unwrap();
    assert_eq!(reader.next(9).unwrap().unwrap().len(), 1);
}

#[test]
fn a_file_that_begins_with_an_object_is_ndjson_whatever_its_name_and_compression() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let rows = b"\xef\xbb\xbf\n {\"a\":1}\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(rows).unwrap();
    let packed = gzip.finish().unwrap();
    for (name, bytes) in
        [("rows", &rows[..]), ("rows.json", rows), ("rows.gz", &packed), ("packed", &packed)]
    {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let source = Source::path(&path);
        assert_eq!(source.format().unwrap(), Some(Ndjson), "{name}");
        let mut reader = Reader::open(source, Ndjson, ReadOptions::default()).unwrap();
        assert_eq!(reader.next(9).unwrap().unwrap().len(), 1, "{name}");
    }
    let path = folder.path().join("table");
    std::fs::write(&path, "a,b\n1,2\n").unwrap();
    assert!(Source::path(path).format().is_err());
}

#[test]
fn the_error_for_columnar_data_read_as_text_names_the_format() {
    let rows = table(&every_type(), 9);
    let errors: String = COLUMNAR
        .iter()
        .flat_map(|format| [(*format, Ndjson), (*format, Csv)])
        .map(|(format, text)| {
            let bytes = bytes(format, &rows).unwrap();
            batches(text, bytes, na(&[]), 9).unwrap_err().to_string() + "\n"
        })
        .collect();
    assert_snapshot!(errors, @"
    rows.ndjson:1: cannot be read: it is parquet data; use --input-format parquet, or leave it out
    rows.csv:1: cannot be read: it is parquet data; use --input-format parquet, or leave it out
    rows.ndjson:1: cannot be read: it is arrow data; use --input-format arrow, or leave it out
    rows.csv:1: cannot be read: it is arrow data; use --input-format arrow, or leave it out
    rows.ndjson:1: cannot be read: it is arrows data; use --input-format arrows, or leave it out
    rows.csv:1: cannot be read: it is arrows data; use --input-format arrows, or leave it out
    ");
}

#[test]
fn a_batch_that_declares_more_than_the_limit_is_an_error_before_it_is_allocated() {
    let batch = columns([("a", Arc::new(Int64Array::from(vec![7; 1_000])) as ArrayRef)]);
    let options = arrow_ipc::writer::IpcWriteOptions::default()
        .try_with_compression(Some(arrow_ipc::CompressionType::LZ4_FRAME))
        .unwrap();
    let schema = batch.schema();
    let mut file =
        arrow_ipc::writer::FileWriter::try_new_with_options(vec![], &schema, options.clone())
            .unwrap();
    file.write(&batch).unwrap();
    let mut stream =
        arrow_ipc::writer::StreamWriter::try_new_with_options(vec![], &schema, options).unwrap();
    stream.write(&batch).unwrap();
    for (format, mut bytes) in
        [(Arrow, file.into_inner().unwrap()), (Arrows, stream.into_inner().unwrap())]
    {
        assert_eq!(
            batches(format, bytes.clone(), ReadOptions::default(), 1 << 20).unwrap().len(),
            1
        );
        let size = 8_000_i64.to_le_bytes();
        let at = bytes.windows(8).rposition(|it| it == size).unwrap();
        bytes[at..at + 8].copy_from_slice(&(1_i64 << 50).to_le_bytes());
        let error = batches(format, bytes, ReadOptions::default(), 9).unwrap_err().to_string();
        let problem = "a batch declares 1125899906842624 bytes, more than 2147483648; \
            if that is right, raise --max-batch-bytes";
        assert!(error.contains(problem), "{error}");
    }
}

/// The header of a page of Parquet begins with its type, and how large it is unpacked and packed: each
/// the byte 0x15 and a varint of its zigzag form.
#[test]
fn a_page_that_declares_more_than_the_limit_is_an_error_before_it_is_allocated() {
    let batch = columns([("a", Arc::new(Int64Array::from_iter_values(0..1_000)) as ArrayRef)]);
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .build();
    let mut file = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let limited = |max_batch_bytes| ReadOptions { max_batch_bytes, ..ReadOptions::default() };
    assert_eq!(batches(Parquet, file.clone(), limited(9_000), 1 << 20).unwrap().len(), 1);
    let error = batches(Parquet, file.clone(), limited(8_000), 9).unwrap_err().to_string();
    assert_snapshot!(error, @"rows.parquet: is not valid parquet data: Parquet argument error: Parquet error: the page at byte 4 declares 8007 bytes, more than 8000; if that is right, raise --max-batch-bytes; write it again, or use another format");
    // Two bytes of a varint become five: 2,000,000,000.
    assert_eq!((&file[4..6], file[6]), (&[0x15, 0][..], 0x15));
    file.splice(7..9, [0x80, 0xd0, 0xac, 0xf3, 0x0e]);
    let error = batches(Parquet, file, limited(1 << 20), 9).unwrap_err().to_string();
    assert_snapshot!(error, @"rows.parquet: is not valid parquet data: Parquet argument error: Parquet error: the page at byte 4 declares 2000000000 bytes, more than 1048576; if that is right, raise --max-batch-bytes; write it again, or use another format");
}
