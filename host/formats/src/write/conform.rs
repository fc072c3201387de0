//! A feature column that comes with another type than it has in the output: it is converted where
//! that is exact.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field};
use beamlet_contract::arrow::{is_decimal, is_json, type_name};

use super::parse;
use crate::{Rows, RowsError};
use beamlet_values::Values;

/// `array`, which came as `field`, as a column of `target`.
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
            return parse::parsed(texts, target)
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
            (false, true) => Err(fault(0, "a string may be no decimal".to_owned())),
            _ => Ok(array.clone()),
        };
    }
    if !related(array.data_type(), target.data_type()) {
        return Err(fault(0, "the types do not go together".to_owned()));
    }
    // What comes back the same was exact.
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let there = cast_with_options(array, target.data_type(), &strict);
    let back =
        there.as_ref().ok().and_then(|it| cast_with_options(it, array.data_type(), &strict).ok());
    match (there, back) {
        (Ok(there), Some(back)) if back.to_data() == array.to_data() => Ok(there),
        _ => Err(fault(0, "a value in it would not stay the same".to_owned())),
    }
}

/// Whether one type is another spelling of the other, rather than another meaning.
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
