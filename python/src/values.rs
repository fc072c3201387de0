//! Python values as Arrow columns, and Arrow columns as Python values.
//!
//! | Python | column |
//! |---|---|
//! | `bool`, `int` within 64 bits, `float`, `str`, `bytes` | boolean, `int64`, `float64`, string, bytes |
//! | `datetime` with a time zone, Beam's `Timestamp` | a timestamp in microseconds, UTC |
//! | `date`, `decimal.Decimal`, `uuid.UUID` | date, decimal, string |
//! | `dict`, `list`, `tuple`, rows | JSON |
//! | `int` and `float` in one column | `float64`, if each is one exactly; else JSON |
//! | other types in one column | JSON |
//!
//! NumPy's scalars count as the Python values that their `item()` gives. This is the rule that
//! `beamlet run` has for NDJSON.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, TimeUnit};
use beamlet_contract::arrow::{decimal, is_decimal, is_json, json};
use beamlet_contract::time;
use beamlet_values::json as write;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyNone, PyString, PyTuple,
    PyType, PyTzInfo,
};
use std::sync::Arc;

/// The largest integer of which `float64` holds each smaller one.
const EXACT: i64 = 1 << 53;
/// How deep a value may nest.
const MAX_DEPTH: usize = 64;

/// A value of a column that is being made.
enum Cell {
    Null,
    Boolean(bool),
    Int64(i64),
    Float64(f64),
    String(String),
    Bytes(Vec<u8>),
    /// Microseconds since the Unix epoch.
    Timestamp(i64),
    /// Days since the Unix epoch.
    Date(i32),
    Decimal(String),
    Json(String),
}

/// A column of Python values.
pub(crate) struct Column {
    pub(crate) field: Field,
    /// Null also where a value is at fault.
    pub(crate) array: ArrayRef,
    pub(crate) faults: Vec<Fault>,
}

/// A value that has no place in a column.
pub(crate) struct Fault {
    pub(crate) row: usize,
    /// What is wrong, without the value.
    pub(crate) problem: String,
}

/// The column of a list of Python values, `None` for null.
pub(crate) fn of_python(name: &str, values: &Bound<'_, PyList>) -> Column {
    if let Some(array) = uniform(values) {
        let field = Field::new(name, array.data_type().clone(), true);
        return Column { field, array, faults: Vec::new() };
    }
    let mut faults = Vec::new();
    let cells = values.iter().enumerate().map(|(row, value)| {
        cell(&value).unwrap_or_else(|problem| {
            faults.push(Fault { row, problem });
            Cell::Null
        })
    });
    let cells: Vec<Cell> = cells.collect();
    let (field, array) = column(name, &cells, &mut faults);
    Column { field, array, faults }
}

/// The column where all values are of the commonest types, without an intermediate step for each.
fn uniform(values: &Bound<'_, PyList>) -> Option<ArrayRef> {
    let first = values.iter().find(|value| !value.is_none())?;
    if first.is_exact_instance_of::<PyString>() {
        let mut texts = arrow_array::builder::StringBuilder::with_capacity(values.len(), 0);
        for value in values {
            match value.cast_exact::<PyString>() {
                Ok(text) => match text.to_cow() {
                    Ok(text) => texts.append_value(text),
                    // A lone surrogate: the slow way says which row.
                    Err(_) => return None,
                },
                Err(_) if value.is_none() => texts.append_null(),
                Err(_) => return None,
            }
        }
        return Some(Arc::new(texts.finish()));
    }
    if first.is_exact_instance_of::<PyInt>() {
        let mut numbers = arrow_array::builder::Int64Builder::with_capacity(values.len());
        for value in values {
            match value.cast_exact::<PyInt>() {
                Ok(number) => match number.extract() {
                    Ok(number) => numbers.append_value(number),
                    Err(_) => return None,
                },
                Err(_) if value.is_none() => numbers.append_null(),
                Err(_) => return None,
            }
        }
        return Some(Arc::new(numbers.finish()));
    }
    None
}

