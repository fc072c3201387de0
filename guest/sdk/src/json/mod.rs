//! Rows as JSON text. They become the columns that a handler reads, and their features are appended
//! to their own fields, which stay the same byte for byte.
//!
//! The interface `enrichment-json` and services around a handler use it.

mod answer;
mod row;

pub use answer::{error_json, splice};
pub use row::{BadRow, NotARow, Row, to_batch};

use crate::config::Problem;
use crate::setup::setup;
use crate::{Bundle, Counters, Error, Handler, Transport};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::sync::Arc;

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
    let inputs = handler.inputs();
    let inputs: Vec<_> = inputs.iter().map(|it| (it.name.as_str(), it.required)).collect();
    let batch = to_batch(&rows, &inputs).map_err(|bad| refuse(&bad.into()))?;
    let mut bundle = Bundle::new(handler, transport, Arc::new(Counters::default()));
    let mut answers = bundle.process(&batch).await.map_err(|error| refuse(&error))?;
    answers.extend(bundle.finish().await.map_err(|error| refuse(&error))?);
    Ok(answer::join(&rows, &answers))
}

/// Problems as `enrichment-json` returns them.
pub(crate) fn problems_json(problems: &[Problem]) -> Value {
    problems.iter().map(|p| json!({ "path": p.path, "message": p.message })).collect()
}

fn refuse(error: &Error) -> String {
    json!({ "error": error_json(error) }).to_string()
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(crate::ErrorKind::InvalidInput, message)
}

fn read_rows(text: &str) -> Result<Vec<Row<'_>>, Error> {
    let rows: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| invalid(format!("the rows are not a JSON array of objects: {error}")))?;
    let mut read = Vec::with_capacity(rows.len());
    for (at, row) in rows.into_iter().enumerate() {
        read.push(Row::read(row.get()).map_err(|why| BadRow { row: at, what: why.to_string() })?);
    }
    Ok(read)
}

#[cfg(test)]
mod tests;
