//! Rust's errors as the exceptions of `beamlet.errors`.

use beamlet::enrich::{EnrichError, FeaturesError, JoinError};
use beamlet::load::{Invalid, LoadError};
use beamlet::plugin::{PluginError, Problem};
use pyo3::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An exception of `beamlet.errors`.
pub(crate) fn exception<'py, A>(py: Python<'py>, class: &str, arguments: A) -> PyErr
where
    A: pyo3::call::PyCallArgs<'py>,
{
    let made = py
        .import("beamlet.errors")
        .and_then(|module| module.getattr(class))
        .and_then(|class| class.call1(arguments));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// A configuration with problems: a message, and for each problem its pointer, its message and the
/// whole line.
fn config_error(py: Python<'_>, message: String, problems: Vec<[String; 3]>) -> PyErr {
    let problems: Vec<(String, String, String)> =
        problems.into_iter().map(|[path, message, line]| (path, message, line)).collect();
    exception(py, "ConfigError", (message, problems))
}

fn invalid(py: Python<'_>, invalid: &Invalid) -> PyErr {
    let problems = invalid.problems().zip(invalid.lines());
    let problems = problems
        .map(|(problem, line)| [problem.path.clone(), problem.message.clone(), line.to_owned()]);
    config_error(py, invalid.to_string(), problems.collect())
}

fn of_handler(py: Python<'_>, message: String, problems: &[Problem]) -> PyErr {
    let problems = problems
        .iter()
        .map(|problem| [problem.path.clone(), problem.message.clone(), problem.to_string()]);
    config_error(py, message, problems.collect())
}

/// What kept an engine from being set up.
pub(crate) fn load_error(py: Python<'_>, error: &LoadError) -> PyErr {
    let message = error.to_string();
    match error {
        LoadError::Invalid(problems) => invalid(py, problems),
        LoadError::Plugin(PluginError::Config(problems))
        | LoadError::SetUp(EnrichError::Plugin(PluginError::Config(problems))) => {
            of_handler(py, message, problems)
        }
        LoadError::SetUp(EnrichError::Plugin(PluginError::Refused(error))) => {
            let retryable = error.retryable;
            exception(py, "StoreError", (message, error.kind.name().to_owned(), retryable))
        }
        _ if error.is_usage() => config_error(py, message, Vec::new()),
        _ => exception(py, "SetupError", (message,)),
    }
}

/// What ended a call for all of its rows.
pub(crate) fn enrich_error(py: Python<'_>, error: &EnrichError) -> PyErr {
    let message = error.to_string();
    match error {
        EnrichError::FieldMissing { field } => {
            exception(py, "FieldError", (message, field.clone()))
        }
        EnrichError::FieldType { field, .. } => {
            exception(py, "FieldError", (message, field.clone()))
        }
        EnrichError::Plugin(PluginError::Refused(error)) => {
            let retryable = error.retryable;
            exception(py, "StoreError", (message, error.kind.name().to_owned(), retryable))
        }
        _ => exception(py, "EnrichError", (message,)),
    }
}

pub(crate) fn features_error(py: Python<'_>, error: &FeaturesError) -> PyErr {
    exception(py, "EnrichError", (error.to_string(),))
}

pub(crate) fn join_error(py: Python<'_>, error: &JoinError) -> PyErr {
    let message = error.to_string();
    match error {
        JoinError::Conflict { field }
        | JoinError::SuffixTaken { field, .. }
        | JoinError::Types { field, .. } => exception(py, "FieldError", (message, field.clone())),
        _ => exception(py, "EnrichError", (message,)),
    }
}

/// Runs what must not panic into Python: a panic is an `InternalError`.
pub(crate) fn guarded<T>(run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(internal(panic)))
}

#[expect(clippy::needless_pass_by_value, reason = "a panic's payload is owned")]
fn internal(panic: Box<dyn Any + Send>) -> PyErr {
    let details = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown")
        .to_owned();
    Python::attach(|py| {
        let message = "an error inside Beamlet's engine; please report it with its details";
        exception(py, "InternalError", (message, details))
    })
}
