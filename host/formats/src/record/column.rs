//! A column of text cells as a column of its type.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;

use super::Records;
use super::header::Column;
use crate::ValueType;
use crate::value_type::{boolean, date, float64, int64, timestamp};

/// A cell that does not have its column's type.
pub(crate) struct Misfit {
    pub(crate) row: usize,
    /// What the cell is by its text.
    pub(crate) found: ValueType,
}

impl Misfit {
    pub(crate) fn new(row: usize, cell: &str) -> Self {
        Self { row, found: ValueType::of(cell) }
    }
}

impl Column {
    // A stated type takes every spelling of a number that Rust does; an inferred one takes those
    // that it was inferred from.
    pub(crate) fn int64(&self, cell: &str) -> Option<i64> {
        if self.stated { cell.parse().ok() } else { int64(cell) }
    }

    pub(crate) fn float64(&self, cell: &str) -> Option<f64> {
        if self.stated { cell.parse().ok() } else { float64(cell) }
    }
}

pub(crate) fn cast(records: &Records, position: usize) -> Result<ArrayRef, Misfit> {
    let column = records.header().column(position);
    macro_rules! parsed {
        ($builder:expr, $parse:expr) => {{
            let mut builder = $builder;
            for (row, cell) in records.values(position).enumerate() {
                match cell {
                    None => builder.append_null(),
                    Some(cell) => {
                        builder.append_value($parse(cell).ok_or_else(|| Misfit::new(row, cell))?)
                    }
                }
            }
            Arc::new(builder.finish())
        }};
    }
    Ok(match column.value_type {
        ValueType::String => Arc::new(records.strings(position)),
        ValueType::Int64 => {
            parsed!(Int64Builder::with_capacity(records.len()), |cell| column.int64(cell))
        }
        ValueType::Float64 => {
            parsed!(Float64Builder::with_capacity(records.len()), |cell| column.float64(cell))
        }
        ValueType::Boolean => parsed!(BooleanBuilder::with_capacity(records.len()), boolean),
        ValueType::Timestamp => {
            let array: ArrayRef =
                parsed!(TimestampMicrosecondBuilder::with_capacity(records.len()), timestamp);
            Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("UTC"))
        }
        ValueType::Date => parsed!(Date32Builder::with_capacity(records.len()), date),
        ValueType::Json => parsed!(StringBuilder::new(), json),
    })
}

/// The cell, if it is JSON.
pub(crate) fn json(cell: &str) -> Option<&str> {
    serde_json::from_str::<serde::de::IgnoredAny>(cell).ok().map(|_| cell)
}
