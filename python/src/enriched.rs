//! The class `Enriched`: what became of rows, and their features.

use crate::arrow::{self, ArrowBatch, arrow_error};
use crate::errors::{features_error, guarded, join_error};
use crate::values::raw;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array};
use beamlet::enrich::{Answers, OnConflict, Outcome};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList, PyString, PyTuple};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The kind of error of a value that has no place in a column.
const INVALID_INPUT: &str = "invalid-input";

/// The rows that were given.
pub(crate) enum Rows {
    Arrow(RecordBatch),
    Dicts(Py<PyList>),
    /// They stay with who asks.
    None,
}

/// Rows that were enriched: an outcome for each, in order, and the features. Offers the rows with their
/// features by Arrow's interface.
#[pyclass(frozen, module = "beamlet")]
pub(crate) struct Enriched {
    answers: Answers,
    rows: Rows,
    on_conflict: OnConflict,
    count: usize,
    /// Rows that were not asked for, and why.
    faults: BTreeMap<usize, String>,
}

/// What became of a row that failed: kind, message, whether it may succeed later, attempts.
type Failure = (String, String, bool, u32);

impl Enriched {
    pub(crate) fn new(answers: Answers, rows: Rows, on_conflict: OnConflict) -> Self {
        let count = answers.len();
        Enriched { answers, rows, on_conflict, count, faults: BTreeMap::new() }
    }

    /// Adds rows that were not asked for: there are `count` in all.
    pub(crate) fn with_faults(mut self, count: usize, faults: BTreeMap<usize, String>) -> Self {
        self.count = count;
        self.faults = faults;
        self
    }

    /// The answer of each row, none where it was not asked for.
    fn places(&self) -> impl Iterator<Item = Option<usize>> {
        let mut answers = 0..self.answers.len();
        (0..self.count).map(move |row| match self.faults.contains_key(&row) {
            true => None,
            false => answers.next(),
        })
    }

    fn feature_batch(&self, py: Python<'_>) -> PyResult<RecordBatch> {
        let features = self.answers.features().map_err(|error| features_error(py, &error))?;
        self.spread(&features)
    }

    /// A row for each that was given, null for those that were not asked for.
    fn spread(&self, batch: &RecordBatch) -> PyResult<RecordBatch> {
        if self.faults.is_empty() {
            return Ok(batch.clone());
        }
        let places: UInt32Array =
            self.places().map(|place| place.map(|place| place as u32)).collect();
        let columns = batch
            .columns()
            .iter()
            .map(|column| arrow_select::take::take(column, &places, None).map_err(arrow_error));
        let columns = columns.collect::<PyResult<Vec<_>>>()?;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(self.count));
        RecordBatch::try_new_with_options(batch.schema(), columns, &options).map_err(arrow_error)
    }

    fn outcome(&self, place: Option<usize>) -> &'static str {
        place.map_or("failed", |place| self.answers.outcome(place).name())
    }

    fn failure_at(&self, row: usize, place: Option<usize>) -> Option<Failure> {
        match place.map(|place| self.answers.outcome(place)) {
            None => {
                let message = self.faults.get(&row)?.clone();
                Some((INVALID_INPUT.to_owned(), message, false, 0))
            }
            Some(Outcome::Failed(failed)) => Some((
                failed.error.kind.name().to_owned(),
                failed.error.message.clone(),
                failed.error.retryable,
                failed.attempts,
            )),
            Some(_) => None,
        }
    }

    fn joined(&self, py: Python<'_>, on_conflict: &OnConflict) -> PyResult<RecordBatch> {
        match &self.rows {
            Rows::Arrow(batch) => {
                let joined = self.answers.join(batch, on_conflict);
                joined.map_err(|error| join_error(py, &error))
            }
            Rows::Dicts(_) | Rows::None => Err(PyTypeError::new_err(
                "dicts have no Arrow schema: take `to_pylist()` for the joined rows, or `features` for the features alone",
            )),
        }
    }
}

#[pymethods]
impl Enriched {
    fn __len__(&self) -> usize {
        self.count
    }

    fn __repr__(&self) -> String {
        let counts = self.counts();
        let counts: Vec<String> =
            counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        format!("<Enriched: {} rows: {}>", self.count, counts.join(", "))
    }