fn column(name: &str, cells: &[Cell], faults: &mut Vec<Fault>) -> (Field, ArrayRef) {
    macro_rules! typed {
        ($array:ty, $variant:ident) => {
            Arc::new(<$array>::from_iter(cells.iter().map(|cell| match cell {
                Cell::$variant(value) => Some(value.clone()),
                _ => None,
            })))
        };
    }
    let plain = |array: ArrayRef| (Field::new(name, array.data_type().clone(), true), array);
    match common(cells) {
        Common::Boolean => plain(typed!(BooleanArray, Boolean)),
        Common::Int64 => plain(typed!(Int64Array, Int64)),
        Common::Float64 => {
            plain(Arc::new(Float64Array::from_iter(cells.iter().map(|cell| match cell {
                Cell::Float64(value) => Some(*value),
                Cell::Int64(value) => Some(*value as f64),
                _ => None,
            }))))
        }
        Common::String => plain(typed!(StringArray, String)),
        Common::Bytes => {
            plain(Arc::new(BinaryArray::from_iter(cells.iter().map(|cell| match cell {
                Cell::Bytes(bytes) => Some(bytes.as_slice()),
                _ => None,
            }))))
        }
        Common::Timestamp => {
            let array: TimestampMicrosecondArray = cells
                .iter()
                .map(|cell| match cell {
                    Cell::Timestamp(micros) => Some(*micros),
                    _ => None,
                })
                .collect();
            plain(Arc::new(array.with_timezone("UTC")))
        }
        Common::Date => {
            plain(Arc::new(Date32Array::from_iter(cells.iter().map(|cell| match cell {
                Cell::Date(days) => Some(*days),
                _ => None,
            }))))
        }
        Common::Decimal => {
            let array: ArrayRef = typed!(StringArray, Decimal);
            (decimal(Field::new(name, DataType::Utf8, true)), array)
        }
        Common::Json => {
            let texts = cells.iter().enumerate().map(|(row, cell)| {
                cell.json().unwrap_or_else(|problem| {
                    faults.push(Fault { row, problem });
                    None
                })
            });
            let array: ArrayRef = Arc::new(StringArray::from_iter(texts));
            (json(Field::new(name, DataType::Utf8, true)), array)
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Common {
    Boolean,
    Int64,
    Float64,
    String,
    Bytes,
    Timestamp,
    Date,
    Decimal,
    Json,
}

/// The type of a column that holds each of the values exactly.
fn common(cells: &[Cell]) -> Common {
    let mut common: Option<Common> = None;
    let mut only_integer = false;
    for cell in cells {
        let is = match cell {
            Cell::Null => continue,
            Cell::Boolean(_) => Common::Boolean,
            Cell::Int64(value) => {
                only_integer |= !(-EXACT..=EXACT).contains(value);
                Common::Int64
            }
            Cell::Float64(_) => Common::Float64,
            Cell::String(_) => Common::String,
            Cell::Bytes(_) => Common::Bytes,
            Cell::Timestamp(_) => Common::Timestamp,
            Cell::Date(_) => Common::Date,
            Cell::Decimal(_) => Common::Decimal,
            Cell::Json(_) => Common::Json,
        };
        common = Some(match (common, is) {
            (None, is) => is,
            (Some(before), is) if before == is => is,
            (Some(Common::Int64 | Common::Float64), Common::Int64 | Common::Float64) => {
                Common::Float64
            }
            _ => return Common::Json,
        });
    }
    match common {
        Some(Common::Float64) if only_integer => Common::Json,
        Some(common) => common,
        None => Common::String,
    }
}

impl Cell {
    /// The value as a JSON text; none for null.
    fn json(&self) -> Result<Option<String>, String> {
        let mut out = Vec::new();
        let moment = |text: Option<String>| {
            text.ok_or_else(|| "a time outside of the years 0 to 9999".to_owned())
        };
        match self {
            Cell::Null => return Ok(None),
            Cell::Boolean(value) => out.extend(if *value { &b"true"[..] } else { b"false" }),
            Cell::Int64(value) => write::integer(*value, &mut out),
            Cell::Float64(value) => write::float64(*value, &mut out),
            Cell::String(text) | Cell::Decimal(text) => write::string(text, &mut out),
            Cell::Bytes(bytes) => write::bytes(bytes, &mut out),
            Cell::Timestamp(micros) => write::string(&moment(time::timestamp(*micros))?, &mut out),
            Cell::Date(days) => write::string(&moment(time::date(*days))?, &mut out),
            Cell::Json(text) => return Ok(Some(text.clone())),
        }
        String::from_utf8(out).map(Some).map_err(|error| error.to_string())
    }
}

/// Classes that are found by import, once.
struct Classes {
    decimal: Py<PyType>,
    uuid: Py<PyType>,
}

fn classes(py: Python<'_>) -> PyResult<&Classes> {
    static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
    CLASSES.get_or_try_init(py, || {
        let class = |module: &str, name: &str| -> PyResult<Py<PyType>> {
            Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        Ok(Classes { decimal: class("decimal", "Decimal")?, uuid: class("uuid", "UUID")? })
    })
}

/// What a value is; the error says what is wrong with it, and shows its type alone.
fn cell(value: &Bound<'_, PyAny>) -> Result<Cell, String> {
    let py = value.py();
    if value.is_none() {
        return Ok(Cell::Null);
    }
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_cow().map_err(|_| "a str with a lone surrogate".to_owned())?;
        return Ok(Cell::String(text.into_owned()));
    }
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(Cell::Boolean(value.is_true()));
    }
    if let Ok(number) = value.cast::<PyInt>() {
        return match number.extract() {
            Ok(number) => Ok(Cell::Int64(number)),
            // In JSON a number has any size; the handler says what it takes.
            Err(_) => Ok(Cell::Json(number.to_string())),
        };
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        return Ok(Cell::Float64(number.value()));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Cell::Bytes(bytes.as_bytes().to_vec()));
    }
    // A datetime is a date, too.
    if value.is_instance_of::<PyDateTime>() {
        return timestamp(value).map(Cell::Timestamp);
    }
    if value.is_instance_of::<PyDate>() {
        let days = value.call_method0("toordinal").and_then(|days| days.extract::<i32>());
        return days.map(|days| Cell::Date(days - EPOCH_ORDINAL)).map_err(|it| it.to_string());
    }
    if value.is_instance_of::<PyDict>()
        || value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
    {
        return nested(value);
    }
    let classes = classes(py).map_err(|error| error.to_string())?;
    if value.is_instance(classes.decimal.bind(py)).unwrap_or(false) {
        return of_decimal(value);
    }
    if value.is_instance(classes.uuid.bind(py)).unwrap_or(false) {
        return Ok(Cell::String(value.to_string()));
    }
    // Beam's Timestamp.
    if let Ok(micros) = value.getattr("micros").and_then(|micros| micros.extract::<i64>())
        && value.hasattr("to_utc_datetime").unwrap_or(false)
    {
        return Ok(Cell::Timestamp(micros));
    }
    // NumPy's scalars, which are no arrays.
    if value.hasattr("dtype").unwrap_or(false)
        && value.getattr("ndim").and_then(|it| it.extract::<usize>()).is_ok_and(|it| it == 0)
        && let Ok(item) = value.call_method0("item")
        && !item.is(value)
        && !item.hasattr("dtype").unwrap_or(true)
    {
        return cell(&item);
    }
    if value.hasattr("tolist").unwrap_or(false)
        && let Ok(list) = value.call_method0("tolist")
        && list.is_instance_of::<PyList>()
    {
        return nested(&list);
    }
    if members(value).is_some() {
        return nested(value);
    }
    let kind = value.get_type().qualname().map_or_else(|_| "?".to_owned(), |it| it.to_string());
    Err(format!("a value of type {kind} cannot be shown to a handler; convert it to one that can"))
}

/// `date(1970, 1, 1).toordinal()`.
const EPOCH_ORDINAL: i32 = 719_163;

/// Microseconds since the Unix epoch, exactly.
fn timestamp(value: &Bound<'_, PyAny>) -> Result<i64, String> {
    let py = value.py();
    let zone = value.getattr("tzinfo").map_err(|error| error.to_string())?;
    if zone.is_none() {
        return Err("a datetime without a time zone is no point in time; give it one".to_owned());
    }
    let since = || -> PyResult<i64> {
        static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let epoch = EPOCH.get_or_try_init(py, || -> PyResult<Py<PyAny>> {
            let utc = PyTzInfo::utc(py)?;
            let epoch =
                py.import("datetime")?.getattr("datetime")?.call1((1970, 1, 1, 0, 0, 0, 0, utc))?;
            Ok(epoch.unbind())
        })?;
        let delta = value.sub(epoch.bind(py))?;
        let part = |name: &str| -> PyResult<i64> { delta.getattr(name)?.extract() };
        let seconds = part("days")? * 86_400 + part("seconds")?;
        Ok(seconds * 1_000_000 + part("microseconds")?)
    };
    since().map_err(|error| error.to_string())
}

/// A decimal in decimal notation.
fn of_decimal(value: &Bound<'_, PyAny>) -> Result<Cell, String> {
    let text = value
        .call_method0("is_finite")
        .and_then(|finite| finite.extract::<bool>())
        .and_then(|finite| match finite {
            true => value.call_method1("__format__", ("f",)).map(|text| Some(text.to_string())),
            false => Ok(None),
        })
        .map_err(|error| error.to_string())?;
    text.map(Cell::Decimal).ok_or_else(|| "a Decimal that is no number".to_owned())
}

fn nested(value: &Bound<'_, PyAny>) -> Result<Cell, String> {
    let mut out = Vec::new();
    push_json(value, &mut out, 0)?;
    String::from_utf8(out).map(Cell::Json).map_err(|error| error.to_string())
}

/// The members of a row: of a named tuple, a Beam row, a dataclass.
fn members<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    let of = |name: &str| value.call_method0(name).ok()?.cast_into::<PyDict>().ok();
    if let Some(dict) = of("_asdict").or_else(|| of("as_dict")) {
        return Some(dict);
    }
    if value.hasattr("__dataclass_fields__").ok()? && !value.is_instance_of::<PyType>() {
        return value.getattr("__dict__").ok()?.cast_into::<PyDict>().ok();
    }
    None
}

