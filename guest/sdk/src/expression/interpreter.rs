//! The interpreter of the `cel` crate, over a row.

use super::fields::{Frame, RowView};
use super::time::{Duration, Moment};
use super::{fields, functions};
use crate::datum::{Datum, float};
use cel::common::ast::IdedExpr;
use cel::common::types::{
    CelBool, CelBytes, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, ExecutionError, Value as CelValue};
use serde_json::{Map, Value};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// One expression over the rows of one batch.
pub(crate) struct Session<'a> {
    resolver: &'a RowResolver<'a>,
    /// Made when the interpreter is first needed.
    context: OnceCell<Context<'a, 'a>>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(resolver: &'a RowResolver<'a>) -> Self {
        Session { resolver, context: OnceCell::new() }
    }

    /// Moves on to a row.
    pub(crate) fn go_to(&self, row: usize) {
        self.resolver.go_to(row);
    }

    pub(super) fn row(&self) -> RowView<'a> {
        self.resolver.row()
    }

    pub(super) fn interpret(&self, tree: &IdedExpr) -> Result<Datum<'a>, ExecutionError> {
        let context = self.context.get_or_init(|| {
            let mut context = Context::with_env(environment());
            context.set_variable_resolver(self.resolver);
            context
        });
        let value = CelValue::resolve_val(tree, context)?;
        Ok(of_cel(value.as_ref()))
    }
}

/// Gives the interpreter the fields of the row that it is at.
#[derive(Debug)]
pub(crate) struct RowResolver<'a> {
    frame: &'a Frame<'a>,
    at: AtomicUsize,
}

impl<'a> RowResolver<'a> {
    pub(crate) fn new(frame: &'a Frame<'a>) -> Self {
        RowResolver { frame, at: AtomicUsize::new(0) }
    }

    pub(super) fn row(&self) -> RowView<'a> {
        RowView { frame: self.frame, at: self.at.load(Ordering::Relaxed) }
    }

    pub(super) fn go_to(&self, row: usize) {
        self.at.store(row, Ordering::Relaxed);
    }
}

impl VariableResolver for RowResolver<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let value = self.row().get(fields::position(variable)?);
        Some(CowVal::Owned(to_cel(value)))
    }
}

/// All functions. Made once in an instance, as it takes some 50 µs.
fn environment() -> Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| Arc::new(functions::environment())).clone()
}

/// A value of a row, as the interpreter has it.
pub(super) fn to_cel<'v>(value: Datum<'v>) -> Box<dyn Val + 'v> {
    match value {
        Datum::Null => Box::new(CelNull),
        Datum::Boolean(value) => Box::new(CelBool::from(value)),
        Datum::Integer(value) => Box::new(CelInt::from(value)),
        Datum::Float(value) => Box::new(CelDouble::from(value)),
        Datum::Text(text) => Box::new(CelString::from(text)),
        Datum::Timestamp(micros) => Box::new(Moment::clamped(micros)),
        Datum::Bytes(bytes) => Box::new(CelBytes::from(bytes.to_vec())),
        Datum::Json(value) => json_to_cel(value),
        Datum::Refused(kind) => Box::new(functions::Nothing(kind)),
    }
}

fn json_to_cel(value: Value) -> Box<dyn Val> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(value)),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => Box::new(CelInt::from(value)),
            (None, Some(value)) => Box::new(CelUInt::from(value)),
            (None, None) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(text) => Box::new(CelString::from(text)),
        Value::Array(list) => {
            Box::new(CelList::from(list.into_iter().map(json_to_cel).collect::<Vec<_>>()))
        }
        Value::Object(map) => {
            let entries: HashMap<CelMapKey<'_>, Box<dyn Val>> = map
                .into_iter()
                .map(|(key, value)| (CelMapKey::from(key), json_to_cel(value)))
                .collect();
            Box::new(CelMap::from(entries))
        }
    }
}

/// The result of the interpreter.
fn of_cel<'a>(value: &dyn Val) -> Datum<'a> {
    if let Some(text) = value.downcast_ref::<CelString>() {
        return Datum::Text(text.inner().to_owned().into());
    }
    if let Some(value) = value.downcast_ref::<CelInt>() {
        return Datum::Integer(*value.inner());
    }
    if let Some(value) = value.downcast_ref::<CelDouble>() {
        return Datum::Float(*value.inner());
    }
    if let Some(value) = value.downcast_ref::<CelBool>() {
        return Datum::Boolean(*value.inner());
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Datum::Null;
    }
    if let Some(moment) = value.downcast_ref::<Moment>() {
        return Datum::Timestamp(moment.micros());
    }
    if let Some(value) = value.downcast_ref::<CelUInt>() {
        return match i64::try_from(*value.inner()) {
            Ok(value) => Datum::Integer(value),
            Err(_) => Datum::Refused("an integer above the greatest int64"),
        };
    }
    match json_of_cel(value) {
        Ok(value) => Datum::Json(value),
        Err(kind) => Datum::Refused(kind),
    }
}

