//! Converts a feature column that comes with another type than it has in the output, where that is
//! exact.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, ListArray, MapArray, PrimitiveArray, StructArray, new_null_array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, TimeUnit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use beamlet_contract::arrow::{is_decimal, is_json, type_name};
use beamlet_contract::number;
use beamlet_values::Values;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::field::{date, float64, timestamp};
use crate::{Rows, RowsError};

/// Converts `array`, which came as `field`, to a column of `target`.
pub(super) fn conformed(
    rows: &Rows,
    target: &Field,
    field: &Field,
    array: &ArrayRef,
) -> Result<ArrayRef, RowsError> {
    let fault = |row: usize, problem: String| RowsError::FeatureCast {
        origin: rows.origin(row),
        field: target.name().clone(),
        was: type_name(target).into(),
        now: type_name(field).into(),
        problem: problem.into(),
    };
    if array.len() == array.logical_null_count() {
        return Ok(if array.data_type() == target.data_type() {
            array.clone()
        } else {
            new_null_array(target.data_type(), array.len())
        });
    }
    match (is_json(field), is_json(target)) {
        (true, true) => {}
        (true, false) => {
            let texts = array.as_string::<i32>().iter();
            return parsed(texts, target)
                .map_err(|it| fault(it.row.min(array.len() - 1), it.problem));
        }
        (false, true) => {
            let text = texts(field, array).map_err(|(row, problem)| fault(row, problem))?;
            return Ok(text);
        }
        (false, false) => {}
    }
    if array.data_type() == target.data_type() {
        return match (is_decimal(field), is_decimal(target)) {
            (false, true) => Err(fault(0, "a string need not be a decimal".to_owned())),
            _ => Ok(array.clone()),
        };
    }
    if !related(array.data_type(), target.data_type()) {
        return Err(fault(0, "the types are not related".to_owned()));
    }
    // A conversion is exact if converting back gives the same values.
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let there = cast_with_options(array, target.data_type(), &strict);
    let back =
        there.as_ref().ok().and_then(|it| cast_with_options(it, array.data_type(), &strict).ok());
    match (there, back) {
        (Ok(there), Some(back)) if back.to_data() == array.to_data() => Ok(there),
        _ => Err(fault(0, "a value in it would change".to_owned())),
    }
}

/// Whether the types are representations of the same kind of value.
fn related(from: &DataType, to: &DataType) -> bool {
    let text =
        |it: &DataType| matches!(it, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let bytes = |it: &DataType| {
        matches!(
            it,
            DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
                | DataType::FixedSizeBinary(_)
        )
    };
    let date = |it: &DataType| matches!(it, DataType::Date32 | DataType::Date64);
    let list = |it: &DataType| match it {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item) => Some(item.data_type().clone()),
        _ => None,
    };
    match (from, to) {
        (DataType::Dictionary(_, values), to) => values.as_ref() == to || related(values, to),
        (DataType::Timestamp(_, from), DataType::Timestamp(_, to)) => {
            from.is_some() == to.is_some()
        }
        _ if from.is_numeric() && to.is_numeric() => true,
        _ => {
            let all = |is: fn(&DataType) -> bool| is(from) && is(to);
            let lists = list(from).zip(list(to));
            all(text)
                || all(bytes)
                || all(date)
                || lists.is_some_and(|(from, to)| from == to || related(&from, &to))
        }
    }
}

fn texts(field: &Field, array: &ArrayRef) -> Result<ArrayRef, (usize, String)> {
    let values = Values::new(field, array).map_err(|_| (0, "its type has no JSON".to_owned()))?;
    let mut texts = StringBuilder::with_capacity(array.len(), 16 * array.len());
    let mut text = Vec::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        values.json(row, &mut text).map_err(|problem| (row, problem))?;
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Ok(Arc::new(texts.finish()))
}

/// A text that cannot be converted.
struct Fault {
    /// The row, counted at the top level.
    row: usize,
    problem: String,
}

/// A value, and the top-level row to which it belongs.
type Value<'a> = (usize, Option<&'a str>);

/// Parses `texts`, each of which is one JSON value, into a column.
fn parsed<'a>(
    texts: impl Iterator<Item = Option<&'a str>>,
    field: &Field,
) -> Result<ArrayRef, Fault> {
    let values: Vec<_> =
        texts.map(|text| text.map(str::trim).filter(|it| *it != "null")).enumerate().collect();
    column(&values, field)
}

