//! Columns of JSON values: [`Cell`] is one value of an answer, borrowed from its text, and
//! [`column()`] makes a typed column of the cells of a field.

use crate::contract::number::{named, narrowed};
use crate::contract::time::{date_of, is_timestamp, micros};
use crate::{
    BooleanLists, Column, FieldType, Float32Lists, Float64Lists, Int64Lists, StringLists, Texts,
    Values,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt;

/// One JSON value.
#[derive(Clone, Debug, Default)]
pub enum Cell<'a> {
    #[default]
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number above the greatest int64.
    Large(u64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Cell<'a>>),
    /// An object. Where a key stands twice, it has both members.
    Object(Vec<(Cow<'a, str>, Cell<'a>)>),
}

impl Cell<'_> {
    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }

    /// What it is, for a sentence: `a string`.
    pub fn kind(&self) -> &'static str {
        match self {
            Cell::Null => "null",
            Cell::Boolean(_) => "a boolean",
            Cell::Integer(_) | Cell::Large(_) | Cell::Float(_) => "a number",
            Cell::Text(_) => "a string",
            Cell::List(_) => "an array",
            Cell::Object(_) => "an object",
        }
    }

    /// The value as it came.
    pub fn into_json(self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Boolean(value) => json!(value),
            Cell::Integer(value) => json!(value),
            Cell::Large(value) => json!(value),
            Cell::Float(value) => json!(value),
            Cell::Text(text) => Value::String(text.into_owned()),
            Cell::List(cells) => cells.into_iter().map(Cell::into_json).collect(),
            Cell::Object(pairs) => Value::Object(
                pairs
                    .into_iter()
                    .map(|(key, value)| (key.into_owned(), value.into_json()))
                    .collect(),
            ),
        }
    }
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Cell::Null,
            Value::Bool(value) => Cell::Boolean(*value),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Cell::Integer(value),
                (None, Some(value)) => Cell::Large(value),
                (None, None) => Cell::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Cell::Text(Cow::Borrowed(text)),
            Value::Array(list) => Cell::List(list.iter().map(Cell::from).collect()),
            Value::Object(map) => Cell::Object(
                map.iter().map(|(key, value)| (Cow::Borrowed(&**key), value.into())).collect(),
            ),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