fn json_of_cel(value: &dyn Val) -> Result<Value, &'static str> {
    if let Some(list) = value.downcast_ref::<CelList>() {
        return list.inner().iter().map(|value| json_of_cel(value.as_ref())).collect();
    }
    if let Some(map) = value.downcast_ref::<CelMap>() {
        let mut object = Map::new();
        // A CEL map has no order. Sorted, the same row has the same text each time.
        let mut entries: Vec<_> = map.inner().iter().collect();
        entries.sort_by_cached_key(|(key, _)| key_text(key).unwrap_or_default().to_owned());
        for (key, value) in entries {
            let key = key_text(key).ok_or("a map with a key that is not a string")?;
            object.insert(key.to_owned(), json_of_cel(value.as_ref())?);
        }
        return Ok(Value::Object(object));
    }
    if value.downcast_ref::<CelBytes>().is_some() {
        return Err("bytes");
    }
    if value.downcast_ref::<Duration>().is_some() {
        return Err("a duration");
    }
    if let Some(nothing) = value.downcast_ref::<functions::Nothing>() {
        return Err(nothing.0);
    }
    match of_scalar(value) {
        Some(value) => Ok(value),
        None => Err("a type"),
    }
}

fn of_scalar(value: &dyn Val) -> Option<Value> {
    if let Some(text) = value.downcast_ref::<CelString>() {
        return Some(Value::from(text.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelInt>() {
        return Some(Value::from(*value.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelUInt>() {
        return Some(Value::from(*value.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelDouble>() {
        return Some(float(*value.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelBool>() {
        return Some(Value::from(*value.inner()));
    }
    if let Some(moment) = value.downcast_ref::<Moment>() {
        return Some(Value::from(moment.to_string()));
    }
    value.downcast_ref::<CelNull>().map(|_| Value::Null)
}

fn key_text<'k>(key: &'k CelMapKey<'_>) -> Option<&'k str> {
    match key {
        CelMapKey::String(text) => Some(text.inner()),
        _ => None,
    }
}

/// Why an expression has no value: names types, and never a value of the row.
#[expect(clippy::wildcard_enum_match_arm, reason = "the set is open")]
pub(super) fn describe(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchOverload(overload) => {
            let types = overload.argument_types();
            let name = operator(overload.function());
            match (overload.is_member_function(), types) {
                (true, [target, arguments @ ..]) => {
                    format!("{target} has no {name}({})", arguments.join(", "))
                }
                _ if name.starts_with(char::is_alphabetic) && name != "in" => {
                    format!("{name}() does not take {}", types.join(" and "))
                }
                _ => format!("{name} does not take {}", types.join(" and ")),
            }
        }
        ExecutionError::UnsupportedBinaryOperator(name, left, right) => {
            format!("{name} does not take {} and {}", left.type_of(), right.type_of())
        }
        ExecutionError::FunctionError { function, message } => match message.as_str() {
            "integer overflow" => format!("the value is out of the range of {function}()"),
            _ => format!("{function}() does not take this value"),
        },
        ExecutionError::UnexpectedType { got, want } => format!("is {got} where {want} must be"),
        ExecutionError::NoSuchKey(_) => "a key is not in its map".to_owned(),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "a division by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number out of range".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "an index beyond the end of its list".to_owned(),
        ExecutionError::UndeclaredReference(name) => format!("unknown name `{name}`"),
        ExecutionError::DuplicateKey(_) => "a map with one key twice".to_owned(),
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("{} and {} cannot be compared", left.type_of(), right.type_of())
        }
        ExecutionError::UnsupportedKeyType(key) => {
            format!("{} cannot be a key of a map", key.type_of())
        }
        _ => "it cannot be evaluated".to_owned(),
    }
}

/// An operator or a function as it is written.
fn operator(name: &str) -> &str {
    match name {
        "_[_]" => "[]",
        "_._" => "a selection",
        name => name.trim_matches(['_', '@']),
    }
}
