//! Feature columns. A handler makes them in one of three ways:
//!
//! - of Rust values, with [`Column::of`](crate::Column::of): one [`ColumnValue`] a row, whose type is the column's;
//! - of JSON values, with [`column()`]: [`Cell`]s of a field whose type is known at run time. They
//!   are checked and converted;
//! - while an answer is parsed, with [`ColumnBuilder`]: nothing stands between the answer's text
//!   and the column. This is the fastest way.
//!
//! All of them can make every type of the grammar in [`FieldType`](crate::FieldType). [`Fields`]
//! builds on them: fields that a configuration declares, and the answer for rows of JSON objects.

mod append;
mod builder;
mod cells;
mod fields;
mod lists;
mod native;

pub use builder::ColumnBuilder;
pub use cells::{Cell, NotOfType, column};
pub use fields::{Fields, Found};
pub use native::{ColumnValue, Date, Decimal, Json, Timestamp};