    /// How many rows have which outcome.
    #[getter]
    fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts =
            BTreeMap::from([("enriched", 0), ("missing", 0), ("null_key", 0), ("failed", 0)]);
        for place in self.places() {
            *counts.entry(self.outcome(place)).or_default() += 1;
        }
        counts
    }

    /// The features alone, a row each: null for what is missing or failed.
    #[getter]
    fn features(&self, py: Python<'_>) -> PyResult<ArrowBatch> {
        guarded(|| Ok(ArrowBatch { batch: self.feature_batch(py)? }))
    }

    /// What became of each row: the columns `outcome` (`enriched`, `missing`, `null_key`, `failed`),
    /// `kind`, `message`, `retryable` and `attempts`.
    #[getter]
    fn outcomes(&self) -> PyResult<ArrowBatch> {
        guarded(|| {
            if self.faults.is_empty() {
                return Ok(ArrowBatch { batch: self.answers.outcome_columns() });
            }
            let places: Vec<Option<usize>> = self.places().collect();
            let failures: Vec<Option<Failure>> =
                places.iter().enumerate().map(|(row, it)| self.failure_at(row, *it)).collect();
            let outcomes = places.iter().map(|place| Some(self.outcome(*place)));
            let of = |text: fn(&Failure) -> &str| -> ArrayRef {
                Arc::new(StringArray::from_iter(failures.iter().map(|it| it.as_ref().map(text))))
            };
            let retryable = failures.iter().map(|it| it.as_ref().map(|it| it.2));
            let attempts = failures.iter().map(|it| it.as_ref().map(|it| it.3));
            let columns: Vec<ArrayRef> = vec![
                Arc::new(StringArray::from_iter(outcomes)),
                of(|it| &it.0),
                of(|it| &it.1),
                Arc::new(BooleanArray::from_iter(retryable)),
                Arc::new(UInt32Array::from_iter(attempts)),
            ];
            let schema = self.answers.outcome_columns().schema();
            let batch = RecordBatch::try_new(schema, columns).map_err(arrow_error)?;
            Ok(ArrowBatch { batch })
        })
    }

    /// The rows with their features behind their own columns. `on_conflict` is `left`, `right`, `error`
    /// or `suffix`, as the configuration says where it is not given.
    #[pyo3(signature = (on_conflict=None, suffix=None))]
    fn join(
        &self,
        py: Python<'_>,
        on_conflict: Option<&str>,
        suffix: Option<String>,
    ) -> PyResult<ArrowBatch> {
        guarded(|| {
            let on_conflict = match (on_conflict, suffix) {
                (None, None) => self.on_conflict.clone(),
                (Some("left"), None) => OnConflict::Left,
                (Some("right"), None) => OnConflict::Right,
                (Some("error"), None) => OnConflict::Error,
                (None | Some("suffix"), Some(suffix)) if !suffix.is_empty() => {
                    OnConflict::Suffix(suffix)
                }
                _ => {
                    return Err(PyValueError::new_err(
                        "on_conflict is \"left\", \"right\", \"error\" or \"suffix\", the last with a suffix",
                    ));
                }
            };
            Ok(ArrowBatch { batch: self.joined(py, &on_conflict)? })
        })
    }

    /// The rows with their features, each a dict.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(|| {
            let Rows::Dicts(own) = &self.rows else {
                return arrow::rows(py, &self.joined(py, &self.on_conflict)?);
            };
            let features = self.feature_batch(py)?;
            let columns = features.schema_ref().fields().iter().zip(features.columns());
            let columns = columns.map(|(field, column)| {
                let name = PyString::new(py, field.name());
                Ok((name, crate::values::to_python(py, field, column)?))
            });
            let columns = columns.collect::<PyResult<Vec<_>>>()?;
            let rows = PyList::empty(py);
            for (at, row) in own.bind(py).iter().enumerate() {
                let row = row.cast::<PyDict>()?.copy()?;
                for (name, values) in &columns {
                    let value = values.get_item(at)?;
                    self.put(py, &row, name, value)?;
                }
                rows.append(row)?;
            }
            Ok(rows)
        })
    }

    /// One byte a row: 0 enriched, 1 missing, 2 null key, 3 failed.
    fn _codes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let codes = self.places().map(|place| match place.map(|it| self.answers.outcome(it)) {
            Some(Outcome::Enriched) => 0,
            Some(Outcome::Missing) => 1,
            Some(Outcome::NullKey) => 2,
            Some(Outcome::Failed(_)) | None => 3,
        });
        PyBytes::new(py, &codes.collect::<Vec<u8>>())
    }

    /// Why a row failed: kind, message, whether it may succeed later, attempts; else `None`.
    fn failure(&self, row: usize) -> PyResult<Option<Failure>> {
        let place = self.places().nth(row).ok_or_else(|| {
            PyValueError::new_err(format!("there is no row {row}; there are {}", self.count))
        })?;
        Ok(self.failure_at(row, place))
    }

    /// The features: name, type in the contract's words, and the values as a list: timestamps in
    /// microseconds, dates in days, JSON and decimals as text.
    fn _columns<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Vec<(String, String, Bound<'py, PyList>)>> {
        guarded(|| {
            let features = self.feature_batch(py)?;
            let columns = features.schema_ref().fields().iter().zip(features.columns());
            let columns = columns.map(|(field, column)| {
                let of = beamlet_contract::arrow::type_name(field);
                Ok((field.name().clone(), of, raw(py, column)?))
            });
            columns.collect()
        })
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema;
        guarded(|| arrow::array_capsules(py, &self.joined(py, &self.on_conflict)?))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        guarded(|| arrow::stream_capsule(py, &self.joined(py, &self.on_conflict)?))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        guarded(|| {
            let joined = self.joined(py, &self.on_conflict)?;
            arrow::schema_capsule(py, joined.schema_ref())
        })
    }
}

impl Enriched {
    /// Puts a feature into a row, as `on_conflict` says where the row has the name.
    fn put(
        &self,
        py: Python<'_>,
        row: &Bound<'_, PyDict>,
        name: &Bound<'_, PyString>,
        value: Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if !row.contains(name)? {
            return row.set_item(name, value);
        }
        let taken = |message: String| {
            Err(crate::errors::exception(py, "FieldError", (message, name.to_string())))
        };
        match &self.on_conflict {
            OnConflict::Left => Ok(()),
            OnConflict::Right => row.set_item(name, value),
            OnConflict::Error => taken(format!(
                "field `{name}` is in a row and among the features; choose left, right or a suffix"
            )),
            OnConflict::Suffix(suffix) => {
                let renamed = format!("{name}{suffix}");
                if row.contains(&renamed)? {
                    return taken(format!(
                        "field `{name}` is in a row and among the features, and so is `{renamed}`; choose another suffix"
                    ));
                }
                row.set_item(renamed, value)
            }
        }
    }
}
