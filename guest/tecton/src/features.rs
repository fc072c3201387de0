//! Feature values: from the cells of an answer to typed columns.

use crate::data_type::DataType;
use beamlet_guest::{Column, Texts, Values};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt;

/// One JSON value of an answer, borrowed from its text.
#[derive(Clone, Debug, Default)]
pub(crate) enum Cell<'a> {
    #[default]
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Cell<'a>>),
    Object(Vec<(Cow<'a, str>, Cell<'a>)>),
}

impl Cell<'_> {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Cell::Null)
    }

    /// What it is, in a sentence.
    fn kind(&self) -> &'static str {
        match self {
            Cell::Null => "null",
            Cell::Boolean(_) => "a boolean",
            Cell::Integer(_) | Cell::Float(_) => "a number",
            Cell::Text(_) => "a string",
            Cell::List(_) => "an array",
            Cell::Object(_) => "an object",
        }
    }
}

/// A value is not of its declared type. Says what it is, never the value itself.
#[derive(Debug, PartialEq)]
pub(crate) struct NotOfType {
    wanted: String,
    is: &'static str,
}

impl fmt::Display for NotOfType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is declared {} and is {}", self.wanted, self.is)
    }
}

fn not<T>(wanted: &DataType, is: &'static str) -> Result<T, NotOfType> {
    Err(NotOfType { wanted: wanted.to_string(), is })
}

