//! The cases of the contract's `values`: their names, their types, and how many values they hold.

use beamlet::raw::beamlet::enrichment::types::Values;
use beamlet_contract::FieldType;

/// The case of a variant of `values`, as the contract spells it.
pub(super) fn case(values: &Values) -> &'static str {
    match values {
        Values::Booleans(_) => "booleans",
        Values::Int8s(_) => "int8s",
        Values::Int16s(_) => "int16s",
        Values::Int32s(_) => "int32s",
        Values::Int64s(_) => "int64s",
        Values::Float32s(_) => "float32s",
        Values::Float64s(_) => "float64s",
        Values::Strings(_) => "strings",
        Values::Bytes(_) => "bytes",
        Values::Timestamps(_) => "timestamps",
        Values::Dates(_) => "dates",
        Values::Decimals(_) => "decimals",
        Values::BooleanLists(_) => "boolean-lists",
        Values::Int64Lists(_) => "int64-lists",
        Values::Float32Lists(_) => "float32-lists",
        Values::Float64Lists(_) => "float64-lists",
        Values::StringLists(_) => "string-lists",
        Values::Json(_) => "json",
    }
}

/// The number of values.
pub(super) fn count(values: &Values) -> usize {
    match values {
        Values::Booleans(list) => list.len(),
        Values::Int8s(list) => list.len(),
        Values::Int16s(list) => list.len(),
        Values::Int32s(list) | Values::Dates(list) => list.len(),
        Values::Int64s(list) | Values::Timestamps(list) => list.len(),
        Values::Float32s(list) => list.len(),
        Values::Float64s(list) => list.len(),
        Values::Strings(texts) | Values::Decimals(texts) | Values::Json(texts) => texts.ends.len(),
        Values::Bytes(list) => list.ends.len(),
        Values::BooleanLists(list) => list.ends.len(),
        Values::Int64Lists(list) => list.ends.len(),
        Values::Float32Lists(list) => list.ends.len(),
        Values::Float64Lists(list) => list.ends.len(),
        Values::StringLists(list) => list.ends.len(),
    }
}

/// Whether the values may come for a field of that type. `outputs/declared` reports an unknown type.
pub(super) fn fits(values: &Values, of: &str) -> bool {
    of.parse::<FieldType>().map_or(true, |of| of.may_come_as(&type_of(values)))
}

/// The type of the values that a case holds.
fn type_of(values: &Values) -> FieldType {
    match values {
        Values::Booleans(_) => FieldType::Boolean,
        Values::Int8s(_) => FieldType::Int8,
        Values::Int16s(_) => FieldType::Int16,
        Values::Int32s(_) => FieldType::Int32,
        Values::Int64s(_) => FieldType::Int64,
        Values::Float32s(_) => FieldType::Float32,
        Values::Float64s(_) => FieldType::Float64,
        Values::Strings(_) => FieldType::String,
        Values::Bytes(_) => FieldType::Bytes,
        Values::Timestamps(_) => FieldType::Timestamp,
        Values::Dates(_) => FieldType::Date,
        Values::Decimals(_) => FieldType::Decimal,
        Values::BooleanLists(_) => FieldType::array(FieldType::Boolean),
        Values::Int64Lists(_) => FieldType::array(FieldType::Int64),
        Values::Float32Lists(_) => FieldType::array(FieldType::Float32),
        Values::Float64Lists(_) => FieldType::array(FieldType::Float64),
        Values::StringLists(_) => FieldType::array(FieldType::String),
        Values::Json(_) => FieldType::Json,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_with_nulls_in_them_may_come_as_json_and_numbers_may_not() {
        let json = Values::Json(["[1,null]"].into_iter().collect());
        assert!(fits(&json, "array<int64>") && fits(&json, "struct<a: int64>"));
        assert!(!fits(&json, "int64") && !fits(&Values::Int32s(vec![]), "int64"));
        assert!(fits(&Values::Int64s(vec![]), "int64") && fits(&Values::Int32s(vec![]), "int32"));
    }
}
