//! A column of text cells as a column of its type.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder};

use super::Records;
use super::header::Column;
use crate::ValueType;
use crate::value_type::{boolean, float64, int64};

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
        ($builder:ty, $parse:expr) => {{
            let mut builder = <$builder>::with_capacity(records.len());
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
        ValueType::Int64 => parsed!(Int64Builder, |cell| column.int64(cell)),
        ValueType::Float64 => parsed!(Float64Builder, |cell| column.float64(cell)),
        ValueType::Boolean => parsed!(BooleanBuilder, boolean),
    })
}
