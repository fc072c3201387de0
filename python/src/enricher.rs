//! The class `Enricher`.

use crate::arrow::{self, ArrowSchema, arrow_error};
use crate::engine::{Engine, Engines, Loading, Source};
use crate::enriched::{Enriched, Rows};
use crate::errors::{enrich_error, exception, guarded, load_error};
use crate::values::{self, Fault};
use arrow_array::{RecordBatch, RecordBatchOptions, UInt32Array};
use arrow_schema::Schema;
use beamlet::config::{Config, Document, FailurePolicy};
use beamlet::enrich::{Answers, EnrichError, OnConflict};
use beamlet::load::{Handler, LoadError, LoadOptions, Loaded};
use beamlet::plugin::{Diagnostic, Instance, PluginError};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::task::AbortOnDropHandle;

/// Enriches rows with the features of a store, through the handler that a configuration names.
///
/// It may be used by any number of threads at once, and by a child of the process: that gets an engine
/// of its own.
#[pyclass(frozen, weakref, subclass, module = "beamlet")]
pub(crate) struct Enricher {
    engines: Engines,
}

/// A finding of a check: severity (`ok`, `warning`, `problem`), JSON Pointer, message.
type Finding = (String, String, String);

#[pymethods]
impl Enricher {
    /// Reads a configuration, loads the handler that it names, and sets it up.
    #[new]
    #[pyo3(signature = (config, *, handler=None))]
    fn new(py: Python<'_>, config: &Bound<'_, PyAny>, handler: Option<&str>) -> PyResult<Self> {
        guarded(|| {
            let document = document(config)?;
            let handler = named(handler);
            let engines = Engines::new(Source { document, handler });
            let engine = engines.engine(py)?;
            for warning in &engine.warnings {
                let warnings = py.import("warnings")?;
                let class = py.import("beamlet.errors")?.getattr("ConfigWarning")?;
                warnings.call_method1("warn", (warning, class))?;
            }
            Ok(Enricher { engines })
        })
    }

    /// The features' schema; `None` where the store does not declare its features.
    #[getter]
    fn schema(&self, py: Python<'_>) -> PyResult<Option<ArrowSchema>> {
        let engine = self.engines.engine(py)?;
        Ok(engine.enricher.schema().map(|schema| ArrowSchema { schema: schema.clone() }))
    }

    /// The fields of a row that the handler reads, and whether each row needs them.
    #[getter]
    fn inputs(&self, py: Python<'_>) -> PyResult<Vec<(String, bool)>> {
        let engine = self.engines.engine(py)?;
        let inputs = engine.enricher.inputs().iter();
        Ok(inputs.map(|input| (input.name.clone(), input.required)).collect())
    }

    /// The features that come out: names, and types in the contract's words.
    #[getter]
    fn outputs(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        let engine = self.engines.engine(py)?;
        let outputs = engine.enricher.outputs().iter();
        Ok(outputs.map(|output| (output.name.clone(), output.data_type.clone())).collect())
    }

    /// What the handler has counted so far in this process.
    #[getter]
    fn counters(&self) -> BTreeMap<String, u64> {
        self.engines.known().map(|engine| engine.enricher.counters()).unwrap_or_default()
    }

