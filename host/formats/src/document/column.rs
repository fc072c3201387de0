//! Builds a column from the JSON texts of its values: typed if all values have one type, otherwise
//! as JSON texts.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef};
use arrow_schema::Field;

use beamlet_contract::arrow;

use crate::field::{date, float64, int64, timestamp};
use crate::{Origin, RowsError, ValueType};
use beamlet_values::json_text;

pub(super) struct Column {
    pub(super) array: ArrayRef,
    json: bool,
}

impl Column {
    /// A column of the `stated` type, or of the type that all `values` share.
    pub(super) fn new(values: &[Option<&str>], stated: Option<ValueType>) -> Result<Self, Fault> {
        let value_type = stated.or_else(|| common_type(values)).unwrap_or(ValueType::String);
        Self::typed(values, value_type)
    }

    /// A column of the type that earlier rows had. A number that this type does not hold exactly
    /// counts as a value of another type.
    pub(super) fn like_before(
        values: &[Option<&str>],
        value_type: ValueType,
    ) -> Result<Self, Fault> {
        if value_type == ValueType::Float64 {
            let inexact = |text: &str| number(text).is_some() && float64(text).is_none();
            if let Some(row) = values.iter().position(|value| value.is_some_and(inexact)) {
                let kind = FaultKind::Type(value_type, "an integer that no double holds");
                return Err(Fault { row, kind });
            }
        }
        Self::typed(values, value_type)
    }

    fn typed(values: &[Option<&str>], value_type: ValueType) -> Result<Self, Fault> {
        macro_rules! parsed {
            ($builder:expr, $parse:expr) => {{
                let mut builder = $builder;
                for (row, value) in values.iter().enumerate() {
                    match value {
                        None => builder.append_null(),
                        Some(text) => match $parse(*text) {
                            Some(value) => builder.append_value(value),
                            None => {
                                return Err(Fault {
                                    row,
                                    kind: FaultKind::Type(value_type, kind(text)),
                                });
                            }
                        },
                    }
                }
                Arc::new(builder.finish())
            }};
        }
        let array: ArrayRef = match value_type {
            ValueType::Int64 => {
                parsed!(Int64Builder::with_capacity(values.len()), |text: &str| text.parse().ok())
            }
            ValueType::Float64 => parsed!(Float64Builder::with_capacity(values.len()), number),
            ValueType::Boolean => {
                parsed!(BooleanBuilder::with_capacity(values.len()), |text| match text {
                    "true" => Some(true),
                    "false" => Some(false),
                    _ => None,
                })
            }
            ValueType::String => strings(values)?,
            ValueType::Timestamp => {
                let parse = |text| unquoted(text).and_then(timestamp);
                let array: ArrayRef =
                    parsed!(TimestampMicrosecondBuilder::with_capacity(values.len()), parse);
                let array = array.as_primitive::<TimestampMicrosecondType>().clone();
                Arc::new(array.with_timezone("UTC"))
            }
            ValueType::Date => {
                parsed!(Date32Builder::with_capacity(values.len()), |text| unquoted(text)
                    .and_then(date))
            }
            ValueType::Json => return Ok(Self { array: texts(values), json: true }),
        };
        Ok(Self { array, json: false })
    }

    pub(super) fn field(&self, name: &str) -> Field {
        let field = Field::new(name, self.array.data_type().clone(), true);
        if self.json { arrow::json(field) } else { field }
    }
}

/// A field of documents that are converted to columns.
#[derive(Clone, Debug)]
pub(crate) struct TypedField {
    pub(crate) name: String,
    /// `None` while every value is null.
    pub(crate) value_type: Option<ValueType>,
    pub(super) stated: bool,
}

impl TypedField {
    /// The type; a string if no value was seen.
    pub(crate) fn value_type(&self) -> ValueType {
        self.value_type.unwrap_or(ValueType::String)
    }
}

/// A value that the column cannot hold.
pub(super) struct Fault {
    pub(super) row: usize,
    kind: FaultKind,
}