/// An object's key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(CellVisitor)? {
            Cell::Text(text) => Ok(Key(text)),
            _ => Ok(Key(Cow::Borrowed(""))),
        }
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Cell<'de>, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell<'de>, E> {
        Ok(Cell::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell<'de>, E> {
        Ok(Cell::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell<'de>, E> {
        Ok(i64::try_from(value).map_or(Cell::Large(value), Cell::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell<'de>, E> {
        Ok(Cell::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell<'de>, A::Error> {
        let mut cells = Vec::new();
        while let Some(cell) = seq.next_element()? {
            cells.push(cell);
        }
        Ok(Cell::List(cells))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some((Key(key), value)) = map.next_entry()? {
            pairs.push((key, value));
        }
        Ok(Cell::Object(pairs))
    }
}

/// A value is not of its declared type. The message describes the value, and never shows it.
#[derive(Debug, PartialEq, Eq)]
pub struct NotOfType {
    wanted: String,
    is: &'static str,
}

impl fmt::Display for NotOfType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is declared {} and is {}", self.wanted, self.is)
    }
}

fn not<T>(wanted: &FieldType, is: &'static str) -> Result<T, NotOfType> {
    Err(NotOfType { wanted: wanted.to_string(), is })
}

/// Makes a column of a field's cells.
///
/// | type | cells |
/// |---|---|
/// | `boolean` | booleans |
/// | `int8` to `int64` | whole numbers, or strings of their digits |
/// | `float32`, `float64` | numbers, or the strings `NaN`, `Infinity` and `-Infinity` |
/// | `string` | strings |
/// | `bytes` | strings of base64, with padding |
/// | `date` | strings such as `2024-02-29` |
/// | `timestamp` | strings of RFC 3339, not finer than microseconds |
/// | `decimal` | strings such as `-12.50`, or whole numbers |
/// | `json` | any |
/// | `array<T>` | arrays |
/// | `map<string, T>` | objects |
/// | `struct<…>` | objects of the members by name, or arrays of all of them by position |
///
/// # Errors
/// A cell is of another type.
pub fn column(name: &str, of: &FieldType, cells: Vec<Cell<'_>>) -> Result<Column, NotOfType> {
    let nulls: Vec<u32> =
        (0..).zip(&cells).filter(|(_, cell)| cell.is_null()).map(|(at, _)| at).collect();
    let values = match of {
        FieldType::Boolean => Values::Booleans(typed(cells, |cell| boolean(of, &cell))?),
        FieldType::Int8 => Values::Int8s(typed(cells, |cell| integer(of, &cell))?),
        FieldType::Int16 => Values::Int16s(typed(cells, |cell| integer(of, &cell))?),
        FieldType::Int32 => Values::Int32s(typed(cells, |cell| integer(of, &cell))?),
        FieldType::Int64 => Values::Int64s(typed(cells, |cell| integer(of, &cell))?),
        FieldType::Float32 => Values::Float32s(typed(cells, |cell| float32(of, &cell))?),
        FieldType::Float64 => Values::Float64s(typed(cells, |cell| float(of, &cell))?),
        FieldType::String => Values::Strings(texts(&cells, |cell| text(of, cell))?),
        FieldType::Bytes => Values::Bytes(typed(cells, |cell| bytes(of, &cell))?.iter().collect()),
        FieldType::Date => Values::Dates(typed(cells, |cell| date(of, &cell))?),
        FieldType::Timestamp => Values::Timestamps(typed(cells, |cell| timestamp(of, &cell))?),
        FieldType::Decimal => Values::Decimals(decimals(of, &cells)?),
        FieldType::Array(element) if has_no_null_elements(&cells) => match **element {
            FieldType::Boolean => {
                let mut lists = BooleanLists::default();
                lists.ends = ends(of, &cells, |cell| {
                    lists.elements.push(boolean(element, cell)?);
                    Ok(lists.elements.len())
                })?;
                Values::BooleanLists(lists)
            }
            FieldType::Int64 => {
                let mut lists = Int64Lists::default();
                lists.ends = ends(of, &cells, |cell| {
                    lists.elements.push(integer(element, cell)?);
                    Ok(lists.elements.len())
                })?;
                Values::Int64Lists(lists)
            }
            FieldType::Float32 => {
                let mut lists = Float32Lists::default();
                lists.ends = ends(of, &cells, |cell| {
                    lists.elements.push(float32(element, cell)?);
                    Ok(lists.elements.len())
                })?;
                Values::Float32Lists(lists)
            }
            FieldType::Float64 => {
                let mut lists = Float64Lists::default();
                lists.ends = ends(of, &cells, |cell| {
                    lists.elements.push(float(element, cell)?);
                    Ok(lists.elements.len())
                })?;
                Values::Float64Lists(lists)
            }
            FieldType::String => {
                let mut lists = StringLists::default();
                lists.ends = ends(of, &cells, |cell| {
                    lists.elements.push(text(element, cell)?);
                    Ok(lists.elements.len())
                })?;
                Values::StringLists(lists)
            }
            _ => Values::Json(nested(of, cells)?),
        },
        FieldType::Array(_) | FieldType::Struct(_) | FieldType::Map(_) | FieldType::Json => {
            Values::Json(nested(of, cells)?)
        }
    };
    Ok(Column { name: name.to_owned(), values, nulls })
}

/// A value of each cell; null stands as the default.
fn typed<'a, T: Default>(
    cells: Vec<Cell<'a>>,
    read: impl Fn(Cell<'a>) -> Result<T, NotOfType>,
) -> Result<Vec<T>, NotOfType> {
    cells
        .into_iter()
        .map(|cell| if cell.is_null() { Ok(T::default()) } else { read(cell) })
        .collect()
}

/// The text of each cell, borrowed until it is copied into the column.
fn texts<'c>(
    cells: &'c [Cell<'_>],
    read: impl Fn(&'c Cell<'_>) -> Result<&'c str, NotOfType>,
) -> Result<Texts, NotOfType> {
    let mut texts = Texts::new();
    for cell in cells {
        texts.push(if cell.is_null() { "" } else { read(cell)? });
    }
    Ok(texts)
}