fn push_json(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("a value nests more than {MAX_DEPTH} deep"));
    }
    let object = |dict: &Bound<'_, PyDict>, out: &mut Vec<u8>| -> Result<(), String> {
        out.push(b'{');
        for (at, (name, value)) in dict.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let name = name
                .cast::<PyString>()
                .ok()
                .and_then(|name| name.to_cow().ok().map(|name| name.into_owned()))
                .ok_or("a dict with a key that is no str")?;
            write::string(&name, out);
            out.push(b':');
            push_json(&value, out, depth + 1)?;
        }
        out.push(b'}');
        Ok(())
    };
    if let Ok(dict) = value.cast::<PyDict>() {
        return object(dict, out);
    }
    let is_list = value.is_instance_of::<PyList>();
    if is_list || value.is_instance_of::<PyTuple>() {
        if !is_list && let Some(dict) = members(value) {
            return object(&dict, out);
        }
        out.push(b'[');
        for (at, element) in value.try_iter().map_err(|error| error.to_string())?.enumerate() {
            if at > 0 {
                out.push(b',');
            }
            push_json(&element.map_err(|error| error.to_string())?, out, depth + 1)?;
        }
        out.push(b']');
        return Ok(());
    }
    if value.is_none() {
        out.extend(b"null");
        return Ok(());
    }
    let is_row = !value.is_instance_of::<PyString>() && members(value).is_some();
    match members(value).filter(|_| is_row) {
        Some(dict) => object(&dict, out),
        None => {
            let text = cell(value)?.json()?;
            out.extend(text.as_deref().unwrap_or("null").as_bytes());
            Ok(())
        }
    }
}