/// Makes a column of a feature's cells.
pub(crate) fn column<'a>(
    name: &str,
    of: &DataType,
    cells: Vec<Cell<'a>>,
) -> Result<Column, NotOfType> {
    let nulls: Vec<u32> = cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| cell.is_null())
        .map(|(at, _)| at as u32)
        .collect();
    let values = match of {
        DataType::Boolean => Values::Booleans(typed(cells, |cell| boolean(of, cell))?),
        DataType::Int64 => Values::Int64s(typed(cells, |cell| int64(of, &cell))?),
        DataType::Float32 => Values::Float32s(typed(cells, |cell| float32(of, &cell))?),
        DataType::Float64 => Values::Float64s(typed(cells, |cell| float(of, &cell))?),
        DataType::String => Values::Strings(texts(of, &cells)?),
        DataType::Timestamp => Values::Timestamps(typed(cells, |cell| timestamp(of, &cell))?),
        DataType::Array(element) if plain(&cells) => match **element {
            DataType::Boolean => Values::BooleanLists(lists(of, cells, |c| boolean(element, c))?),
            DataType::Int64 => Values::Int64Lists(lists(of, cells, |c| int64(element, &c))?),
            DataType::Float32 => Values::Float32Lists(lists(of, cells, |c| float32(element, &c))?),
            DataType::Float64 => Values::Float64Lists(lists(of, cells, |c| float(element, &c))?),
            DataType::String => Values::StringLists(lists(of, cells, |c| text(element, c))?),
            _ => nested(of, cells)?,
        },
        DataType::Array(_) | DataType::Struct(_) | DataType::Map(_) | DataType::Other(_) => {
            nested(of, cells)?
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
fn texts(of: &DataType, cells: &[Cell<'_>]) -> Result<Texts, NotOfType> {
    let mut texts = Texts::new();
    for cell in cells {
        match cell {
            Cell::Text(text) => texts.push(text),
            Cell::Null => texts.push(""),
            other => return not(of, other.kind()),
        }
    }
    Ok(texts)
}

fn lists<'a, T>(
    of: &DataType,
    cells: Vec<Cell<'a>>,
    read: impl Fn(Cell<'a>) -> Result<T, NotOfType>,
) -> Result<Vec<Vec<T>>, NotOfType> {
    typed(cells, |cell| match cell {
        Cell::List(elements) => elements.into_iter().map(&read).collect(),
        other => not(of, other.kind()),
    })
}

/// Whether no list has a null element: typed lists cannot hold one.
fn plain(cells: &[Cell<'_>]) -> bool {
    !cells
        .iter()
        .any(|cell| matches!(cell, Cell::List(elements) if elements.iter().any(Cell::is_null)))
}

fn nested<'a>(of: &DataType, cells: Vec<Cell<'a>>) -> Result<Values, NotOfType> {
    let mut texts = Texts::new();
    for cell in cells {
        let value = if cell.is_null() { Value::Null } else { json_value(of, cell)? };
        texts.push(&value.to_string());
    }
    Ok(Values::Json(texts))
}

fn boolean(of: &DataType, cell: Cell<'_>) -> Result<bool, NotOfType> {
    match cell {
        Cell::Boolean(value) => Ok(value),
        other => not(of, other.kind()),
    }
}

/// A decimal string; old servers send a number.
fn int64(of: &DataType, cell: &Cell<'_>) -> Result<i64, NotOfType> {
    match cell {
        Cell::Integer(value) => Ok(*value),
        Cell::Text(text) => text.parse().or_else(|_| not(of, "a string that is no 64-bit integer")),
        other => not(of, other.kind()),
    }
}

/// A number, or one of the three names for what is none in JSON.
fn float(of: &DataType, cell: &Cell<'_>) -> Result<f64, NotOfType> {
    match cell {
        Cell::Integer(value) => Ok(*value as f64),
        Cell::Float(value) => Ok(*value),
        Cell::Text(text) => match &**text {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            _ => not(of, "a string that is no number"),
        },
        other => not(of, other.kind()),
    }
}

/// The same, but not a number that a float32 would hold as infinity.
fn float32(of: &DataType, cell: &Cell<'_>) -> Result<f32, NotOfType> {
    let value = float(of, cell)?;
    narrowed(value).map_or_else(|| not(of, "a number beyond the range of a float32"), Ok)
}

/// The nearest float32; none where a number would become infinity.
pub(crate) fn narrowed(value: f64) -> Option<f32> {
    let narrow = value as f32;
    (narrow.is_finite() || !value.is_finite()).then_some(narrow)
}

fn text(of: &DataType, cell: Cell<'_>) -> Result<String, NotOfType> {
    match cell {
        Cell::Text(text) => Ok(text.into_owned()),
        other => not(of, other.kind()),
    }
}

/// Whether a text is an RFC 3339 timestamp.
pub(crate) fn is_timestamp(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// Microseconds since the epoch, of RFC 3339; none where it is finer than that.
pub(crate) fn micros(text: &str) -> Option<i64> {
    rounded_micros(text).filter(|_| !is_finer(text))
}

/// The same, with what is finer cut off.
pub(crate) fn rounded_micros(text: &str) -> Option<i64> {
    Some(chrono::DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())
}

/// Whether a timestamp has digits behind its microseconds that are not 0.
fn is_finer(timestamp: &str) -> bool {
    let fraction = timestamp.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit);
    digits.skip(6).any(|digit| digit != b'0')
}

/// RFC 3339, to microseconds since the epoch.
fn timestamp(of: &DataType, cell: &Cell<'_>) -> Result<i64, NotOfType> {
    match cell {
        Cell::Text(text) => match micros(text) {
            Some(micros) => Ok(micros),
            None if is_timestamp(text) => {
                not(of, "finer than microseconds, which is all that a timestamp field holds")
            }
            None => not(of, "a string that is no RFC 3339 timestamp"),
        },
        other => not(of, other.kind()),
    }
}

/// A value as the enriched row shows it: int64 as an integer, a struct by its field names.
fn json_value(of: &DataType, cell: Cell<'_>) -> Result<Value, NotOfType> {
    Ok(match (of, cell) {
        (_, Cell::Null) => Value::Null,
        (DataType::Int64, cell) => json!(int64(of, &cell)?),
        (DataType::Boolean, cell) => json!(boolean(of, cell)?),
        (DataType::Float32 | DataType::Float64, cell) => {
            let value = float(of, &cell)?;
            if *of == DataType::Float32 {
                float32(of, &cell)?;
            }
            // What JSON has no number for stays the name that came.
            if value.is_finite() { json!(value) } else { as_it_came(cell) }
        }
        (DataType::String, cell) => json!(text(of, cell)?),
        // It stays the text that came, so that it may be as fine as it is.
        (DataType::Timestamp, Cell::Text(text)) if is_timestamp(&text) => json!(text),
        (DataType::Timestamp, Cell::Text(_)) => {
            return not(of, "a string that is no RFC 3339 timestamp");
        }
        (DataType::Array(element), Cell::List(elements)) => elements
            .into_iter()
            .map(|element_cell| json_value(element, element_cell))
            .collect::<Result<_, _>>()?,
        (DataType::Struct(fields), Cell::List(values)) => {
            if fields.len() != values.len() {
                return not(of, "an array of another length");
            }
            let pairs = fields.iter().zip(values);
            let object: Result<Map<_, _>, _> = pairs
                .map(|((name, field), value)| Ok((name.clone(), json_value(field, value)?)))
                .collect();
            Value::Object(object?)
        }
        (DataType::Map(value_type), Cell::Object(pairs)) => {
            let object: Result<Map<_, _>, _> = pairs
                .into_iter()
                .map(|(key, value)| Ok((key.into_owned(), json_value(value_type, value)?)))
                .collect();
            Value::Object(object?)
        }
        (DataType::Other(_), cell) => as_it_came(cell),
        (_, other) => return not(of, other.kind()),
    })
}

fn as_it_came(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Boolean(value) => json!(value),
        Cell::Integer(value) => json!(value),
        Cell::Float(value) => json!(value),
        Cell::Text(text) => Value::String(text.into_owned()),
        Cell::List(cells) => cells.into_iter().map(as_it_came).collect(),
        Cell::Object(pairs) => Value::Object(
            pairs.into_iter().map(|(key, value)| (key.into_owned(), as_it_came(value))).collect(),
        ),
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
        f.write_str("a feature value")
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
        Ok(i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Integer))
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
