//! What can go wrong between a file and its rows. Every message names the place and what to do.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Origin, ValueType};

/// A fault of the input, the output, or the feature columns.
///
/// A message names fields and types, never a value: rows hold personal data, and messages end in
/// logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// A path's extension names no format.
    #[error("{}: unknown format; name it with --input-format or --output-format (ndjson or csv), or end the name in .ndjson, .jsonl or .csv", path.display())]
    UnknownExtension {
        /// The path as it was given.
        path: PathBuf,
    },
    /// A name stands for no format.
    #[error("unknown format {name:?}; use ndjson or csv")]
    UnknownFormat {
        /// The name as it was given.
        name: String,
    },
    /// A name stands for no type.
    #[error("unknown type {name:?}; use string, int64, float64 or boolean")]
    UnknownType {
        /// The name as it was given.
        name: String,
    },

    /// The input cannot be opened.
    #[error("{name}: cannot be opened: {cause}; check the path and its permissions")]
    Open {
        /// The input's name.
        name: Arc<str>,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// The input cannot be read on.
    #[error("{origin}: cannot be read: {cause}")]
    Read {
        /// The first line that was not read.
        origin: Origin,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// A row is longer than the limit.
    #[error("{origin}: row is longer than {limit} bytes; {hint}")]
    TooLong {
        /// Where the row begins.
        origin: Origin,
        /// The limit in bytes.
        limit: usize,
        /// What is likely to be wrong.
        hint: &'static str,
    },
    /// A row holds bytes that are no UTF-8.
    #[error("{origin}: row is not UTF-8; convert the file, for example with iconv -t UTF-8")]
    NotUtf8 {
        /// Where the row begins.
        origin: Origin,
    },

    /// A line of NDJSON is no JSON object.
    #[error(
        "{origin}:{column}: row is no JSON object: {problem}; write one JSON object on each line"
    )]
    NotAnObject {
        /// The line.
        origin: Origin,
        /// The column in bytes, from 1.
        column: usize,
        /// What the parser met.
        problem: String,
    },
    /// A CSV file has no header.
    #[error("{name}: has no header; the first row must name the columns")]
    NoHeader {
        /// The input's name.
        name: Arc<str>,
    },
    /// A CSV header names a column twice.
    #[error(
        "{origin}: field {field:?} is twice in the header, as columns {first} and {second}; rename one"
    )]
    HeaderTwice {
        /// The header's line.
        origin: Origin,
        /// The column's name.
        field: String,
        /// Its first position, from 1.
        first: usize,
        /// Its second position, from 1.
        second: usize,
    },
    /// A CSV row has fewer fields than the header.
    #[error(
        "{origin}: row has too few fields: expected {expected}, got {got}; the first missing field is {missing:?}"
    )]
    TooFewFields {
        /// Where the row begins.
        origin: Origin,
        /// Fields in the header.
        expected: usize,
        /// Fields in the row.
        got: usize,
        /// The name of the first column without a field.
        missing: String,
    },
    /// A CSV row has more fields than the header.
    #[error(
        "{origin}: row has too many fields: expected {expected}, got {got}; the last named field is {last:?}; quote a field that holds a comma"
    )]
    TooManyFields {
        /// Where the row begins.
        origin: Origin,
        /// Fields in the header.
        expected: usize,
        /// Fields in the row.
        got: usize,
        /// The name of the last column.
        last: String,
    },
    /// A type is stated for a column that the header does not have.
    #[error(
        "{origin}: field {field:?} has a stated type and is not in the header; take the type away or mend the name"
    )]
    TypeWithoutColumn {
        /// The header's line.
        origin: Origin,
        /// The name without a column.
        field: String,
    },

    /// A required field is not in a row.
    #[error(
        "{origin}: field {field:?} is missing, and the handler requires it; add it to the row (null is allowed)"
    )]
    FieldMissing {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
    },
    /// A required field is not in a CSV header.
    #[error(
        "{origin}: field {field:?} is not in the header, and the handler requires it; add or rename a column"
    )]
    ColumnMissing {
        /// The header's line.
        origin: Origin,
        /// The field's name.
        field: String,
    },
    /// A value does not have the stated type, or the one that the first rows had.
    #[error(
        "{origin}: field {field:?} is {found}, expected {expected} ({reason}); mend the value, or {advice}"
    )]
    FieldType {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
        /// The type that the field should have.
        expected: ValueType,
        /// What the value is.
        found: &'static str,
        /// Who says which type the field should have.
        reason: &'static str,
        /// What else the user can do.
        advice: String,
    },
    /// A wanted string holds an escape that stands for no character.
    #[error(
        "{origin}: field {field:?} is a string with an escape that is no character: {problem}; mend the value"
    )]
    FieldEscape {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
        /// What the parser met.
        problem: String,
    },
    /// A field is projected twice.
    #[error("field {field:?} is projected twice; name each field once")]
    ProjectedTwice {
        /// The field's name.
        field: String,
    },

    /// The output's directory does not exist.
    #[error("{}: directory {} does not exist; create it first", path.display(), directory.display())]
    NoDirectory {
        /// The output's path.
        path: PathBuf,
        /// The directory that is missing.
        directory: PathBuf,
    },
    /// The output cannot be created.
    #[error("{name}: cannot be created: {cause}; check the path and its permissions")]
    Create {
        /// The output's name.
        name: Arc<str>,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// The output cannot be written on.
    #[error("{name}: cannot be written: {cause}")]
    Write {
        /// The output's name.
        name: Arc<str>,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// A row has a field that the CSV file's header does not have.
    #[error(
        "{origin}: field {field:?} is not in the header, which the first rows gave; CSV cannot add a column later, write NDJSON instead"
    )]
    NoColumn {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
    },
    /// Rows of another shape than the first ones reach one CSV file.
    #[error(
        "{origin}: row has other columns than the header, which the first rows gave; write it to a file of its own, or write NDJSON instead"
    )]
    OtherColumns {
        /// The first such row.
        origin: Origin,
    },

    /// There are more or fewer features than rows.
    #[error(
        "{origin}: {rows} rows from here on got {features} rows of features; give one row of features for each row"
    )]
    FeatureRows {
        /// The first row.
        origin: Origin,
        /// How many rows.
        rows: usize,
        /// How many rows of features.
        features: usize,
    },
    /// A batch has two feature columns of one name.
    #[error("{origin}: feature {field:?} is twice in one batch; name each feature once")]
    FeatureTwice {
        /// The first row of the batch.
        origin: Origin,
        /// The feature's name.
        field: String,
    },
    /// The feature columns are others than those of the batches before.
    #[error(
        "{origin}: feature columns changed from [{was}] to [{now}]; give every batch the same columns in the same order"
    )]
    FeatureColumns {
        /// The first row of the batch.
        origin: Origin,
        /// The names before.
        was: String,
        /// The names now.
        now: String,
    },
    /// A feature column has another type than in the batches before.
    #[error(
        "{origin}: feature {field:?} changed its type from {was} to {now}; give every batch the same types"
    )]
    FeatureType {
        /// The first row of the batch.
        origin: Origin,
        /// The feature's name.
        field: String,
        /// The type before.
        was: String,
        /// The type now.
        now: String,
    },
    /// A feature column has a type that no format here can hold.
    #[error(
        "{origin}: feature {field:?} has the type {found}, which cannot be written; give it as a string, or a nested one as JSON text (arrow.json)"
    )]
    FeatureUnsupported {
        /// The first row of the batch.
        origin: Origin,
        /// The feature's name.
        field: String,
        /// The type.
        found: String,
    },
    /// A feature's value cannot be written.
    #[error("{origin}: feature {field:?} cannot be written: {problem}")]
    FeatureValue {
        /// The row.
        origin: Origin,
        /// The feature's name.
        field: String,
        /// What is wrong with the value.
        problem: String,
    },
    /// Arrow does not take the columns.
    #[error("columns do not make a batch: {cause}")]
    Arrow {
        /// Arrow's answer.
        #[from]
        cause: arrow_schema::ArrowError,
    },
}
