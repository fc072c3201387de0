//! A value of a known type, between where it comes from (a CSV cell, a request's JSON, an
//! expression's result) and where it goes (the answer's JSON, an expression's variable).

mod expression;
mod json;
mod text;

use chrono::{DateTime, Utc};

pub(crate) use expression::{from_cel, to_cel};
pub(crate) use json::{Strictness, read_cell, read_int64, read_json};
pub(crate) use text::{read_timestamp, timestamp_text, write_wire};

/// A value that has its type's shape: [`DataType`](crate::DataType) and this agree by construction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Int64(i64),
    Float32(f32),
    Float64(f64),
    Boolean(bool),
    String(String),
    Timestamp(DateTime<Utc>),
    Array(Vec<Value>),
    /// The names come with the values for the sake of expressions; the wire has only the values.
    Struct(Vec<(String, Value)>),
    Map(Vec<(String, Value)>),
}

/// The value does not have the type. The caller reports which value it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotOfType;
