//! The types of join keys, request-context keys and features: what Tecton calls `dataType`.
//! Read from readable text (`array<string>`), written as text or as Tecton's JSON.

use beamlet_contract::{FieldType, Member, TypeError};
use std::fmt;
use std::str::FromStr;

/// A type of Tecton's online API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataType {
    /// A signed 64-bit integer; on the wire a decimal string.
    Int64,
    /// A 32-bit float.
    Float32,
    /// A 64-bit float.
    Float64,
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// A moment in UTC; on the wire `2025-01-31T12:00:00Z`.
    Timestamp,
    /// A list of one element type; elements may be null.
    Array(Box<DataType>),
    /// Named fields; on the wire an array in the order of the fields.
    Struct(Vec<Field>),
    /// Strings to values of one type.
    Map(Box<DataType>),
}

/// A name with its type, written `name: type`: a field of a struct, a join key, a request-context
/// key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The type.
    pub data_type: DataType,
}

impl Field {
    /// A field of this name and type.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type }
    }
}

impl DataType {
    /// An array of `element`.
    pub fn array(element: DataType) -> Self {
        Self::Array(Box::new(element))
    }

    /// A map from strings to `value`.
    pub fn map(value: DataType) -> Self {
        Self::Map(Box::new(value))
    }

    /// Tecton's JSON of the type: `{"type":"array","elementType":{"type":"string"}}`.
    pub fn json(&self) -> String {
        match self {
            Self::Array(element) => {
                format!(r#"{{"type":"array","elementType":{}}}"#, element.json())
            }
            Self::Struct(fields) => {
                format!(r#"{{"type":"struct","fields":{}}}"#, fields_json(fields))
            }
            Self::Map(value) => {
                let key = DataType::String.json();
                let value = value.json();
                format!(r#"{{"type":"map","keyType":{key},"valueType":{value}}}"#)
            }
            simple => format!(r#"{{"type":"{simple}"}}"#),
        }
    }
}

/// Tecton's JSON of a list of names with types: `[{"name":"a","dataType":{"type":"string"}}]`.
pub(crate) fn fields_json(fields: &[Field]) -> String {
    let entries: Vec<String> = fields
        .iter()
        .map(|field| {
            let name = crate::json::quote(&field.name);
            format!(r#"{{"name":{name},"dataType":{}}}"#, field.data_type.json())
        })
        .collect();
    format!("[{}]", entries.join(","))
}

/// A text that does not name a type of Tecton.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataTypeError {
    /// It does not name a type.
    #[error(transparent)]
    NoType(#[from] TypeError),
    /// It names a type of other systems.
    #[error(
        "`{0}` is no type of Tecton: expected one of int64, float32, float64, boolean, string, timestamp, array<…>, struct<name: …>, map<string, …>"
    )]
    NotTectons(FieldType),
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FieldType::from(self).fmt(f)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Member::from(self).fmt(f)
    }
}

impl FromStr for DataType {
    type Err = DataTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<FieldType>()?.try_into()
    }
}

impl FromStr for Field {
    type Err = DataTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Member>()?.try_into()
    }
}

impl From<&DataType> for FieldType {
    fn from(of: &DataType) -> Self {
        match of {
            DataType::Int64 => FieldType::Int64,
            DataType::Float32 => FieldType::Float32,
            DataType::Float64 => FieldType::Float64,
            DataType::Boolean => FieldType::Boolean,
            DataType::String => FieldType::String,
            DataType::Timestamp => FieldType::Timestamp,
            DataType::Array(element) => FieldType::array((&**element).into()),
            DataType::Struct(fields) => FieldType::Struct(fields.iter().map(Into::into).collect()),
            DataType::Map(value) => FieldType::map((&**value).into()),
        }
    }
}

impl From<&Field> for Member {
    fn from(field: &Field) -> Self {
        Member::new(&field.name, (&field.data_type).into())
    }
}

impl TryFrom<FieldType> for DataType {
    type Error = DataTypeError;

    fn try_from(of: FieldType) -> Result<Self, Self::Error> {
        Ok(match of {
            FieldType::Int64 => DataType::Int64,
            FieldType::Float32 => DataType::Float32,
            FieldType::Float64 => DataType::Float64,
            FieldType::Boolean => DataType::Boolean,
            FieldType::String => DataType::String,
            FieldType::Timestamp => DataType::Timestamp,
            FieldType::Array(element) => DataType::array((*element).try_into()?),
            FieldType::Map(value) => DataType::map((*value).try_into()?),
            FieldType::Struct(members) => DataType::Struct(
                members.into_iter().map(Field::try_from).collect::<Result<_, _>>()?,
            ),
            other => return Err(DataTypeError::NotTectons(other)),
        })
    }
}

impl TryFrom<Member> for Field {
    type Error = DataTypeError;

    fn try_from(member: Member) -> Result<Self, Self::Error> {
        Ok(Field { name: member.name, data_type: member.of.try_into()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_back_and_others_than_tectons_are_refused() {
        let text = "array<struct<a: map<string, array<timestamp>>, b: float64>>";
        assert_eq!(text.parse::<DataType>().unwrap().to_string(), text);
        let why = |text: &str| text.parse::<DataType>().unwrap_err().to_string();
        assert!(why("array<int8>").starts_with("`int8` is no type of Tecton: expected one of"));
        assert!(why("int46").starts_with("`int46` is no type: expected one of"));
    }

    #[test]
    fn a_field_is_a_name_with_a_type() {
        let found: Field = "user_id: int64".parse().unwrap();
        assert_eq!(found, Field::new("user_id", DataType::Int64));
        assert!("user_id".parse::<Field>().is_err());
    }

    #[test]
    fn nested_types_have_tectons_json() {
        let found: DataType = "map<string, struct<a: array<int64>>>".parse().unwrap();
        assert_eq!(
            found.json(),
            r#"{"type":"map","keyType":{"type":"string"},"valueType":{"type":"struct","fields":[{"name":"a","dataType":{"type":"array","elementType":{"type":"int64"}}}]}}"#
        );
    }
}
