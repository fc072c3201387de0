//! Lists that came as JSON: the contract's own lists have no null elements, Arrow's have.

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, ListBuilder, PrimitiveBuilder, StringBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use beamlet_contract::number;
use serde_json::Value;
use std::sync::Arc;

/// JSON texts as lists of such elements, or `None` where they are others.
pub(crate) fn lists(texts: &dyn Array, element: &DataType) -> Option<ArrayRef> {
    match element {
        DataType::Boolean => listed(texts, BooleanBuilder::new(), |to, value| {
            to.append_option(optional(value, Value::as_bool)?);
            Some(())
        }),
        DataType::Int64 => numbers::<Int64Type>(texts, Value::as_i64),
        DataType::Float32 => numbers::<Float32Type>(texts, |value| Some(float(value)? as f32)),
        DataType::Float64 => numbers::<Float64Type>(texts, float),
        DataType::Utf8 => listed(texts, StringBuilder::new(), |to, value| {
            to.append_option(optional(value, Value::as_str)?);
            Some(())
        }),
        _ => None,
    }
}

fn numbers<T: ArrowPrimitiveType>(
    texts: &dyn Array,
    read: fn(&Value) -> Option<T::Native>,
) -> Option<ArrayRef> {
    listed(texts, PrimitiveBuilder::<T>::new(), |to, value| {
        to.append_option(optional(value, read)?);
        Some(())
    })
}

fn listed<B: ArrayBuilder>(
    texts: &dyn Array,
    builder: B,
    append: impl Fn(&mut B, &Value) -> Option<()>,
) -> Option<ArrayRef> {
    let mut lists = ListBuilder::new(builder);
    for text in texts.as_string_opt::<i32>()? {
        let list: Option<Vec<Value>> = text.map(serde_json::from_str).transpose().ok()?;
        for value in list.iter().flatten() {
            append(lists.values(), value)?;
        }
        lists.append(list.is_some());
    }
    Some(Arc::new(lists.finish()))
}

/// Null is none; what cannot be read is no element.
fn optional<'v, T>(value: &'v Value, read: impl Fn(&'v Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

/// A number, or the name of one that JSON has not.
fn float(value: &Value) -> Option<f64> {
    match value.as_str() {
        None => value.as_f64(),
        Some(name) => number::named(name),
    }
}
