//! Writes the values of an Arrow array as text: as JSON, or as the cell of a table.

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::{date32_to_datetime, date64_to_datetime};
use arrow_array::types::{Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Date64Array,
    Decimal32Array, Decimal64Array, Decimal128Array, Decimal256Array, FixedSizeBinaryArray,
    Float16Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    LargeBinaryArray, LargeStringArray, StringArray, StringViewArray, UInt8Array, UInt16Array,
    UInt32Array, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, Field, TimeUnit};
use beamlet_contract::arrow::is_json;
use chrono::{DateTime, Utc};

use crate::json;

/// An array whose values can be written. The encoding is our own, because of arrow-json's encoders
/// only those for integers and strings could be used: floats, times, bytes and JSON texts are
/// spelled in another way here.
pub struct Values {
    nulls: Option<NullBuffer>,
    kind: Kind,
}

enum Kind {
    Null,
    Boolean(BooleanArray),
    Int8(Int8Array),
    Int16(Int16Array),
    Int32(Int32Array),
    Int64(Int64Array),
    UInt8(UInt8Array),
    UInt16(UInt16Array),
    UInt32(UInt32Array),
    UInt64(UInt64Array),
    Float16(Float16Array),
    Float32(Float32Array),
    Float64(Float64Array),
    Decimal32(Decimal32Array),
    Decimal64(Decimal64Array),
    Decimal128(Decimal128Array),
    Decimal256(Decimal256Array),
    Utf8(StringArray),
    LargeUtf8(LargeStringArray),
    Utf8View(StringViewArray),
    /// Texts that are JSON.
    Json(StringArray),
    Binary(BinaryArray),
    LargeBinary(LargeBinaryArray),
    BinaryView(BinaryViewArray),
    FixedSizeBinary(FixedSizeBinaryArray),
    Uuid(FixedSizeBinaryArray),
    Date32(Date32Array),
    Date64(Date64Array),
    /// In units since 1970. With a zone it is an instant.
    Timestamp {
        values: ScalarBuffer<i64>,
        unit: TimeUnit,
        zoned: bool,
    },
    List(OffsetBuffer<i32>, Box<Values>),
    LargeList(OffsetBuffer<i64>, Box<Values>),
    FixedSizeList(usize, Box<Values>),
    Struct(Vec<Member>),
    Map {
        ends: OffsetBuffer<i32>,
        keys: Box<Values>,
        values: Box<Values>,
    },
}

/// A field of a struct, with its key as JSON.
struct Member {
    key: Vec<u8>,
    values: Values,
}

