//! The interface `enrichment-json`: rows as text become a batch, and the answers are joined
//! on to the rows again.

use crate::config::Problem;
use crate::{
    Batch, Bundle, Column, Counters, Enriched, Error, Handler, Input, Texts, Transport, Values,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

type Row = Map<String, Value>;

/// Enriches rows, a JSON array of objects, as one bundle: `enrichment-json.enrich` over any
/// transport.
///
/// # Errors
/// A JSON object with `problems` where the configuration is wrong, else with `error`.
pub async fn enrich_json<H: Handler, T: Transport>(
    config: &str,
    rows: &str,
    transport: Arc<T>,
) -> Result<String, String> {
    let handler = setup::<H>(config)
        .map_err(|problems| json!({ "problems": problems_json(&problems) }).to_string())?;
    let handler = Arc::new(handler);
    let rows = read_rows(rows).map_err(|error| refuse(&error))?;
    let batch = to_batch(&rows, &handler.inputs()).map_err(|error| refuse(&error))?;
    let mut bundle = Bundle::new(handler, transport, Arc::new(Counters::default()));
    let mut answers = bundle.process(&batch).await.map_err(|error| refuse(&error))?;
    answers.extend(bundle.finish().await.map_err(|error| refuse(&error))?);
    Ok(join(rows, &answers).to_string())
}

/// Parses and checks a configuration.
pub(crate) fn setup<H: Handler>(config: &str) -> Result<H, Vec<Problem>> {
    let config: Value = serde_json::from_str(config).map_err(|error| {
        vec![Problem { path: String::new(), message: format!("is not JSON: {error}") }]
    })?;
    H::new(&config)
}

/// The problems as `enrichment-json` tells them.
pub(crate) fn problems_json(problems: &[Problem]) -> Value {
    problems.iter().map(|p| json!({ "path": p.path, "message": p.message })).collect()
}

fn refuse(error: &Error) -> String {
    json!({ "error": error_json(error) }).to_string()
}

fn error_json(error: &Error) -> Value {
    let mut object = json!({
        "kind": error.kind.name(),
        "message": error.message,
        "retryable": error.retryable,
    });
    if let Some(wait) = error.retry_after_ms {
        object["retry_after_ms"] = wait.into();
    }
    if let Some(status) = error.http_status {
        object["http_status"] = status.into();
    }
    object
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(crate::ErrorKind::InvalidInput, message)
}

fn read_rows(text: &str) -> Result<Vec<Row>, Error> {
    let rows: Vec<Value> = serde_json::from_str(text)
        .map_err(|error| invalid(format!("the rows are not a JSON array of objects: {error}")))?;
    rows.into_iter()
        .enumerate()
        .map(|(at, row)| match row {
            Value::Object(row) => Ok(row),
            other => {
                Err(invalid(format!("row {at} is {}, not an object", crate::config::kind(&other))))
            }
        })
        .collect()
}

/// The columns that the handler reads, and no others.
fn to_batch(rows: &[Row], inputs: &[Input]) -> Result<Batch, Error> {
    let column = |input: &Input| {
        let mut values = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            match row.get(&input.name) {
                None if input.required => {
                    return Err(invalid(format!("row {at} has no field `{}`", input.name)));
                }
                value => values.push(value.unwrap_or(&Value::Null)),
            }
        }
        Ok(to_column(&input.name, &values))
    };
    Ok(Batch {
        rows: rows.len() as u32,
        columns: inputs.iter().map(column).collect::<Result<_, _>>()?,
    })
}

/// A column of the narrowest type that holds all values exactly.
fn to_column(name: &str, values: &[&Value]) -> Column {
    fn all<T: Default>(values: &[&Value], read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        values
            .iter()
            .map(|value| if value.is_null() { Some(T::default()) } else { read(value) })
            .collect()
    }
    fn texts(values: &[&Value]) -> Option<Texts> {
        fn text<'a>(value: &&'a Value) -> Option<&'a str> {
            if value.is_null() { Some("") } else { value.as_str() }
        }
        values
            .iter()
            .all(|value| text(value).is_some())
            .then(|| values.iter().filter_map(text).collect())
    }
    let typed = texts(values)
        .map(Values::Strings)
        .or_else(|| all(values, Value::as_i64).map(Values::Int64s))
        .or_else(|| all(values, |v| v.as_f64().filter(|_| v.is_f64())).map(Values::Float64s))
        .or_else(|| all(values, Value::as_bool).map(Values::Booleans))
        .unwrap_or_else(|| Values::Json(values.iter().map(ToString::to_string).collect()));
    let null = values.iter().enumerate().filter(|(_, value)| value.is_null());
    Column { name: name.to_owned(), values: typed, nulls: null.map(|(at, _)| at as u32).collect() }
}

/// The rows with their features behind their own fields, and what became of each.
fn join(mut rows: Vec<Row>, answers: &[Enriched]) -> Value {
    let (mut missing, mut null_keys, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    let mut first = 0;
    for answer in answers {
        for column in &answer.fields.columns {
            let mask = column.null_mask();
            for (at, null) in mask.iter().enumerate() {
                let value = if *null { Value::Null } else { column.values.json(at) };
                if let Some(row) = rows.get_mut(first as usize + at) {
                    row.entry(&column.name).or_insert(value);
                }
            }
        }
        missing.extend(answer.missing.iter().map(|at| at + first));
        null_keys.extend(answer.null_keys.iter().map(|at| at + first));
        failures.extend(
            answer
                .failures
                .iter()
                .map(|f| json!({ "row": f.row + first, "error": error_json(&f.error) })),
        );
        first += answer.fields.rows;
    }
    json!({ "rows": rows, "missing": missing, "null_keys": null_keys, "failures": failures })
}

impl Values {
    /// The value at a position, as JSON.
    fn json(&self, at: usize) -> Value {
        match self {
            Values::Booleans(list) => json!(list[at]),
            Values::Int8s(list) => json!(list[at]),
            Values::Int16s(list) => json!(list[at]),
            Values::Int32s(list) | Values::Dates(list) => json!(list[at]),
            Values::Int64s(list) | Values::Timestamps(list) => json!(list[at]),
            Values::Float32s(list) => float(f64::from(list[at])),
            Values::Float64s(list) => float(list[at]),
            Values::Strings(list) | Values::Decimals(list) => json!(list.get(at)),
            Values::Bytes(list) => json!(list[at]),
            Values::BooleanLists(list) => json!(list[at]),
            Values::Int64Lists(list) => json!(list[at]),
            Values::Float32Lists(list) => list[at].iter().map(|f| float(f64::from(*f))).collect(),
            Values::Float64Lists(list) => list[at].iter().map(|f| float(*f)).collect(),
            Values::StringLists(list) => json!(list[at]),
            Values::Json(list) => serde_json::from_str(list.get(at)).unwrap_or(Value::Null),
        }
    }
}

/// A float as protobuf's JSON writes it.
fn float(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}
