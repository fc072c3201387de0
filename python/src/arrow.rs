//! Arrow's PyCapsule interface: what offers it comes in, whatever library made it, and what goes out
//! offers it.
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>

use crate::errors::guarded;
use crate::values::to_python;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type, to_ffi};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{Array, RecordBatch, RecordBatchIterator, RecordBatchOptions, StructArray};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyTuple};
use std::ffi::CStr;
use std::sync::Arc;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// Rows and columns of Arrow: offers `__arrow_c_array__`, `__arrow_c_stream__` and
/// `__arrow_c_schema__`, for pyarrow, polars, DuckDB and others.
#[pyclass(frozen, module = "beamlet")]
pub(crate) struct ArrowBatch {
    pub(crate) batch: RecordBatch,
}

/// The names and types of columns: offers `__arrow_c_schema__`.
#[pyclass(frozen, module = "beamlet")]
pub(crate) struct ArrowSchema {
    pub(crate) schema: SchemaRef,
}

#[pymethods]
impl ArrowBatch {
    #[getter]
    fn schema(&self) -> ArrowSchema {
        ArrowSchema { schema: self.batch.schema() }
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.batch.num_rows()
    }

    #[getter]
    fn column_names(&self) -> Vec<String> {
        names(self.batch.schema_ref())
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    fn __repr__(&self) -> String {
        format!(
            "<ArrowBatch of {} rows: {}>",
            self.batch.num_rows(),
            described(self.batch.schema_ref())
        )
    }

    /// A column's values as Python's: a list.
    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        guarded(|| {
            let (at, field) = self.batch.schema_ref().column_with_name(name).ok_or_else(|| {
                let known = names(self.batch.schema_ref()).join(", ");
                PyValueError::new_err(format!("there is no column `{name}`; there are {known}"))
            })?;
            to_python(py, field, self.batch.column(at))
        })
    }

    /// The rows, each a dict.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        guarded(|| rows(py, &self.batch))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        // The request is for the best that can be done: the columns are as they are.
        let _ = requested_schema;
        guarded(|| array_capsules(py, &self.batch))
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        guarded(|| stream_capsule(py, &self.batch))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        guarded(|| schema_capsule(py, self.batch.schema_ref()))
    }
}

#[pymethods]
impl ArrowSchema {
    #[getter]
    fn names(&self) -> Vec<String> {
        names(&self.schema)
    }

    fn __len__(&self) -> usize {
        self.schema.fields().len()
    }

    fn __repr__(&self) -> String {
        format!("<ArrowSchema: {}>", described(&self.schema))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        guarded(|| schema_capsule(py, &self.schema))
    }
}

fn names(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

fn described(schema: &Schema) -> String {
    let fields = schema.fields().iter();
    let described =
        fields.map(|it| format!("{}: {}", it.name(), beamlet_contract::arrow::type_name(it)));
    described.collect::<Vec<_>>().join(", ")
}

/// The rows of a batch, each a dict.
pub(crate) fn rows<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyList>> {
    let dicts: Vec<Bound<'py, PyDict>> = (0..batch.num_rows()).map(|_| PyDict::new(py)).collect();
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let name = pyo3::types::PyString::new(py, field.name());
        for (dict, value) in dicts.iter().zip(to_python(py, field, column)?) {
            dict.set_item(&name, value)?;
        }
    }
    PyList::new(py, dicts)
}

/// The capsules of `__arrow_c_array__`: a schema and a struct array.
pub(crate) fn array_capsules<'py>(
    py: Python<'py>,
    batch: &RecordBatch,
) -> PyResult<Bound<'py, PyTuple>> {
    let array = StructArray::from(batch.clone());
    let (array, _) = to_ffi(&array.to_data()).map_err(arrow_error)?;
    let array = PyCapsule::new_with_value(py, array, ARRAY)?;
    PyTuple::new(py, [schema_capsule(py, batch.schema_ref())?, array])
}

pub(crate) fn stream_capsule<'py>(
    py: Python<'py>,
    batch: &RecordBatch,
) -> PyResult<Bound<'py, PyCapsule>> {
    let batches: [Result<RecordBatch, ArrowError>; 1] = [Ok(batch.clone())];
    let batches = RecordBatchIterator::new(batches, batch.schema());
    let stream = FFI_ArrowArrayStream::new(Box::new(batches));
    PyCapsule::new_with_value(py, stream, STREAM)
}

pub(crate) fn schema_capsule<'py>(
    py: Python<'py>,
    schema: &Schema,
) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema).map_err(arrow_error)?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// Whether an object offers Arrow's interface.
pub(crate) fn is_arrow(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(object.hasattr("__arrow_c_array__")? || object.hasattr("__arrow_c_stream__")?)
}

/// The rows of an object that offers `__arrow_c_array__` or `__arrow_c_stream__`, as one batch.
pub(crate) fn of_python(object: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    if object.hasattr("__arrow_c_array__")? {
        let capsules = object.call_method0("__arrow_c_array__")?;
        let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) = capsules.extract()?;
        return of_array(&schema, &array);
    }
    of_stream(&object.call_method0("__arrow_c_stream__")?)
}

fn of_array(schema: &Bound<'_, PyAny>, array: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let schema = capsule(schema, SCHEMA)?.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = capsule(array, ARRAY)?.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: the names say what the capsules hold. A structure that is moved out of a capsule is
    // replaced by an empty one, whose release does nothing.
    let (schema, array) = unsafe {
        let schema = FFI_ArrowSchema::from_raw(schema.as_ptr());
        (schema, FFI_ArrowArray::from_raw(array.as_ptr()))
    };
    let of = Schema::try_from(&schema).map_err(|_| not_rows())?;
    let data_type = DataType::Struct(of.fields().clone());
    // SAFETY: who gave the capsules promises that array and schema belong together.
    let data = unsafe { from_ffi_and_data_type(array, data_type) }.map_err(arrow_error)?;
    let rows = StructArray::from(data);
    if rows.null_count() > 0 {
        return Err(PyValueError::new_err("a row is null as a whole; give rows with null fields"));
    }
    let (_, columns, _) = rows.into_parts();
    let length = columns.first().map_or(0, |column| column.len());
    let options = RecordBatchOptions::new().with_row_count(Some(length));
    RecordBatch::try_new_with_options(Arc::new(of), columns, &options).map_err(arrow_error)
}

fn of_stream(stream: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let stream =
        capsule(stream, STREAM)?.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: the name says what the capsule holds; it is replaced by an empty one.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.as_ptr()) };
    let reader = RecordBatchStreamReader::try_new(stream).map_err(|_| not_rows())?;
    let schema = arrow_array::RecordBatchReader::schema(&reader);
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(arrow_error)?;
    match batches.len() {
        1 => Ok(batches.into_iter().next().unwrap_or_else(|| RecordBatch::new_empty(schema))),
        _ => arrow_select::concat::concat_batches(&schema, &batches).map_err(arrow_error),
    }
}

fn capsule<'a, 'py>(
    object: &'a Bound<'py, PyAny>,
    name: &CStr,
) -> PyResult<&'a Bound<'py, PyCapsule>> {
    object.cast::<PyCapsule>().map_err(|_| {
        let name = name.to_string_lossy();
        PyTypeError::new_err(format!("a capsule `{name}` was expected of Arrow's interface"))
    })
}

fn not_rows() -> PyErr {
    PyTypeError::new_err("the Arrow data is one column, not rows: give a table or a record batch")
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(crate) fn arrow_error(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}