impl Values {
    /// The values of `field`. Fails with the type that cannot be written.
    pub fn new(field: &Field, array: &ArrayRef) -> Result<Self, DataType> {
        let is_json = is_json(field);
        let kind = match array.data_type() {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Boolean(array.as_boolean().clone()),
            DataType::Int8 => Kind::Int8(array.as_primitive().clone()),
            DataType::Int16 => Kind::Int16(array.as_primitive().clone()),
            DataType::Int32 => Kind::Int32(array.as_primitive().clone()),
            DataType::Int64 => Kind::Int64(array.as_primitive().clone()),
            DataType::UInt8 => Kind::UInt8(array.as_primitive().clone()),
            DataType::UInt16 => Kind::UInt16(array.as_primitive().clone()),
            DataType::UInt32 => Kind::UInt32(array.as_primitive().clone()),
            DataType::UInt64 => Kind::UInt64(array.as_primitive().clone()),
            DataType::Float16 => Kind::Float16(array.as_primitive().clone()),
            DataType::Float32 => Kind::Float32(array.as_primitive().clone()),
            DataType::Float64 => Kind::Float64(array.as_primitive().clone()),
            DataType::Decimal32(..) => {
                Kind::Decimal32(array.as_primitive::<Decimal32Type>().clone())
            }
            DataType::Decimal64(..) => {
                Kind::Decimal64(array.as_primitive::<Decimal64Type>().clone())
            }
            DataType::Decimal128(..) => {
                Kind::Decimal128(array.as_primitive::<Decimal128Type>().clone())
            }
            DataType::Decimal256(..) => {
                Kind::Decimal256(array.as_primitive::<Decimal256Type>().clone())
            }
            DataType::Utf8 if is_json => Kind::Json(array.as_string().clone()),
            DataType::Utf8 => Kind::Utf8(array.as_string().clone()),
            DataType::LargeUtf8 if !is_json => Kind::LargeUtf8(array.as_string().clone()),
            DataType::Utf8View if !is_json => Kind::Utf8View(array.as_string_view().clone()),
            DataType::Binary => Kind::Binary(array.as_binary().clone()),
            DataType::LargeBinary => Kind::LargeBinary(array.as_binary().clone()),
            DataType::BinaryView => Kind::BinaryView(array.as_binary_view().clone()),
            DataType::FixedSizeBinary(16) if is_uuid(field) => {
                Kind::Uuid(array.as_fixed_size_binary().clone())
            }
            DataType::FixedSizeBinary(_) => {
                Kind::FixedSizeBinary(array.as_fixed_size_binary().clone())
            }
            DataType::Date32 => Kind::Date32(array.as_primitive().clone()),
            DataType::Date64 => Kind::Date64(array.as_primitive().clone()),
            DataType::Timestamp(unit, zone) => Kind::Timestamp {
                values: ScalarBuffer::from(array.to_data().buffers()[0].clone())
                    .slice(array.to_data().offset(), array.len()),
                unit: *unit,
                zoned: zone.is_some(),
            },
            DataType::List(item) => {
                let list = array.as_list::<i32>();
                Kind::List(list.offsets().clone(), Box::new(Self::new(item, list.values())?))
            }
            DataType::LargeList(item) => {
                let list = array.as_list::<i64>();
                Kind::LargeList(list.offsets().clone(), Box::new(Self::new(item, list.values())?))
            }
            DataType::FixedSizeList(item, size) => {
                let list = array.as_fixed_size_list();
                Kind::FixedSizeList(*size as usize, Box::new(Self::new(item, list.values())?))
            }
            DataType::Struct(fields) => {
                let members = fields.iter().zip(array.as_struct().columns());
                let members = members.map(|(field, array)| {
                    let mut key = Vec::new();
                    json::string(field.name(), &mut key);
                    key.push(b':');
                    Ok(Member { key, values: Self::new(field, array)? })
                });
                Kind::Struct(members.collect::<Result<_, _>>()?)
            }
            DataType::Map(entries, _) => {
                let map = array.as_map();
                let DataType::Struct(fields) = entries.data_type() else {
                    return Err(array.data_type().clone());
                };
                Kind::Map {
                    ends: map.offsets().clone(),
                    keys: Box::new(Self::new(&fields[0], map.keys())?),
                    values: Box::new(Self::new(&fields[1], map.values())?),
                }
            }
            other => {
                let Some(common) = common_type(other, is_json) else { return Err(other.clone()) };
                let Ok(array) = arrow_cast::cast(array, &common) else { return Err(other.clone()) };
                let field = field.clone().with_data_type(common);
                return Self::new(&field, &array);
            }
        };
        Ok(Self { nulls: array.nulls().cloned(), kind })
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the value as JSON. Fails with the problem of the value.
    pub fn json(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        if self.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &self.kind {
            Kind::Null => out.extend_from_slice(b"null"),
            Kind::Boolean(array) => {
                out.extend_from_slice(if array.value(row) { b"true" } else { b"false" })
            }
            Kind::Int8(array) => json::integer(array.value(row), out),
            Kind::Int16(array) => json::integer(array.value(row), out),
            Kind::Int32(array) => json::integer(array.value(row), out),
            Kind::Int64(array) => json::integer(array.value(row), out),
            Kind::UInt8(array) => json::integer(array.value(row), out),
            Kind::UInt16(array) => json::integer(array.value(row), out),
            Kind::UInt32(array) => json::integer(array.value(row), out),
            Kind::UInt64(array) => json::integer(array.value(row), out),
            Kind::Float16(array) => json::float32(array.value(row).to_f32(), out),
            Kind::Float32(array) => json::float32(array.value(row), out),
            Kind::Float64(array) => json::float64(array.value(row), out),
            Kind::Decimal32(array) => json::string(&array.value_as_string(row), out),
            Kind::Decimal64(array) => json::string(&array.value_as_string(row), out),
            Kind::Decimal128(array) => json::string(&array.value_as_string(row), out),
            Kind::Decimal256(array) => json::string(&array.value_as_string(row), out),
            Kind::Utf8(array) => json::string(array.value(row), out),
            Kind::LargeUtf8(array) => json::string(array.value(row), out),
            Kind::Utf8View(array) => json::string(array.value(row), out),
            Kind::Json(array) => json::embedded(array.value(row), out)?,
            Kind::Binary(array) => json::bytes(array.value(row), out),
            Kind::LargeBinary(array) => json::bytes(array.value(row), out),
            Kind::BinaryView(array) => json::bytes(array.value(row), out),
            Kind::FixedSizeBinary(array) => json::bytes(array.value(row), out),
            Kind::Uuid(array) => json::uuid(array.value(row), out),
            Kind::Date32(array) => json::date(date32_to_datetime(array.value(row)), out)?,
            Kind::Date64(array) => json::date(date64_to_datetime(array.value(row)), out)?,
            Kind::Timestamp { values, unit, zoned } => {
                let value = instant(values[row], *unit);
                if *zoned { json::instant(value, out)? } else { json::local(value, out)? }
            }
            Kind::List(ends, values) => {
                values.list(ends[row] as usize..ends[row + 1] as usize, out)?
            }
            Kind::LargeList(ends, values) => {
                values.list(ends[row] as usize..ends[row + 1] as usize, out)?
            }
            Kind::FixedSizeList(size, values) => values.list(row * size..(row + 1) * size, out)?,
            Kind::Struct(members) => {
                out.push(b'{');
                for (position, member) in members.iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(&member.key);
                    member.values.json(row, out)?;
                }
                out.push(b'}');
            }
            Kind::Map { ends, keys, values } => {
                out.push(b'{');
                let (start, end) = (ends[row] as usize, ends[row + 1] as usize);
                for entry in start..end {
                    if entry > start {
                        out.push(b',');
                    }
                    let mut key = Vec::new();
                    keys.text(entry, &mut key)?;
                    json::string(&String::from_utf8_lossy(&key), out);
                    out.push(b':');
                    values.json(entry, out)?;
                }
                out.push(b'}');
            }
        }
        Ok(())
    }