/// A column as a list of Python values, null as `None`: timestamps as `datetime` in UTC, decimals as
/// `Decimal`, JSON as what it stands for.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    field: &Field,
    array: &ArrayRef,
) -> PyResult<Bound<'py, PyList>> {
    if is_json(field) {
        let loads = py.import("json")?.getattr("loads")?;
        return each(py, array, |at| loads.call1((array.as_string::<i32>().value(at),)));
    }
    if is_decimal(field) {
        let decimal = classes(py)?.decimal.bind(py);
        return each(py, array, |at| decimal.call1((array.as_string::<i32>().value(at),)));
    }
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let epoch = py.import("datetime")?.getattr("datetime")?.call1((
                1970,
                1,
                1,
                0,
                0,
                0,
                0,
                PyTzInfo::utc(py)?,
            ))?;
            let delta = py.import("datetime")?.getattr("timedelta")?;
            let values = array.as_primitive::<TimestampMicrosecondType>();
            each(py, array, |at| {
                let micros = PyDict::new(py);
                micros.set_item("microseconds", values.value(at))?;
                epoch.add(delta.call((), Some(&micros))?)
            })
        }
        DataType::Date32 => {
            let from = py.import("datetime")?.getattr("date")?.getattr("fromordinal")?;
            let values = array.as_primitive::<Date32Type>();
            each(py, array, |at| from.call1((values.value(at) + EPOCH_ORDINAL,)))
        }
        _ => raw(py, array),
    }
}