    /// What the engine has counted so far in this process.
    #[getter]
    fn metrics(&self) -> BTreeMap<&'static str, u64> {
        let Some(engine) = self.engines.known() else { return BTreeMap::new() };
        let metrics = engine.enricher.metrics();
        BTreeMap::from([
            ("rows_asked", metrics.asked.get()),
            ("rows_retried", metrics.retried.get()),
            ("rows_coalesced", metrics.coalesced.get()),
            ("cache_hits", metrics.cache_hits.get()),
            ("cache_misses", metrics.cache_misses.get()),
            ("cache_stale", metrics.cache_stale.get()),
            ("cache_errors", metrics.cache_errors.get()),
            ("instances", metrics.instances.get()),
            ("instances_lost", metrics.instances_lost.get()),
            ("requests", engine.setup.egress.requests()),
        ])
    }

    /// Asks the store whether the configuration fits it.
    fn check(&self, py: Python<'_>) -> PyResult<Vec<Finding>> {
        let engine = self.engines.engine(py)?;
        let (plugin, setup) = (engine.plugin.clone(), engine.setup.clone());
        let report = engine.wait(py, async move {
            let mut instance = Instance::set_up(&plugin, &setup).await?;
            instance.check().await
        })?;
        let report = report.map_err(|error| match error {
            PluginError::Refused(error) => {
                let message = format!("the store cannot tell now: {error}");
                let kind = error.kind.name().to_owned();
                exception(py, "StoreError", (message, kind, error.retryable))
            }
            error => load_error(py, &error.into()),
        })?;
        let findings = report.findings.into_iter();
        let finding = |it: Diagnostic| (it.severity.to_string(), it.path, it.message);
        Ok(findings.map(finding).collect())
    }

    /// Enriches rows: whatever offers Arrow's `__arrow_c_array__` or `__arrow_c_stream__`, or a list of
    /// dicts.
    fn enrich(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Enriched> {
        guarded(|| {
            let engine = self.engines.engine(py)?;
            if arrow::is_arrow(rows)? {
                let batch = arrow::of_python(rows)?;
                let answers = engine.wait(py, engine.enricher.enrich(&batch))?;
                let answers = answers.map_err(|error| enrich_error(py, &error))?;
                let on_conflict = engine.output.on_conflict.clone();
                return Ok(Enriched::new(answers, Rows::Arrow(batch), on_conflict));
            }
            let dicts = rows.cast::<PyList>().map_err(|_| {
                let kind = kind_of(rows);
                PyTypeError::new_err(format!(
                    "rows are Arrow data (a table, a record batch, a data frame) or a list of dicts, not {kind}"
                ))
            })?;
            let mut columns = Vec::new();
            for input in engine.enricher.inputs() {
                let name = PyString::new(py, &input.name);
                let values = PyList::empty(py);
                for (at, row) in dicts.iter().enumerate() {
                    let row = row.cast::<PyDict>().map_err(|_| {
                        let kind = kind_of(&row);
                        PyTypeError::new_err(format!("row {at} is {kind}, not a dict"))
                    })?;
                    match row.get_item(&name)? {
                        Some(value) => values.append(value)?,
                        None if input.required => {
                            let message = format!(
                                "row {at} has no field `{name}`, which the handler needs of each; add it, or change the configuration"
                            );
                            return Err(exception(py, "FieldError", (message, input.name.clone())));
                        }
                        None => values.append(py.None())?,
                    }
                }
                columns.push((input.name.clone(), values));
            }
            let rows = Rows::Dicts(dicts.clone().unbind());
            let (batch, faults) = batch_of(columns, dicts.len())?;
            let answers = engine.wait(py, engine.enricher.enrich(&batch))?;
            let answers = answers.map_err(|error| enrich_error(py, &error))?;
            let on_conflict = engine.output.on_conflict.clone();
            Ok(Enriched::new(answers, rows, on_conflict).with_faults(dicts.len(), faults))
        })
    }

    /// Starts to enrich rows of which the columns that the handler reads are given as lists of Python
    /// values, and does not wait.
    fn _start(
        &self,
        py: Python<'_>,
        columns: Vec<(String, Bound<'_, PyList>)>,
        rows: usize,
    ) -> PyResult<Pending> {
        guarded(|| {
            let engine = self.engines.engine(py)?;
            let (batch, faults) = batch_of(columns, rows)?;
            let task = Mutex::new(Some(engine.start(batch)));
            Ok(Pending { engine, process: std::process::id(), task, rows, faults })
        })
    }

    /// Ends the engine in good order. It is set up anew where it is used again.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(engine) = self.engines.take() {
            engine.wait(py, engine.enricher.tear_down())?;
            py.detach(|| drop(engine));
        }
        Ok(())
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }
}

