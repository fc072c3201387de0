//! A column from the JSON texts of its values: one type if they have one, else JSON texts.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{Array, ArrayRef};
use arrow_schema::Field;
use arrow_schema::extension::{EXTENSION_TYPE_METADATA_KEY, EXTENSION_TYPE_NAME_KEY};

use crate::json_text::{self, ARROW_JSON};
use crate::value_type::{float64, int64};
use crate::{Origin, RowsError, ValueType};

pub(super) struct Column {
    pub(super) array: ArrayRef,
    json: bool,
}

impl Column {
    /// A column of the `stated` type, or of the one that all `values` have.
    pub(super) fn new(values: &[Option<&str>], stated: Option<ValueType>) -> Result<Self, Fault> {
        let Some(value_type) = stated.or_else(|| common_type(values)) else {
            let mut texts = StringBuilder::with_capacity(values.len(), 32 * values.len());
            values.iter().for_each(|value| texts.append_option(*value));
            return Ok(Self { array: Arc::new(texts.finish()), json: true });
        };
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
        };
        Ok(Self { array, json: false })
    }

    pub(super) fn field(&self, name: &str) -> Field {
        let field = Field::new(name, self.array.data_type().clone(), true);
        if !self.json {
            return field;
        }
        field.with_metadata(HashMap::from([
            (EXTENSION_TYPE_NAME_KEY.to_owned(), ARROW_JSON.to_owned()),
            (EXTENSION_TYPE_METADATA_KEY.to_owned(), String::new()),
        ]))
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
    pub(super) fn at(self, origin: Origin, field: &str) -> RowsError {
        let field = field.to_owned();
        match self.kind {
            FaultKind::Escape(problem) => RowsError::FieldEscape { origin, field, problem },
            FaultKind::Type(expected, found) => RowsError::FieldType {
                origin,
                field,
                expected,
                found,
                reason: "its stated type",
                advice: "take the stated type away".to_owned(),
            },
        }
    }
}

/// What a JSON text is, for a message.
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

/// The type that holds every value exactly; `None` for arrays, objects, and values of several types.
fn common_type(values: &[Option<&str>]) -> Option<ValueType> {
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
        0 | STRING => Some(ValueType::String),
        BOOLEAN => Some(ValueType::Boolean),
        _ if met & !(INTEGER | ONLY_INTEGER) == 0 => Some(ValueType::Int64),
        _ if met & !(INTEGER | FLOAT) == 0 => Some(ValueType::Float64),
        _ => None,
    }
}

fn number(text: &str) -> Option<f64> {
    matches!(text.as_bytes()[0], b'-' | b'0'..=b'9')
        .then(|| text.parse().ok())
        .flatten()
        .filter(|value: &f64| value.is_finite())
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