    /// Appends the value as the text of a cell; `false` for null.
    #[inline]
    pub fn text(&self, row: usize, out: &mut Vec<u8>) -> Result<bool, String> {
        if self.is_null(row) || matches!(self.kind, Kind::Null) {
            return Ok(false);
        }
        match &self.kind {
            Kind::Utf8(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Kind::LargeUtf8(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Kind::Utf8View(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Kind::Json(_) => self.json(row, out)?,
            _ => {
                let start = out.len();
                self.json(row, out)?;
                // Times, dates, bytes and named floats contain no escapes, so the quotes can be
                // removed.
                if out[start] == b'"' {
                    out.pop();
                    out.remove(start);
                }
            }
        }
        Ok(true)
    }

    fn list(&self, range: std::ops::Range<usize>, out: &mut Vec<u8>) -> Result<(), String> {
        out.push(b'[');
        let start = range.start;
        for item in range {
            if item > start {
                out.push(b',');
            }
            self.json(item, out)?;
        }
        out.push(b']');
        Ok(())
    }
}

/// Whether a field's bytes are UUIDs.
pub fn is_uuid(field: &Field) -> bool {
    field.metadata().get(EXTENSION_TYPE_NAME_KEY).is_some_and(|name| name == "arrow.uuid")
}

/// The type to which an array of a less common type is cast before it is written: a dictionary to
/// its values, a list view to a list, and times of day, durations and intervals to Arrow's text.
fn common_type(data_type: &DataType, is_json: bool) -> Option<DataType> {
    Some(match data_type {
        DataType::LargeUtf8 | DataType::Utf8View if is_json => DataType::Utf8,
        DataType::Dictionary(_, values) => (**values).clone(),
        DataType::RunEndEncoded(_, values) => values.data_type().clone(),
        DataType::ListView(item) => DataType::List(item.clone()),
        DataType::LargeListView(item) => DataType::LargeList(item.clone()),
        DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_) => DataType::Utf8,
        _ => return None,
    })
}

fn instant(value: i64, unit: TimeUnit) -> Option<DateTime<Utc>> {
    match unit {
        TimeUnit::Second => DateTime::from_timestamp(value, 0),
        TimeUnit::Millisecond => DateTime::from_timestamp_millis(value),
        TimeUnit::Microsecond => DateTime::from_timestamp_micros(value),
        TimeUnit::Nanosecond => Some(DateTime::from_timestamp_nanos(value)),
    }
}