/// The end of each list. `push` appends an element, and returns how many there are then.
fn ends<'a>(
    of: &FieldType,
    cells: &[Cell<'a>],
    mut push: impl FnMut(&Cell<'a>) -> Result<usize, NotOfType>,
) -> Result<Vec<u32>, NotOfType> {
    let mut so_far = 0;
    let end = |cell: &Cell<'a>| {
        match cell {
            Cell::Null => {}
            Cell::List(elements) => {
                for element in elements {
                    so_far = push(element)? as u32;
                }
            }
            other => return not(of, other.kind()),
        }
        Ok(so_far)
    };
    cells.iter().map(end).collect()
}

/// The lists of the contract cannot hold a null: a column with one comes as JSON.
fn has_no_null_elements(cells: &[Cell<'_>]) -> bool {
    !cells
        .iter()
        .any(|cell| matches!(cell, Cell::List(elements) if elements.iter().any(Cell::is_null)))
}

fn nested(of: &FieldType, cells: Vec<Cell<'_>>) -> Result<Texts, NotOfType> {
    let mut texts = Texts::new();
    for cell in cells {
        let value = if cell.is_null() { Value::Null } else { json_value(of, cell)? };
        texts.push(&value.to_string());
    }
    Ok(texts)
}

fn boolean(of: &FieldType, cell: &Cell<'_>) -> Result<bool, NotOfType> {
    match cell {
        Cell::Boolean(value) => Ok(*value),
        other => not(of, other.kind()),
    }
}

/// A number, or its digits: stores send integers that a JSON parser may round as strings.
fn integer<T: TryFrom<i64>>(of: &FieldType, cell: &Cell<'_>) -> Result<T, NotOfType> {
    let value = match cell {
        Cell::Integer(value) => *value,
        Cell::Text(text) => match text.parse() {
            Ok(value) => value,
            Err(_) => return not(of, "a string that is not a 64-bit integer"),
        },
        other => return not(of, other.kind()),
    };
    T::try_from(value).or_else(|_| not(of, "an integer beyond its range"))
}

/// A number, or one of the three names of floats that JSON has no number for.
fn float(of: &FieldType, cell: &Cell<'_>) -> Result<f64, NotOfType> {
    match cell {
        Cell::Integer(value) => Ok(*value as f64),
        Cell::Large(value) => Ok(*value as f64),
        Cell::Float(value) => Ok(*value),
        Cell::Text(text) => {
            named(text).map_or_else(|| not(of, "a string that is not a number"), Ok)
        }
        other => not(of, other.kind()),
    }
}

/// The same, but not a number that a float32 would hold as infinity.
fn float32(of: &FieldType, cell: &Cell<'_>) -> Result<f32, NotOfType> {
    let value = float(of, cell)?;
    narrowed(value).map_or_else(|| not(of, "a number beyond the range of a float32"), Ok)
}

fn text<'c>(of: &FieldType, cell: &'c Cell<'_>) -> Result<&'c str, NotOfType> {
    match cell {
        Cell::Text(text) => Ok(text),
        other => not(of, other.kind()),
    }
}

fn bytes(of: &FieldType, cell: &Cell<'_>) -> Result<Vec<u8>, NotOfType> {
    let text = text(of, cell)?;
    BASE64.decode(text).or_else(|_| not(of, "a string that is not base64 with padding"))
}

fn date(of: &FieldType, cell: &Cell<'_>) -> Result<i32, NotOfType> {
    date_of(text(of, cell)?).map_or_else(|| not(of, "a string that is not a date"), Ok)
}

/// RFC 3339, to microseconds since the epoch.
fn timestamp(of: &FieldType, cell: &Cell<'_>) -> Result<i64, NotOfType> {
    let text = text(of, cell)?;
    match micros(text) {
        Some(micros) => Ok(micros),
        None if is_timestamp(text) => {
            not(of, "finer than microseconds, which is all that a timestamp field holds")
        }
        None => not(of, "a string that is not an RFC 3339 timestamp"),
    }
}

fn decimals(of: &FieldType, cells: &[Cell<'_>]) -> Result<Texts, NotOfType> {
    let mut texts = Texts::new();
    for cell in cells {
        match cell {
            Cell::Null => texts.push(""),
            cell => texts.push(&decimal(of, cell)?),
        }
    }
    Ok(texts)
}

/// Decimal notation. A number with a fraction is refused: JSON parsers round it.
fn decimal(of: &FieldType, cell: &Cell<'_>) -> Result<String, NotOfType> {
    match cell {
        Cell::Integer(value) => Ok(value.to_string()),
        Cell::Large(value) => Ok(value.to_string()),
        Cell::Float(_) => not(of, "a number with a fraction, which a store sends as a string"),
        other => {
            let text = text(of, other)?;
            match is_decimal(text) {
                true => Ok(text.to_owned()),
                false => not(of, "a string that is not a decimal"),
            }
        }
    }
}

/// Whether a text is a number in decimal notation.
pub(super) fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

/// A value as the enriched row shows it: integers as numbers, structs by the names of their
/// members.
fn json_value(of: &FieldType, cell: Cell<'_>) -> Result<Value, NotOfType> {
    Ok(match (of, cell) {
        (_, Cell::Null) => Value::Null,
        (FieldType::Json, cell) => cell.into_json(),
        (FieldType::Boolean, cell) => json!(boolean(of, &cell)?),
        (FieldType::Int8, cell) => json!(integer::<i8>(of, &cell)?),
        (FieldType::Int16, cell) => json!(integer::<i16>(of, &cell)?),
        (FieldType::Int32, cell) => json!(integer::<i32>(of, &cell)?),
        (FieldType::Int64, cell) => json!(integer::<i64>(of, &cell)?),
        (FieldType::Float32 | FieldType::Float64, cell) => {
            let value = float(of, &cell)?;
            if *of == FieldType::Float32 {
                float32(of, &cell)?;
            }
            // What JSON has no number for stays the name that came.
            if value.is_finite() { json!(value) } else { cell.into_json() }
        }
        (FieldType::String, cell) => json!(text(of, &cell)?),
        (FieldType::Bytes, cell) => {
            bytes(of, &cell)?;
            cell.into_json()
        }
        (FieldType::Date, cell) => {
            date(of, &cell)?;
            cell.into_json()
        }
        // It stays the text that came, so that it may be as fine as it is.
        (FieldType::Timestamp, cell) => {
            if !is_timestamp(text(of, &cell)?) {
                return not(of, "a string that is not an RFC 3339 timestamp");
            }
            cell.into_json()
        }
        (FieldType::Decimal, cell) => json!(decimal(of, &cell)?),
        (FieldType::Array(element), Cell::List(elements)) => {
            elements.into_iter().map(|cell| json_value(element, cell)).collect::<Result<_, _>>()?
        }
        (FieldType::Struct(members), Cell::List(values)) => {
            if members.len() != values.len() {
                return not(of, "an array of another length");
            }
            let pairs = members.iter().zip(values);
            let object: Result<Map<_, _>, _> = pairs
                .map(|(member, value)| Ok((member.name.clone(), json_value(&member.of, value)?)))
                .collect();
            Value::Object(object?)
        }
        (FieldType::Struct(members), Cell::Object(pairs)) => {
            let mut object: Map<_, _> =
                members.iter().map(|member| (member.name.clone(), Value::Null)).collect();
            for (name, value) in pairs {
                let Some(member) = members.iter().find(|member| member.name == name) else {
                    return not(of, "an object with a member that is not of the type");
                };
                object.insert(member.name.clone(), json_value(&member.of, value)?);
            }
            Value::Object(object)
        }
        (FieldType::Map(value_type), Cell::Object(pairs)) => {
            let object: Result<Map<_, _>, _> = pairs
                .into_iter()
                .map(|(key, value)| Ok((key.into_owned(), json_value(value_type, value)?)))
                .collect();
            Value::Object(object?)
        }
        (_, other) => return not(of, other.kind()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The column of cells of a type, as JSON, or what is wrong.
    fn of(name: &str, cells: &Value) -> Result<Value, String> {
        let of: FieldType = name.parse().unwrap();
        let cells = cells.as_array().unwrap().iter().map(Cell::from).collect();
        let column = column("f", &of, cells).map_err(|why| why.to_string())?;
        let mask = column.null_mask();
        let shown = (0..mask.len()).map(|at| {
            let mut out = Vec::new();
            column.values.write(at, &mut out);
            if mask[at] { Value::Null } else { serde_json::from_slice(&out).unwrap() }
        });
        Ok(shown.collect())
    }

    #[test]
    fn each_type_takes_its_values_and_nulls() {
        for (name, cells) in [
            ("boolean", json!([true, null, false])),
            ("int8", json!([-128, 127, null])),
            ("int16", json!([-32768, 32767])),
            ("int32", json!([i32::MIN, i32::MAX])),
            ("int64", json!([i64::MIN, null, i64::MAX])),
            ("float32", json!([0.5, "NaN", "-Infinity", null])),
            ("float64", json!([0.1, 1e300, "Infinity"])),
            ("string", json!(["", "é", null])),
            ("bytes", json!(["", "AAECAw==", null])),
            ("date", json!(["2024-02-29", "1969-12-31", null])),
            ("timestamp", json!(["2024-02-29T23:59:59.000001Z", null])),
            ("decimal", json!(["-12.50", "123456789012345678901234567890", null])),
            ("json", json!([{ "a": [u64::MAX] }, "text", null])),
            ("array<int64>", json!([[1, 2], [], null])),
            ("array<int64>", json!([[1, null], null])),
            ("array<decimal>", json!([["1.5", null]])),
            ("map<string, date>", json!([{ "k": "2024-02-29", "l": null }])),
            ("struct<a: int8, b: bytes>", json!([{ "a": 1, "b": "AA==" }, null])),
        ] {
            assert_eq!(of(name, &cells), Ok(cells), "{name}");
        }
    }

    #[test]
    fn digits_as_strings_and_members_by_position_are_understood() {
        assert_eq!(of("int64", &json!(["9223372036854775807"])), Ok(json!([i64::MAX])));
        assert_eq!(of("decimal", &json!([7, u64::MAX])), Ok(json!(["7", u64::MAX.to_string()])));
        let members = of("struct<a: int8, b: string>", &json!([[1, "x"], { "b": "y" }]));
        assert_eq!(members, Ok(json!([{ "a": 1, "b": "x" }, { "a": null, "b": "y" }])));
    }

    #[test]
    fn a_value_of_another_type_is_described_and_never_shown() {
        for (name, cell, is) in [
            ("boolean", json!(0), "a number"),
            ("int8", json!(128), "an integer beyond its range"),
            ("int64", json!(1.5), "a number"),
            ("int64", json!("9223372036854775808"), "a string that is not a 64-bit integer"),
            ("float32", json!(1e39), "a number beyond the range of a float32"),
            ("float64", json!("nan"), "a string that is not a number"),
            ("string", json!(7), "a number"),
            ("bytes", json!("AAE"), "a string that is not base64 with padding"),
            ("date", json!("2023-02-29"), "a string that is not a date"),
            ("timestamp", json!("2023-02-28"), "a string that is not an RFC 3339 timestamp"),
            ("decimal", json!("1e5"), "a string that is not a decimal"),
            ("decimal", json!(1.5), "a number with a fraction, which a store sends as a string"),
            ("array<int64>", json!({}), "an object"),
            ("map<string, int64>", json!([]), "an array"),
            ("struct<a: int8>", json!([]), "an array of another length"),
            (
                "struct<a: int8>",
                json!({ "b": 1 }),
                "an object with a member that is not of the type",
            ),
        ] {
            let expected = format!("is declared {name} and is {is}");
            assert_eq!(of(name, &json!([null, cell])), Err(expected));
        }
    }
}
