//! The engine for Python: the module `beamlet._engine` of the wheel `beamlet`.
//!
//! | module | its part |
//! |---|---|
//! | [`arrow`] | batches in and out, by Arrow's PyCapsule interface |
//! | [`values`] | Python values as columns, and columns as Python values |
//! | [`engine`] | one engine for each process: a fork gets its own |
//! | [`enricher`] | the class `Enricher` |
//! | [`enriched`] | the class `Enriched`: what a call to it gives |
//! | [`errors`] | Rust's errors as exceptions of `beamlet` |

mod arrow;
mod engine;
mod enriched;
mod enricher;
mod errors;
mod values;

use pyo3::prelude::*;

/// The module that Python imports.
#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<arrow::ArrowBatch>()?;
    module.add_class::<arrow::ArrowSchema>()?;
    module.add_class::<enricher::Enricher>()?;
    module.add_class::<enriched::Enriched>()?;
    module.add_class::<enricher::Pending>()?;
    module.add_function(wrap_pyfunction!(enricher::inspect, module)?)?;
    module.add_function(wrap_pyfunction!(enricher::read_document, module)?)?;
    module.add_function(wrap_pyfunction!(engine::before_fork, module)?)?;
    module.add_function(wrap_pyfunction!(engine::after_fork_in_parent, module)?)?;
    module.add_function(wrap_pyfunction!(engine::after_fork_in_child, module)?)
}
