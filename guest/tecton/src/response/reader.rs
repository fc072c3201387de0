//! Reads any answer: parses it into cells, and makes typed columns of them. Where a value cannot be
//! read, it reads the answer again value by value, so that one value fails its own row only.

use super::metadata::{
    Feature, Known, Metadata, Parsed, Template, broken, not_metadata, read_features,
};
use beamlet_guest::check::count;
use beamlet_guest::columns::{Cell, column};
use beamlet_guest::{Batch, Error, RowFailure};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::{Arc, Mutex, PoisonError};

/// Reads the answer to one request.
pub(super) struct Reader<'r> {
    /// Whether the answer is of the endpoint for batches.
    pub(super) batch: bool,
    /// How many rows the answer has to have.
    pub(super) rows: usize,
    /// The last answer, which is replaced where this one has other features.
    pub(super) last: &'r Mutex<Option<Arc<Known>>>,
}

impl Reader<'_> {
    /// Reads an answer of any features, at first as a whole.
    ///
    /// # Errors
    /// It cannot be used, or every row fails for one reason.
    pub(super) fn read<'a>(&self, text: &'a str) -> Result<Parsed<'a>, Error> {
        self.in_one(text).or_else(|error| self.value_by_value(text, false).unwrap_or(Err(error)))
    }

    fn in_one<'a>(&self, text: &'a str) -> Result<Parsed<'a>, Error> {
        let (rows, metadata) = self.parse::<CellRow<'a>>(text)?;
        if rows.len() != self.rows {
            let (rows, entities) = (count(rows.len(), "row"), count(self.rows, "entity"));
            // Retryable: a proxy between may have cut the answer short.
            return Err(broken(&format!("it has {rows} for {entities}")).retryable());
        }
        let none = "it has no metadata, though names and types were asked for";
        let metadata = metadata.ok_or_else(|| broken(none))?;
        let names = metadata.features.ok_or_else(|| broken(none))?.get();
        let partial = metadata.is_partial();
        let features = self.features(text, names, partial)?;
        let fields = columns(rows, &features)?;
        let texts = Some((names, metadata.slo_info));
        Ok(Parsed { features, fields, failures: Vec::new(), partial, texts })
    }

    /// Reads each value on its own, so that one that cannot be read fails its own row. In a
    /// `damaged` text, replacement characters stand for bytes that are not UTF-8. `None` where more
    /// is wrong than values.
    ///
    /// # Errors
    /// Every row fails for one reason.
    pub(super) fn value_by_value<'a>(
        &self,
        text: &'a str,
        damaged: bool,
    ) -> Option<Result<Parsed<'a>, Error>> {
        let (rows, metadata) = self.parse::<RawRow<'a>>(text).ok()?;
        let metadata = metadata.filter(|_| rows.len() == self.rows && !rows.is_empty())?;
        let names = metadata.features?.get();
        let partial = metadata.is_partial();
        let features = self.features(text, names, partial).ok()?;
        let mut failures = Vec::new();
        let rows = (0..).zip(rows).map(|(row, raw)| match cells(&raw, &features, damaged) {
            Ok(features) => CellRow { features },
            Err(error) => {
                failures.push(RowFailure { row, error });
                CellRow { features: vec![Cell::Null; features.len()] }
            }
        });
        let rows: Vec<CellRow<'a>> = rows.collect();
        let alike = |other: &RowFailure| other.error.message == failures[0].error.message;
        if failures.len() == rows.len() && failures.iter().all(alike) {
            return failures.into_iter().next().map(|failure| Err(failure.error));
        }
        let fields = match columns(rows, &features) {
            Ok(fields) => fields,
            Err(error) => return Some(Err(error)),
        };
        let texts = Some((names, metadata.slo_info));
        Some(Ok(Parsed { features, fields, failures, partial, texts }))
    }

    fn parse<'a, R: Deserialize<'a>>(
        &self,
        text: &'a str,
    ) -> Result<(Vec<R>, Option<Metadata<'a>>), Error> {
        let parsed = if self.batch {
            serde_json::from_str(text).map(|Several { result, metadata }| (result, metadata))
        } else {
            serde_json::from_str(text).map(|Single { result, metadata }| (vec![result], metadata))
        };
        parsed.map_err(|error| match error.is_data() {
            true => broken(&format!("it is not of the promised form: {error}")),
            false => broken(&format!("it is not JSON: {error}")).retryable(),
        })
    }

    /// Names and types of the features, in the order of their values.
    fn features(&self, text: &str, names: &str, partial: bool) -> Result<Arc<[Feature]>, Error> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last
            && *known.text == *names
        {
            return Ok(known.features.clone());
        }
        let features: Arc<[Feature]> = read_features(names)?.into();
        let template = Template::of(text, partial).map_err(|error| not_metadata(&error))?;
        *last = Some(Arc::new(Known { text: names.into(), features: features.clone(), template }));
        Ok(features)
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "R: Deserialize<'de>"))]
struct Single<'a, R> {
    result: R,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "R: Deserialize<'de>"))]
struct Several<'a, R> {
    result: Vec<R>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

/// A row.
#[derive(Deserialize)]
struct CellRow<'a> {
    #[serde(borrow, default)]
    features: Vec<Cell<'a>>,
}

/// A row whose values are still texts.
#[derive(Deserialize)]
struct RawRow<'a> {
    #[serde(borrow, default)]
    features: Vec<&'a RawValue>,
}

/// The values of a row, each of its feature's type.
///
/// # Errors
/// A value is not of its feature's type: names the feature.
fn cells<'a>(
    row: &RawRow<'a>,
    features: &[Feature],
    damaged: bool,
) -> Result<Vec<Cell<'a>>, Error> {
    if row.features.len() != features.len() {
        return Err(other_length(row.features.len(), features.len()));
    }
    let cell = |(raw, Feature { name, of }): (&&'a RawValue, &Feature)| {
        if damaged && raw.get().contains(char::REPLACEMENT_CHARACTER) {
            return Err(broken(&format!("feature `{name}` is not UTF-8")));
        }
        let cell: Cell<'a> = serde_json::from_str(raw.get()).map_err(|error| {
            let why = error.to_string();
            // The position would be the one within the value.
            let why = why.split(" at line ").next().unwrap_or_default();
            broken(&format!("feature `{name}` cannot be read: {why}"))
        })?;
        column(name, of, vec![cell.clone()])
            .map_err(|why| broken(&format!("feature `{name}` {why}")))?;
        Ok(cell)
    };
    row.features.iter().zip(features).map(cell).collect()
}

fn other_length(values: usize, features: usize) -> Error {
    let (values, of) = (count(values, "value"), count(features, "feature"));
    broken(&format!("a row has {values} for {of}"))
}

/// Turns rows of cells into columns.
fn columns(mut rows: Vec<CellRow<'_>>, features: &[Feature]) -> Result<Batch, Error> {
    if let Some(odd) = rows.iter().find(|row| row.features.len() != features.len()) {
        return Err(other_length(odd.features.len(), features.len()));
    }
    let mut columns = Vec::with_capacity(features.len());
    for (at, feature) in features.iter().enumerate() {
        let cells = rows.iter_mut().map(|row| std::mem::take(&mut row.features[at])).collect();
        let column = column(&feature.name, &feature.of, cells)
            .map_err(|why| broken(&format!("feature `{}` {why}", feature.name)))?;
        columns.push(column);
    }
    Ok(Batch { rows: rows.len() as u32, columns })
}