enum FaultKind {
    Type(ValueType, &'static str),
    Escape(String),
}

impl Fault {
    /// The error for a field whose type is stated, or comes from earlier rows.
    pub(super) fn at(self, origin: Origin, field: &str, stated: bool) -> RowsError {
        let field = field.to_owned();
        let (expected, found) = match self.kind {
            FaultKind::Escape(problem) => {
                return RowsError::FieldEscape { origin, field, problem };
            }
            FaultKind::Type(expected, found) => (expected, found),
        };
        let (reason, advice) = if stated {
            ("its stated type", "remove the stated type".to_owned())
        } else {
            let wider = match expected {
                ValueType::Int64 if found.starts_with("a number") => ValueType::Float64,
                _ => ValueType::Json,
            };
            ("the type of the first rows", format!("state a type with --type {field}={wider}"))
        };
        RowsError::FieldType { origin, field, expected, found, reason, advice }
    }
}

/// The kind of a JSON value, for a message.
fn kind(text: &str) -> &'static str {
    match text.as_bytes()[0] {
        b'"' => "a string",
        b't' | b'f' => "a boolean",
        b'[' => "an array",
        b'{' => "an object",
        _ if text.contains(['.', 'e', 'E']) => "a number with a fraction or an exponent",
        _ if text.parse::<i64>().is_ok() => "an integer",
        _ => "an integer beyond int64",
    }
}

/// The type that holds every value exactly; `None` if there is no value. It is JSON for arrays,
/// objects, and values of several types.
pub(super) fn common_type(values: &[Option<&str>]) -> Option<ValueType> {
    const STRING: u8 = 1;
    const BOOLEAN: u8 = 2;
    const INTEGER: u8 = 4;
    const FLOAT: u8 = 8;
    const ONLY_INTEGER: u8 = 16; // no double is this integer
    const OTHER: u8 = 32;

    let mut met = 0;
    for text in values.iter().flatten() {
        met |= match text.as_bytes()[0] {
            b'"' => STRING,
            b't' | b'f' => BOOLEAN,
            b'[' | b'{' => OTHER,
            _ => match (int64(text), float64(text)) {
                (Some(_), Some(_)) => INTEGER,
                (Some(_), None) => ONLY_INTEGER,
                (None, Some(_)) => FLOAT,
                (None, None) => OTHER,
            },
        };
    }
    match met {
        0 => None,
        STRING => Some(ValueType::String),
        BOOLEAN => Some(ValueType::Boolean),
        _ if met & !(INTEGER | ONLY_INTEGER) == 0 => Some(ValueType::Int64),
        _ if met & !(INTEGER | FLOAT) == 0 => Some(ValueType::Float64),
        _ => Some(ValueType::Json),
    }
}

fn number(text: &str) -> Option<f64> {
    matches!(text.as_bytes()[0], b'-' | b'0'..=b'9')
        .then(|| text.parse().ok())
        .flatten()
        .filter(|value: &f64| value.is_finite())
}

/// The text between the quotes of a string without escapes.
fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"').filter(|it| !it.contains('\\'))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    let mut texts = StringBuilder::with_capacity(values.len(), 32 * values.len());
    values.iter().for_each(|value| texts.append_option(*value));
    Arc::new(texts.finish())
}

fn strings(values: &[Option<&str>]) -> Result<ArrayRef, Fault> {
    let mut builder = StringBuilder::with_capacity(values.len(), 16 * values.len());
    for (row, value) in values.iter().enumerate() {
        let Some(text) = value else {
            builder.append_null();
            continue;
        };
        let Some(inner) = text.strip_prefix('"').and_then(|it| it.strip_suffix('"')) else {
            return Err(Fault { row, kind: FaultKind::Type(ValueType::String, kind(text)) });
        };
        if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
            builder.append_value(inner);
        } else {
            let string = serde_json::from_str::<String>(text).map_err(|error| Fault {
                row,
                kind: FaultKind::Escape(json_text::problem(&error)),
            })?;
            builder.append_value(string);
        }
    }
    Ok(Arc::new(builder.finish()))
}
