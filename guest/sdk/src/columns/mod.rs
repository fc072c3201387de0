//! Columns out of the values of an answer, by the types of their fields.
//!
//! [`Cell`] is one value as it came, borrowed from the answer's text, and [`column()`] makes a
//! typed column of cells. [`ColumnBuilder`] takes values while an answer is parsed, with no cell
//! in between.

mod builder;
mod cell;
mod fields;
mod typed;
mod values;

pub use builder::ColumnBuilder;
pub use cell::Cell;
pub use fields::{Fields, Found};
pub use typed::{NotOfType, column};
