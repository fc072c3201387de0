//! Every type of the contract, from the declaration of a handler to the files.

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::guests;
use crate::support::key_value::{KeyValueStore, TOKEN};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::Field;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use beamlet_contract::{FieldType, Member, arrow, time};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::fs::File;

const ROWS: usize = 8;

fn simple() -> Vec<FieldType> {
    let names = "boolean int8 int16 int32 int64 float32 float64 string bytes date timestamp \
                 decimal json";
    names.split(' ').map(|name| name.parse().unwrap()).collect()
}

fn nested() -> impl Strategy<Value = FieldType> {
    let simple = prop::sample::select(simple());
    let inner = simple.prop_recursive(2, 10, 3, parts);
    parts(inner.boxed())
}

fn parts(inner: BoxedStrategy<FieldType>) -> BoxedStrategy<FieldType> {
    let names = prop::collection::hash_set("[a-z]{1,4}|[ \"<>,:é]{1,3}", 1..4);
    let members = (names, prop::collection::vec(inner.clone(), 4)).prop_map(|(names, types)| {
        let members = names.into_iter().zip(types);
        FieldType::Struct(members.map(|(name, of)| Member { name, of }).collect())
    });
    prop_oneof![inner.clone().prop_map(FieldType::array), inner.prop_map(FieldType::map), members,]
        .boxed()
}

/// A value of a type as the store sends it, which is how it has to come out.
fn value(of: &FieldType) -> BoxedStrategy<Value> {
    let one = match of {
        FieldType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        FieldType::Int8 => any::<i8>().prop_map(Value::from).boxed(),
        FieldType::Int16 => any::<i16>().prop_map(Value::from).boxed(),
        FieldType::Int32 => any::<i32>().prop_map(Value::from).boxed(),
        FieldType::Int64 => any::<i64>().prop_map(Value::from).boxed(),
        FieldType::Float32 => prop::num::f32::ANY.prop_map(|it| float(it.into())).boxed(),
        FieldType::Float64 => prop::num::f64::ANY.prop_map(float).boxed(),
        FieldType::String => any::<String>().prop_map(Value::from).boxed(),
        FieldType::Bytes => any::<Vec<u8>>().prop_map(|it| BASE64.encode(it).into()).boxed(),
        FieldType::Date => {
            (-100_000..100_000).prop_map(|days| time::date(days).unwrap().into()).boxed()
        }
        FieldType::Timestamp => (-(1_i64 << 55)..1 << 55)
            .prop_map(|micros| time::timestamp(micros).unwrap().into())
            .boxed(),
        FieldType::Decimal => {
            "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?".prop_map(Value::from).boxed()
        }
        FieldType::Json => any_json(),
        FieldType::Array(element) => {
            prop::collection::vec(value(element), 0..3).prop_map(Value::from).boxed()
        }
        FieldType::Map(of) => prop::collection::btree_map(any::<String>(), value(of), 0..3)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
            .boxed(),
        FieldType::Struct(members) => {
            let names: Vec<_> = members.iter().map(|member| member.name.clone()).collect();
            let values: Vec<_> = members.iter().map(|member| value(&member.of)).collect();
            let object =
                move |values| Value::Object(names.iter().cloned().zip::<Vec<_>>(values).collect());
            values.prop_map(object).boxed()
        }
    };
    prop_oneof![4 => one, 1 => Just(Value::Null)].boxed()
}

fn any_json() -> BoxedStrategy<Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::collection::vec(any::<i64>(), 0..3)
            .prop_map(|list| json!({ "list": list, "": null })),
    ]
    .boxed()
}

fn float(value: f64) -> Value {
    beamlet_contract::number::name(value).map_or_else(|| json!(value), Value::from)
}