/// Rows that are being enriched. Forgotten, they are given up.
#[pyclass(frozen, module = "beamlet")]
pub(crate) struct Pending {
    engine: Arc<Engine>,
    process: u32,
    task: Mutex<Option<AbortOnDropHandle<Result<Answers, EnrichError>>>>,
    rows: usize,
    faults: BTreeMap<usize, String>,
}

#[pymethods]
impl Pending {
    /// Whether `wait` would give its result at once.
    fn done(&self) -> bool {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        task.as_ref().is_none_or(|task| task.is_finished())
    }

    /// Waits for what became of the rows. It can be had once.
    fn wait(&self, py: Python<'_>) -> PyResult<Enriched> {
        guarded(|| {
            let gone = "the rows were enriched in another process, or their result was taken";
            let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
            let task = match task {
                Some(task) if self.process == std::process::id() => task,
                Some(task) => {
                    std::mem::forget(task);
                    return Err(exception(py, "EnrichError", (gone,)));
                }
                None => return Err(exception(py, "EnrichError", (gone,))),
            };
            let answers = match self.engine.wait(py, task)? {
                Ok(answers) => answers.map_err(|error| enrich_error(py, &error))?,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return Err(exception(py, "EnrichError", (gone,))),
                },
            };
            let on_conflict = self.engine.output.on_conflict.clone();
            let enriched = Enriched::new(answers, Rows::None, on_conflict);
            Ok(enriched.with_faults(self.rows, self.faults.clone()))
        })
    }
}

/// In a child of the process there is nothing to give up.
impl Drop for Pending {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(task.take());
            std::mem::forget(self.engine.clone());
        }
    }
}

/// The columns of Python values as a batch of the rows without a fault, and the faults.
fn batch_of(
    columns: Vec<(String, Bound<'_, PyList>)>,
    count: usize,
) -> PyResult<(RecordBatch, BTreeMap<usize, String>)> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    let mut faults: BTreeMap<usize, String> = BTreeMap::new();
    for (name, values) in columns {
        let column = values::of_python(&name, &values);
        for Fault { row, problem } in column.faults {
            faults.entry(row).or_insert_with(|| format!("field `{name}` is {problem}"));
        }
        fields.push(column.field);
        arrays.push(column.array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new_with_options(schema, arrays, &options).map_err(arrow_error)?;
    if faults.is_empty() {
        return Ok((batch, faults));
    }
    let sound = (0..count as u32).filter(|row| !faults.contains_key(&(*row as usize)));
    let sound = UInt32Array::from_iter_values(sound);
    let batch = arrow_select::take::take_record_batch(&batch, &sound).map_err(arrow_error)?;
    Ok((batch, faults))
}

/// A configuration as it was read: `{"document": …, "directory": …}`, the first as JSON.
#[pyfunction(name = "_document")]
pub(crate) fn read_document<'py>(
    py: Python<'py>,
    config: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    guarded(|| {
        let document = document(config)?;
        let read = PyDict::new(py);
        read.set_item("document", document.value().to_string())?;
        read.set_item("directory", document.directory())?;
        Ok(read)
    })
}

/// What a configuration says, without a store: `{"document": …, "directory": …, "warnings": […],
/// "literal_secrets": […], "on_failure": …, …}`.
///
/// The document is JSON; `literal_secrets` are the JSON Pointers of secrets that stand in it as they
/// are, and do not say where to find one.
#[pyfunction(name = "_inspect")]
#[pyo3(signature = (config, *, handler=None))]
pub(crate) fn inspect<'py>(
    py: Python<'py>,
    config: &Bound<'py, PyAny>,
    handler: Option<&str>,
) -> PyResult<Bound<'py, PyDict>> {
    guarded(|| {
        let document = document(config)?;
        let inspected = py.detach(|| Inspected::new(&document, handler));
        let Inspected { config, warnings, literal_secrets } =
            inspected.map_err(|error| load_error(py, &error))?;
        let (on_conflict, suffix) = match &config.output.on_conflict {
            OnConflict::Left => ("left", None),
            OnConflict::Right => ("right", None),
            OnConflict::Error => ("error", None),
            OnConflict::Suffix(suffix) => ("suffix", Some(suffix.as_str())),
        };
        let on_failure = match config.run.on_failure {
            FailurePolicy::Fail => "fail",
            FailurePolicy::Keep => "keep",
            FailurePolicy::DeadLetter => "dead-letter",
        };
        let inspected = PyDict::new(py);
        inspected.set_item("document", document.value().to_string())?;
        inspected.set_item("directory", document.directory())?;
        inspected.set_item("warnings", warnings)?;
        inspected.set_item("literal_secrets", literal_secrets)?;
        inspected.set_item("on_failure", on_failure)?;
        inspected.set_item("on_conflict", on_conflict)?;
        inspected.set_item("suffix", suffix)?;
        inspected.set_item("bundle_size", config.run.bundle_size)?;
        inspected.set_item("in_flight", config.run.enrich.in_flight)?;
        let wait = config.run.max_bundle_wait.as_millis() as u64;
        inspected.set_item("max_bundle_wait_ms", wait)?;
        Ok(inspected)
    })
}