/// A column as a list of Python values, as it is stored: timestamps in microseconds, dates in days,
/// JSON and decimals as text.
pub(crate) fn raw<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Bound<'py, PyList>> {
    macro_rules! numbers {
        ($of:ty) => {{
            let values = array.as_primitive::<$of>();
            each(py, array, |at| Ok(values.value(at).into_pyobject(py)?.into_any()))
        }};
    }
    match array.data_type() {
        DataType::Null => each(py, array, |_| Ok(PyNone::get(py).to_owned().into_any())),
        DataType::Boolean => {
            let values = array.as_boolean();
            each(py, array, |at| Ok(PyBool::new(py, values.value(at)).to_owned().into_any()))
        }
        DataType::Int8 => numbers!(Int8Type),
        DataType::Int16 => numbers!(Int16Type),
        DataType::Int32 => numbers!(Int32Type),
        DataType::Int64 => numbers!(Int64Type),
        DataType::UInt8 => numbers!(UInt8Type),
        DataType::UInt16 => numbers!(UInt16Type),
        DataType::UInt32 => numbers!(UInt32Type),
        DataType::UInt64 => numbers!(UInt64Type),
        DataType::Float32 => numbers!(Float32Type),
        DataType::Float64 => numbers!(Float64Type),
        DataType::Date32 => numbers!(Date32Type),
        DataType::Timestamp(TimeUnit::Microsecond, _) => numbers!(TimestampMicrosecondType),
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            each(py, array, |at| Ok(PyString::new(py, values.value(at)).into_any()))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            each(py, array, |at| Ok(PyString::new(py, values.value(at)).into_any()))
        }
        DataType::Utf8View => {
            let values = array.as_string_view();
            each(py, array, |at| Ok(PyString::new(py, values.value(at)).into_any()))
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            each(py, array, |at| Ok(PyBytes::new(py, values.value(at)).into_any()))
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>();
            each(py, array, |at| Ok(PyBytes::new(py, values.value(at)).into_any()))
        }
        DataType::List(_) => {
            let values = array.as_list::<i32>();
            each(py, array, |at| Ok(raw(py, &values.value(at))?.into_any()))
        }
        other => Err(PyTypeError::new_err(format!(
            "a column of Arrow's type {other} has no Python values here; pass it to pyarrow"
        ))),
    }
}

/// A list of the values that are not null.
fn each<'py>(
    py: Python<'py>,
    array: &ArrayRef,
    value: impl Fn(usize) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let none = || PyNone::get(py).to_owned().into_any();
    let has_nulls = array.logical_null_count() > 0;
    let nulls = array.logical_nulls();
    let values = (0..array.len()).map(|at| match &nulls {
        Some(nulls) if has_nulls && nulls.is_null(at) => Ok(none()),
        _ => value(at),
    });
    PyList::new(py, values.collect::<PyResult<Vec<_>>>()?)
}
