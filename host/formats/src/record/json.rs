//! Cells as JSON of their column's type.

use super::{Column, Records};
use crate::ValueType;
use crate::value_type::{date, timestamp};
use beamlet_values::json;

impl Column {
    /// Appends `cell` as JSON of the column's type; `false` if it does not have it, and nothing is
    /// appended then.
    #[inline]
    pub(crate) fn json(&self, cell: &str, out: &mut Vec<u8>) -> bool {
        if self.value_type == ValueType::String {
            json::string(cell, out);
            return true;
        }
        if matches!(self.value_type, ValueType::Timestamp | ValueType::Date | ValueType::Json) {
            return self.spelled(cell, out);
        }
        match (self.value_type, ValueType::of(cell)) {
            // What is spelled as JSON spells it is copied, so that no digit is lost.
            (expected, found) if expected.or(found) == expected => {
                out.extend_from_slice(cell.as_bytes());
                true
            }
            (ValueType::Int64, _) => self.int64(cell).map(|it| json::integer(it, out)).is_some(),
            (ValueType::Float64, _) => {
                self.float64(cell).map(|it| json::float64(it, out)).is_some()
            }
            _ => false,
        }
    }

    /// What a time, a day or a JSON text is spelled as stays.
    #[cold]
    fn spelled(&self, cell: &str, out: &mut Vec<u8>) -> bool {
        match self.value_type {
            ValueType::Timestamp => timestamp(cell).map(|_| json::string(cell, out)).is_some(),
            ValueType::Date => date(cell).map(|_| json::string(cell, out)).is_some(),
            _ => json::embedded(cell, out).is_ok(),
        }
    }
}

impl Records {
    /// Appends a row as a JSON object. A cell that does not have its column's type is a string.
    pub(crate) fn json(&self, row: usize, out: &mut Vec<u8>) {
        let record = self.row(row);
        for (position, column) in self.header.columns().iter().enumerate() {
            out.push(if position == 0 { b'{' } else { b',' });
            json::string(&column.name, out);
            out.push(b':');
            match record.value(position) {
                None => out.extend_from_slice(b"null"),
                Some(cell) => {
                    if !column.json(cell, out) {
                        json::string(cell, out);
                    }
                }
            }
        }
        out.push(b'}'); // a header has at least one column
    }
}
