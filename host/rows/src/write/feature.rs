//! A feature column, and its values as text.

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::{date32_to_datetime, date64_to_datetime};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Date32Array, Date64Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, LargeBinaryArray, LargeStringArray, StringArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_schema::extension::EXTENSION_TYPE_NAME_KEY;
use arrow_schema::{DataType, Field, TimeUnit};
use chrono::DateTime;

use super::json;
use crate::json_text::ARROW_JSON;

/// A column that can be written. Encoded by hand: of arrow-json's encoders only those for integers
/// and strings would serve, since floats, times, bytes and JSON texts all have their own spelling.
pub(super) struct Feature<'a> {
    pub(super) name: &'a str,
    values: Values<'a>,
}

struct Values<'a> {
    array: &'a dyn Array,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    UInt8(&'a UInt8Array),
    UInt16(&'a UInt16Array),
    UInt32(&'a UInt32Array),
    UInt64(&'a UInt64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Utf8(&'a StringArray),
    LargeUtf8(&'a LargeStringArray),
    Json(&'a StringArray),
    Binary(&'a BinaryArray),
    LargeBinary(&'a LargeBinaryArray),
    Date32(&'a Date32Array),
    Date64(&'a Date64Array),
    Second(&'a TimestampSecondArray),
    Millisecond(&'a TimestampMillisecondArray),
    Microsecond(&'a TimestampMicrosecondArray),
    Nanosecond(&'a TimestampNanosecondArray),
    List(&'a [i32], Box<Values<'a>>),
    LargeList(&'a [i64], Box<Values<'a>>),
}

impl<'a> Feature<'a> {
    /// Fails with the type that cannot be written.
    pub(super) fn new(field: &'a Field, array: &'a dyn Array) -> Result<Self, DataType> {
        Ok(Self { name: field.name(), values: Values::new(field, array)? })
    }

    /// Appends the value as JSON; fails with what is wrong with it.
    pub(super) fn json(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        self.values.json(row, out)
    }

    /// Appends the value as the text of a cell; `false` for null.
    pub(super) fn text(&self, row: usize, out: &mut Vec<u8>) -> Result<bool, String> {
        let Values { array, kind } = &self.values;
        if array.is_null(row) || matches!(kind, Kind::Null) {
            return Ok(false);
        }
        match kind {
            Kind::Utf8(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Kind::LargeUtf8(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Kind::Json(_) => self.json(row, out)?,
            _ => {
                let start = out.len();
                self.json(row, out)?;
                // Times, dates, bytes and floats that are no numbers: nothing in them is escaped.
                if out[start] == b'"' {
                    out.pop();
                    out.remove(start);
                }
            }
        }
        Ok(true)
    }
}

impl<'a> Values<'a> {
    fn new(field: &Field, array: &'a dyn Array) -> Result<Self, DataType> {
        let is_json =
            field.metadata().get(EXTENSION_TYPE_NAME_KEY).is_some_and(|name| name == ARROW_JSON);
        let kind = match array.data_type() {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Boolean(array.as_boolean()),
            DataType::Int8 => Kind::Int8(array.as_primitive()),
            DataType::Int16 => Kind::Int16(array.as_primitive()),
            DataType::Int32 => Kind::Int32(array.as_primitive()),
            DataType::Int64 => Kind::Int64(array.as_primitive()),
            DataType::UInt8 => Kind::UInt8(array.as_primitive()),
            DataType::UInt16 => Kind::UInt16(array.as_primitive()),
            DataType::UInt32 => Kind::UInt32(array.as_primitive()),
            DataType::UInt64 => Kind::UInt64(array.as_primitive()),
            DataType::Float32 => Kind::Float32(array.as_primitive()),
            DataType::Float64 => Kind::Float64(array.as_primitive()),
            DataType::Utf8 if is_json => Kind::Json(array.as_string()),
            DataType::Utf8 => Kind::Utf8(array.as_string()),
            DataType::LargeUtf8 if !is_json => Kind::LargeUtf8(array.as_string()),
            DataType::Binary => Kind::Binary(array.as_binary()),
            DataType::LargeBinary => Kind::LargeBinary(array.as_binary()),
            DataType::Date32 => Kind::Date32(array.as_primitive()),
            DataType::Date64 => Kind::Date64(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Second, Some(_)) => Kind::Second(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Millisecond, Some(_)) => {
                Kind::Millisecond(array.as_primitive())
            }
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
                Kind::Microsecond(array.as_primitive())
            }
            DataType::Timestamp(TimeUnit::Nanosecond, Some(_)) => {
                Kind::Nanosecond(array.as_primitive())
            }
            DataType::List(item) => {
                let list = array.as_list::<i32>();
                Kind::List(list.value_offsets(), Box::new(Self::new(item, list.values())?))
            }
            DataType::LargeList(item) => {
                let list = array.as_list::<i64>();
                Kind::LargeList(list.value_offsets(), Box::new(Self::new(item, list.values())?))
            }
            other => return Err(other.clone()),
        };
        Ok(Self { array, kind })
    }

    fn json(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        if self.array.is_null(row) {
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
            Kind::Float32(array) => json::float32(array.value(row), out),
            Kind::Float64(array) => json::float64(array.value(row), out),
            Kind::Utf8(array) => json::string(array.value(row), out),
            Kind::LargeUtf8(array) => json::string(array.value(row), out),
            Kind::Json(array) => json::embedded(array.value(row), out)?,
            Kind::Binary(array) => json::bytes(array.value(row), out),
            Kind::LargeBinary(array) => json::bytes(array.value(row), out),
            Kind::Date32(array) => json::date(date32_to_datetime(array.value(row)), out)?,
            Kind::Date64(array) => json::date(date64_to_datetime(array.value(row)), out)?,
            Kind::Second(array) => {
                json::instant(DateTime::from_timestamp(array.value(row), 0), out)?
            }
            Kind::Millisecond(array) => {
                json::instant(DateTime::from_timestamp_millis(array.value(row)), out)?
            }
            Kind::Microsecond(array) => {
                json::instant(DateTime::from_timestamp_micros(array.value(row)), out)?
            }
            Kind::Nanosecond(array) => {
                json::instant(Some(DateTime::from_timestamp_nanos(array.value(row))), out)?
            }
            Kind::List(ends, values) => {
                values.list(ends[row] as usize..ends[row + 1] as usize, out)?
            }
            Kind::LargeList(ends, values) => {
                values.list(ends[row] as usize..ends[row + 1] as usize, out)?
            }
        }
        Ok(())
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