struct Inspected {
    config: Config,
    warnings: Vec<String>,
    literal_secrets: Vec<String>,
}

impl Inspected {
    fn new(document: &Document, handler: Option<&str>) -> Result<Self, LoadError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| LoadError::SetUp(error.into()))?;
        runtime.block_on(async {
            let _loading = Loading::begin();
            let options = LoadOptions::default();
            let loaded = Loaded::of(document, named(handler).as_ref(), &options).await?;
            let configured = loaded.configure(document).await?;
            let warnings = configured.warnings().to_vec();
            let schema = &loaded.description.config_schema;
            let literal_secrets = Config::literal_secrets(document, schema);
            Ok(Inspected { config: configured.valid()?, warnings, literal_secrets })
        })
    }
}

fn named(handler: Option<&str>) -> Option<Handler> {
    handler.map(|handler| {
        let Ok(handler) = handler.parse::<Handler>();
        handler
    })
}

/// Of a dict, a path, or a text in TOML or JSON. A text of one line that ends in `.toml` or `.json` is a
/// path.
fn document(config: &Bound<'_, PyAny>) -> PyResult<Document> {
    let py = config.py();
    let read = |path: &Path| Document::read(path);
    let document = if config.is_instance_of::<PyDict>() {
        let options = PyDict::new(py);
        options.set_item("allow_nan", false)?;
        let text = py.import("json")?.getattr("dumps")?.call((config,), Some(&options))?;
        let text = text.cast::<PyString>()?.to_cow()?.into_owned();
        let value = serde_json::from_str(&text)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        return Ok(Document::of_value(value));
    } else if let Ok(text) = config.cast::<PyString>() {
        let text = text.to_cow()?;
        let is_path = !text.contains('\n')
            && !text.trim_start().starts_with('{')
            && [".toml", ".json"].iter().any(|it| text.to_ascii_lowercase().ends_with(it));
        if is_path { read(Path::new(&*text)) } else { Document::of_text(&text) }
    } else if config.hasattr("__fspath__")? {
        read(&config.extract::<PathBuf>()?)
    } else {
        let kind = kind_of(config);
        return Err(PyTypeError::new_err(format!(
            "a configuration is a dict, the path of a .toml or .json file, or a text, not {kind}"
        )));
    };
    document.map_err(|error| load_error(py, &error.into()))
}

fn kind_of(value: &Bound<'_, PyAny>) -> String {
    value.get_type().qualname().map_or_else(|_| "another object".to_owned(), |it| it.to_string())
}
