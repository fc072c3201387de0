//! The row that expressions are over: the columns they read, and a position in them.

use super::fields::Read;
use crate::datum::Datum;
use crate::{Batch, Column};

/// The columns of a batch that expressions read, in the order of their reads.
#[derive(Debug, Default)]
pub(crate) struct Frame<'a> {
    fields: Vec<Bound<'a>>,
}

#[derive(Debug)]
struct Bound<'a> {
    column: &'a Column,
    /// Empty where no value is null.
    nulls: Vec<bool>,
}

impl<'a> Frame<'a> {
    /// The columns of a batch; the error is a field that is not there.
    pub(crate) fn bind<'r>(reads: &'r [Read], rows: &'a Batch) -> Result<Self, &'r str> {
        let bind = |read: &'r Read| -> Result<Bound<'a>, &'r str> {
            let column = rows.column(&read.name).ok_or(read.name.as_str())?;
            let nulls = if column.nulls.is_empty() { Vec::new() } else { column.null_mask() };
            Ok(Bound { column, nulls })
        };
        Ok(Frame { fields: reads.iter().map(bind).collect::<Result<_, _>>()? })
    }
}

/// One row of a frame.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) frame: &'a Frame<'a>,
    pub(super) at: usize,
}

impl<'a> Row<'a> {
    pub(super) fn is_null(self, field: usize) -> bool {
        self.frame.fields[field].nulls.get(self.at).copied().unwrap_or(false)
    }

    pub(super) fn get(self, field: usize) -> Datum<'a> {
        if self.is_null(field) {
            return Datum::Null;
        }
        Datum::of_column(self.frame.fields[field].column, self.at)
    }
}