fn column(values: &[Value<'_>], field: &Field) -> Result<ArrayRef, Fault> {
    macro_rules! built {
        ($builder:expr, $expected:literal, $parse:expr) => {{
            let mut builder = $builder;
            for (row, value) in values {
                match value {
                    None => builder.append_null(),
                    Some(text) => match $parse(*text) {
                        Some(value) => builder.append_value(value),
                        None => return Err(fault(*row, $expected)),
                    },
                }
            }
            Ok(Arc::new(builder.finish()))
        }};
    }
    match field.data_type() {
        DataType::Utf8 if is_json(field) => built!(StringBuilder::new(), "JSON", Some),
        DataType::Utf8 if is_decimal(field) => {
            built!(StringBuilder::new(), "a decimal", decimal)
        }
        DataType::Utf8 => built!(StringBuilder::new(), "a string", string),
        DataType::Boolean => built!(BooleanBuilder::new(), "a boolean", boolean),
        DataType::Int8 => numbers::<Int8Type>(values, "an int8", integer),
        DataType::Int16 => numbers::<Int16Type>(values, "an int16", integer),
        DataType::Int32 => numbers::<Int32Type>(values, "an int32", integer),
        DataType::Int64 => numbers::<Int64Type>(values, "an int64", integer),
        DataType::UInt8 => numbers::<UInt8Type>(values, "a uint8", integer),
        DataType::UInt16 => numbers::<UInt16Type>(values, "a uint16", integer),
        DataType::UInt32 => numbers::<UInt32Type>(values, "a uint32", integer),
        DataType::UInt64 => numbers::<UInt64Type>(values, "a uint64", integer),
        DataType::Float32 => numbers::<Float32Type>(values, "a float32", single),
        DataType::Float64 => numbers::<Float64Type>(values, "a float64", double),
        DataType::Date32 => {
            built!(Date32Builder::new(), "a date", |text| string(text).and_then(|it| date(&it)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
            let builder = TimestampMicrosecondBuilder::new().with_timezone(zone.clone());
            built!(builder, "a timestamp", |text| string(text).and_then(|it| timestamp(&it)))
        }
        DataType::Binary => built!(BinaryBuilder::new(), "base64", |text| {
            string(text).and_then(|it| BASE64.decode(&*it).ok())
        }),
        DataType::List(item) => list(values, item),
        DataType::Struct(_) => object(values, field),
        DataType::Map(entries, _) => map(values, entries),
        other => Err(Fault { row: 0, problem: format!("JSON cannot become {other}") }),
    }
}

fn fault(row: usize, expected: &str) -> Fault {
    Fault { row, problem: format!("a value in it is not {expected}") }
}

fn numbers<T: ArrowPrimitiveType>(
    values: &[Value<'_>],
    expected: &str,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef, Fault> {
    let array = values
        .iter()
        .map(|(row, value)| match value {
            None => Ok(None),
            Some(text) => parse(text).map(Some).ok_or_else(|| fault(*row, expected)),
        })
        .collect::<Result<PrimitiveArray<T>, _>>()?;
    Ok(Arc::new(array))
}

fn integer<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn double(text: &str) -> Option<f64> {
    not_finite(text).or_else(|| float64(text))
}

/// A float32 is spelled with the fewest digits that identify it.
fn single(text: &str) -> Option<f32> {
    if let Some(value) = not_finite(text) {
        return Some(value as f32);
    }
    float64(text)?;
    text.parse().ok().filter(|it: &f32| it.is_finite())
}

fn not_finite(text: &str) -> Option<f64> {
    number::named(text.strip_prefix('"')?.strip_suffix('"')?)
}

fn boolean(text: &str) -> Option<bool> {
    text.parse().ok()
}

fn string(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(text).ok() } else { Some(inner.into()) }
}

/// A number, or a string that contains one.
fn decimal(text: &str) -> Option<Cow<'_, str>> {
    let number = if text.starts_with('"') { string(text)? } else { text.into() };
    serde_json::from_str::<serde_json::Number>(&number).is_ok().then_some(number)
}

/// The nulls and the lengths of nested values, as Arrow's buffers.
fn nested(values: &[Value<'_>], lengths: Vec<usize>) -> (NullBuffer, OffsetBuffer<i32>) {
    let nulls = values.iter().map(|(_, value)| value.is_some()).collect();
    (nulls, OffsetBuffer::from_lengths(lengths))
}

fn list(values: &[Value<'_>], item: &Arc<Field>) -> Result<ArrayRef, Fault> {
    let mut items = Vec::new();
    let mut lengths = Vec::with_capacity(values.len());
    for (row, value) in values {
        let parsed: Vec<&RawValue> = match value {
            None => Vec::new(),
            Some(text) => serde_json::from_str(text).map_err(|_| fault(*row, "an array"))?,
        };
        lengths.push(parsed.len());
        items.extend(parsed.into_iter().map(|it| (*row, present(it.get()))));
    }
    let child = column(&items, item)?;
    let (nulls, ends) = nested(values, lengths);
    let array = ListArray::try_new(item.clone(), ends, child, Some(nulls));
    array.map(|it| Arc::new(it) as ArrayRef).map_err(|_| fault(0, "an array without nulls"))
}

fn map(values: &[Value<'_>], entries: &Arc<Field>) -> Result<ArrayRef, Fault> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(fault(0, "a map of keys and values"));
    };
    let (mut keys, mut members) = (StringBuilder::new(), Vec::new());
    let mut lengths = Vec::with_capacity(values.len());
    for (row, value) in values {
        let parsed = match value {
            None => Vec::new(),
            Some(text) => object_members(text).map_err(|_| fault(*row, "an object"))?,
        };
        lengths.push(parsed.len());
        for (key, value) in parsed {
            keys.append_value(key);
            members.push((*row, value));
        }
    }
    let child = column(&members, &fields[1])?;
    let (nulls, ends) = nested(values, lengths);
    let columns = vec![Arc::new(keys.finish()) as ArrayRef, child];
    StructArray::try_new(fields.clone(), columns, None)
        .and_then(|pairs| MapArray::try_new(entries.clone(), ends, pairs, Some(nulls), false))
        .map(|it| Arc::new(it) as ArrayRef)
        .map_err(|_| fault(0, "a map of strings"))
}

fn object(values: &[Value<'_>], field: &Field) -> Result<ArrayRef, Fault> {
    let DataType::Struct(fields) = field.data_type() else {
        return Err(fault(0, "an object"));
    };
    let positions: HashMap<_, _> =
        fields.iter().enumerate().map(|(position, it)| (it.name().as_str(), position)).collect();
    let mut columns: Vec<Vec<Value<'_>>> = vec![Vec::with_capacity(values.len()); fields.len()];
    for (row, value) in values {
        columns.iter_mut().for_each(|column| column.push((*row, None)));
        let Some(text) = value else { continue };
        for (key, value) in object_members(text).map_err(|_| fault(*row, "an object"))? {
            let Some(position) = positions.get(&*key) else {
                let problem = "it has a member that its type does not name".to_owned();
                return Err(Fault { row: *row, problem });
            };
            if let Some(last) = columns[*position].last_mut() {
                last.1 = value;
            }
        }
    }
    let nulls = values.iter().map(|(_, value)| value.is_some()).collect();
    let columns = fields.iter().zip(&columns).map(|(field, values)| column(values, field));
    let array =
        StructArray::try_new(fields.clone(), columns.collect::<Result<_, _>>()?, Some(nulls));
    array.map(|it| Arc::new(it) as ArrayRef).map_err(|_| fault(0, "an object without nulls"))
}

fn present(text: &str) -> Option<&str> {
    Some(text).filter(|it| *it != "null")
}

type Members<'a> = Vec<(Cow<'a, str>, Option<&'a str>)>;

fn object_members(text: &str) -> serde_json::Result<Members<'_>> {
    struct Object;
    impl<'a> Visitor<'a> for Object {
        type Value = Members<'a>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(Key(key)) = map.next_key()? {
                members.push((key, present(map.next_value::<&'a RawValue>()?.get())));
            }
            Ok(members)
        }
    }
    #[derive(serde::Deserialize)]
    struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

    let mut parser = serde_json::Deserializer::from_str(text);
    let members = parser.deserialize_map(Object)?;
    parser.end().map(|()| members)
}