/// Fields of each simple type and some that nest, with the values of each row.
fn fields() -> impl Strategy<Value = (Vec<FieldType>, Vec<Vec<Value>>)> {
    prop::collection::vec(nested(), 6).prop_flat_map(|nested| {
        let types: Vec<_> = simple().into_iter().chain(nested).collect();
        let row: Vec<_> = types.iter().map(value).collect();
        (Just(types), prop::collection::vec(row, ROWS))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn a_handler_may_declare_any_type_and_its_values_come_back_the_same((types, rows) in fields()) {
        round_trip(&types, &rows);
    }
}

fn round_trip(types: &[FieldType], rows: &[Vec<Value>]) {
    let name = |at: usize| format!("f{at}");
    let row = |values: &Vec<Value>| -> Map<String, Value> {
        values.iter().enumerate().map(|(at, value)| (name(at), value.clone())).collect()
    };
    let known = rows.iter().enumerate().map(|(at, values)| (format!("k{at}"), row(values).into()));
    let store = KeyValueStore::of(known.collect());
    let folder = Folder::new();
    let declared: Map<_, _> =
        types.iter().enumerate().map(|(at, of)| (name(at), of.to_string().into())).collect();
    let config = json!({
        "connection": { "url": store.url(), "api_key": TOKEN },
        "retrieval": { "key": "key", "fields": declared },
    });
    folder.write("beamlet.json", config.to_string());
    let keys: String = (0..rows.len()).map(|at| format!("{{\"key\":\"k{at}\"}}\n")).collect();
    folder.write("rows.ndjson", &keys);
    for output in ["o.parquet", "o.arrow", "o.ndjson"] {
        let handler = guests::key_value().display();
        let arguments = format!(
            "run --handler {handler} --config beamlet.json --input rows.ndjson --output {output}"
        );
        Beamlet::new(&folder, &arguments).succeed();
    }
    let parquet = File::open(folder.file("o.parquet")).unwrap();
    let parquet = ParquetRecordBatchReaderBuilder::try_new(parquet).unwrap().build().unwrap();
    let arrow = File::open(folder.file("o.arrow")).unwrap();
    let arrow = arrow_ipc::reader::FileReader::try_new(arrow, None).unwrap();
    for (file, batches) in [
        ("parquet", parquet.map(Result::unwrap).collect::<Vec<RecordBatch>>()),
        ("arrow", arrow.map(Result::unwrap).collect()),
    ] {
        let mut row = 0;
        for batch in &batches {
            for at_row in 0..batch.num_rows() {
                for (at, of) in types.iter().enumerate() {
                    let schema = batch.schema();
                    let (position, field) = schema.column_with_name(&name(at)).unwrap();
                    assert_eq!(arrow::field_type(field).as_ref(), Some(of), "{file}");
                    let came = shown(field, batch.column(position), at_row);
                    assert_same(&came, &rows[row][at], of, file);
                }
                row += 1;
            }
        }
        assert_eq!(row, rows.len(), "{file}");
    }
    let text = folder.read("o.ndjson");
    assert_eq!(text.lines().count(), rows.len());
    for (line, values) in text.lines().zip(rows) {
        let line: Value = serde_json::from_str(line).unwrap();
        for (at, (of, value)) in types.iter().zip(values).enumerate() {
            assert_same(&line[name(at)], value, of, "ndjson");
        }
    }
}

#[track_caller]
fn assert_same(came: &Value, sent: &Value, of: &FieldType, file: &str) {
    assert!(is_same(came, sent, of), "{file}, {of}: {sent} came as {came}");
}

/// Whether both are the same value of the type: a float32 may have other digits.
fn is_same(came: &Value, sent: &Value, of: &FieldType) -> bool {
    match (of, came, sent) {
        (FieldType::Float32, Value::Number(came), Value::Number(sent)) => {
            came.as_f64().unwrap() as f32 == sent.as_f64().unwrap() as f32
        }
        (FieldType::Float64, Value::Number(came), Value::Number(sent)) => {
            came.as_f64() == sent.as_f64()
        }
        (FieldType::Array(of), Value::Array(came), Value::Array(sent)) => {
            came.len() == sent.len() && came.iter().zip(sent).all(|(a, b)| is_same(a, b, of))
        }
        (FieldType::Map(of), Value::Object(came), Value::Object(sent)) => {
            came.len() == sent.len()
                && sent
                    .iter()
                    .all(|(key, sent)| came.get(key).is_some_and(|came| is_same(came, sent, of)))
        }
        (FieldType::Struct(members), Value::Object(came), Value::Object(sent)) => {
            came.len() == members.len()
                && members
                    .iter()
                    .all(|member| is_same(&came[&member.name], &sent[&member.name], &member.of))
        }
        _ => came == sent,
    }
}

/// The value of a column at a row, as the store sent it.
fn shown(field: &Field, array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match arrow::field_type(field).unwrap() {
        FieldType::Boolean => array.as_boolean().value(row).into(),
        FieldType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        FieldType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        FieldType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        FieldType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        FieldType::Float32 => float(array.as_primitive::<Float32Type>().value(row).into()),
        FieldType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        FieldType::String | FieldType::Decimal => array.as_string::<i32>().value(row).into(),
        FieldType::Json => serde_json::from_str(array.as_string::<i32>().value(row)).unwrap(),
        FieldType::Bytes => BASE64.encode(array.as_binary::<i32>().value(row)).into(),
        FieldType::Date => {
            time::date(array.as_primitive::<Date32Type>().value(row)).unwrap().into()
        }
        FieldType::Timestamp => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            time::timestamp(micros).unwrap().into()
        }
        FieldType::Array(_) => {
            let arrow_schema::DataType::List(item) = field.data_type() else { panic!("{field}") };
            let list = array.as_list::<i32>().value(row);
            (0..list.len()).map(|at| shown(item, &list, at)).collect()
        }
        FieldType::Map(_) => {
            let entries = array.as_map().value(row);
            let values = entries.fields()[1].clone();
            let keys = entries.column(0).as_string::<i32>();
            let member =
                |at: usize| (keys.value(at).to_owned(), shown(&values, entries.column(1), at));
            Value::Object((0..entries.len()).map(member).collect())
        }
        FieldType::Struct(_) => {
            let members = array.as_struct();
            let member = |(field, column): (&std::sync::Arc<Field>, &arrow_array::ArrayRef)| {
                (field.name().clone(), shown(field, column, row))
            };
            Value::Object(members.fields().iter().zip(members.columns()).map(member).collect())
        }
    }
}
