//! The errors between a file and its rows. Every message names the place and what to do.

use beamlet_contract::join::Clash;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Delimiter, Format, FormatError, LikelyDelimiter, Origin, ValueType};

/// An error in the input, the output, or the feature columns.
///
/// Messages name fields and types, but never a value: rows hold personal data, and messages end up
/// in logs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// A format or a compression is not known, or the two do not go together.
    #[error(transparent)]
    Format(#[from] FormatError),

    /// No path is given.
    #[error("there is no input; name a file, a directory or a pattern")]
    NoInput,
    /// A pattern matches nothing.
    #[error("{}: no file matches; check the pattern, and quote it so that the shell does not expand it", pattern.display())]
    NoMatch {
        /// The pattern.
        pattern: PathBuf,
    },
    /// A pattern is not valid.
    #[error("{}: is not a valid pattern: {problem}; write [[] for a literal bracket", pattern.display())]
    BadPattern {
        /// The pattern.
        pattern: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// A directory contains no parts.
    #[error("{}: contains no file, apart from those that begin with . or _; check the path", path.display())]
    EmptyDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// A directory of parts contains another directory.
    #[error("{}: contains the directory {}; name the parts with a pattern, such as {}", path.display(), directory.display(), path.join("*/*").display())]
    NestedDirectory {
        /// The directory.
        path: PathBuf,
        /// The one in it.
        directory: PathBuf,
    },
    /// Two parts of one input have different formats.
    #[error("{} and {} have different formats; read them one after the other, or name one of them with a pattern", first.display(), second.display())]
    MixedFormats {
        /// The first part.
        first: PathBuf,
        /// The first part of another format.
        second: PathBuf,
    },
    /// Two parts of one input have different columns.
    #[error(
        "{second}: has different columns than {first}: {difference}; give all parts the same columns in the same order"
    )]
    OtherHeader {
        /// The first part.
        first: Arc<str>,
        /// The part that differs.
        second: Arc<str>,
        /// The first difference.
        difference: String,
    },
    /// A stream cannot be copied to a file, although its format requires random access.
    #[error(
        "{name}: cannot be copied to a temporary file, which its format requires: {cause}; give it as a file, or set TMPDIR to a directory with free space"
    )]
    Spool {
        /// The input's name.
        name: Arc<str>,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// The input cannot be opened.
    #[error("{name}: cannot be opened: {cause}; check the path and its permissions")]
    Open {
        /// The input's name.
        name: Arc<str>,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// Reading the input fails after it was opened.
    #[error("{origin}: cannot be read: {cause}")]
    Read {
        /// The first line that was not read.
        origin: Origin,
        /// The system's error.
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
        /// The likely cause.
        hint: &'static str,
    },
    /// A row that is to be set aside cannot be stored.
    #[error(
        "{origin}: row is too long for memory and cannot be copied to a temporary file: {cause}; set TMPDIR to a directory with free space"
    )]
    SetAside {
        /// Where the row begins.
        origin: Origin,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// A row contains bytes that are not UTF-8.
    #[error("{origin}: row is not UTF-8; convert the file, for example with iconv -t UTF-8")]
    NotUtf8 {
        /// Where the row begins.
        origin: Origin,
    },

    /// A line of NDJSON is not a JSON object.
    #[error(
        "{origin}:{column}: row is not a JSON object: {problem}; write one JSON object on each line"
    )]
    NotAnObject {
        /// The line.
        origin: Origin,
        /// The column in bytes, from 1.
        column: usize,
        /// The parser's message.
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
        "{origin}: field {field:?} appears twice in the header, as columns {first} and {second}; rename one"
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
    /// A quote in a CSV file opens a cell and is never closed.
    #[error(
        "{origin}:{column}: a quote opens here and is never closed; close it, or double each quote inside a cell"
    )]
    UnclosedQuote {
        /// The line on which the quote opens.
        origin: Origin,
        /// The column in bytes, from 1.
        column: usize,
    },
    /// Text follows the closing quote of a CSV cell.
    #[error(
        "{origin}:{column}: text follows a closing quote; {}",
        .looks.or("quote the whole cell, and double each quote inside it")
    )]
    TextAfterQuote {
        /// The line on which the text begins.
        origin: Origin,
        /// The column in bytes, from 1.
        column: usize,
        /// Another delimiter, if the text begins with one.
        looks: LikelyDelimiter,
    },
    /// Text follows the closing quote of a CSV cell of several lines, so the end of its row is not
    /// certain.
    #[error(
        "{origin}:{column}: text follows the quote that closes the cell from line {opened}; if that cell should end on its own line, close its quote there, otherwise double each quote inside it"
    )]
    TextAfterLongQuote {
        /// The line on which the text begins.
        origin: Origin,
        /// The column in bytes, from 1.
        column: usize,
        /// The line on which the cell begins.
        opened: u64,
    },
    /// A CSV row has fewer fields than the header.
    #[error(
        "{origin}: row has too few fields: expected {expected}, got {got}; {}",
        .looks.or(&format!("the first missing field is {missing:?}"))
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
        /// Another delimiter that the header seems to use.
        looks: LikelyDelimiter,
    },
    /// A CSV row has more fields than the header.
    #[error(
        "{origin}: row has too many fields: expected {expected}, got {got}; {}",
        .looks.or(&format!("the last named field is {last:?}; quote a field that holds {}", delimiter.article()))
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
        /// The file's delimiter.
        delimiter: Delimiter,
        /// Another delimiter that the header seems to use.
        looks: LikelyDelimiter,
    },
    /// A type is stated for a column that the header does not have.
    #[error(
        "{origin}: field {field:?} has a stated type but is not in the header; {}",
        .looks.or("remove the type or correct the name")
    )]
    TypeWithoutColumn {
        /// The header's line.
        origin: Origin,
        /// The name without a column.
        field: String,
        /// Another delimiter that the header seems to use.
        looks: LikelyDelimiter,
    },
    /// A CSV file begins with the line in which spreadsheets name the delimiter (`sep=;`), and it
    /// is not the delimiter with which the file is read.
    #[error("{origin}: the line {line:?} names another delimiter; use --delimiter {delimiter}")]
    OtherDelimiter {
        /// The line.
        origin: Origin,
        /// Its text.
        line: String,
        /// The delimiter that the line names.
        delimiter: Delimiter,
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
        "{origin}: field {field:?} is not in the header, and the handler requires it; {}",
        .looks.or("add or rename a column")
    )]
    ColumnMissing {
        /// The header's line.
        origin: Origin,
        /// The field's name.
        field: String,
        /// Another delimiter that the header seems to use.
        looks: LikelyDelimiter,
    },
    /// A value does not have the stated type, or the type that the first rows had.
    #[error(
        "{origin}: field {field:?} is {found}, expected {expected} ({reason}); correct the value, or {advice}"
    )]
    FieldType {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
        /// The type that the field should have.
        expected: ValueType,
        /// The value's type, for the message.
        found: &'static str,
        /// Where the expected type comes from.
        reason: &'static str,
        /// What the user can do instead.
        advice: String,
    },
    /// A requested string contains an escape that does not stand for a character.
    #[error(
        "{origin}: field {field:?} is a string with an invalid escape: {problem}; correct the value"
    )]
    FieldEscape {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
        /// The parser's message.
        problem: String,
    },
    /// A required field is not in the schema of a Parquet or Arrow file.
    #[error(
        "{name}: field {field:?} is not in the schema, and the handler requires it; add or rename a column"
    )]
    NotInSchema {
        /// The input's name.
        name: Arc<str>,
        /// The field's name.
        field: String,
    },
    /// A schema names a field twice.
    #[error("{name}: field {field:?} appears twice in the schema; rename one")]
    SchemaTwice {
        /// The input's name.
        name: Arc<str>,
        /// The field's name.
        field: String,
    },
    /// A type is stated for a field, but the file already defines its types.
    #[error(
        "{name}: field {field:?} already has a type in the file; remove the stated type, or convert the file"
    )]
    TypeInSchema {
        /// The input's name.
        name: Arc<str>,
        /// The field's name.
        field: String,
    },
    /// A column of a Parquet file uses a compression that is not supported.
    #[error(
        "{name}: field {field:?} is compressed with {codec}, which cannot be read; write the file \
         again with zstd, snappy, gzip or lz4"
    )]
    Codec {
        /// The input's name.
        name: Arc<str>,
        /// The column, with the names of its parents.
        field: String,
        /// The compression's name in Parquet.
        codec: String,
    },
    /// A Parquet or Arrow file is not valid.
    #[error("{name}: is not valid {format} data: {problem}; write it again, or use another format")]
    BadFile {
        /// The input's name.
        name: Arc<str>,
        /// The format.
        format: Format,
        /// The parser's message.
        problem: String,
    },
    /// A value cannot be read without loss.
    #[error(
        "{origin}: field {field:?} cannot be read exactly: {problem}; write its column with another type"
    )]
    FieldInexact {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
        /// What would be lost.
        problem: &'static str,
    },
    /// A value cannot be passed to a handler without loss.
    #[error(
        "{origin}: field {field:?} of type {found} cannot be passed to the handler exactly: {problem}; convert it to text or to another type"
    )]
    NotExact {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
        /// Its Arrow type.
        found: String,
        /// What would be lost.
        problem: &'static str,
    },
    /// A field has a type that a text format cannot represent.
    #[error(
        "{origin}: field {field:?} has the type {found}, which the output's format cannot hold; write arrow instead"
    )]
    FieldUnsupported {
        /// The first row of the batch.
        origin: Origin,
        /// The field's name.
        field: String,
        /// Its Arrow type.
        found: String,
    },
    /// A field's value cannot be written.
    #[error("{origin}: field {field:?} cannot be written: {problem}")]
    FieldValue {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
        /// What is wrong with the value.
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
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// Writing the output fails after it was created.
    #[error("{name}: cannot be written: {cause}")]
    Write {
        /// The output's name.
        name: Arc<str>,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// A row has a field that is not in the header of the CSV output.
    #[error(
        "{origin}: field {field:?} is not in the header, which comes from the first rows; CSV cannot add a column later, write NDJSON instead"
    )]
    NoColumn {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
    },
    /// A row has a field that did not occur in the rows from which the output's schema was derived.
    #[error(
        "{origin}: field {field:?} is not in the first rows, which define the columns of the output; state its type with --type {field}=TYPE, or write NDJSON instead"
    )]
    LateField {
        /// The row.
        origin: Origin,
        /// The field's name.
        field: String,
    },
    /// A format does not support the type of a field.
    #[error(
        "{name}: field {field:?} has the type {found}, which {format} cannot hold; write arrow instead, or convert the field"
    )]
    ColumnUnsupported {
        /// The output's name.
        name: Arc<str>,
        /// The format.
        format: Format,
        /// The field's name, with the path to the unsupported type inside it.
        field: String,
        /// The Arrow type.
        found: String,
    },
    /// A format cannot hold a column of the output.
    #[error("{name}: {format} cannot hold the columns: {problem}; write another format")]
    Columns {
        /// The output's name.
        name: Arc<str>,
        /// The format.
        format: Format,
        /// The encoder's message.
        problem: String,
    },
    /// Rows with other columns than the first rows are written to the same CSV file.
    #[error(
        "{origin}: row has other columns than the header, which comes from the first rows; write it to a separate file, or write NDJSON instead"
    )]
    OtherColumns {
        /// The first such row.
        origin: Origin,
    },

    /// A handler declares a feature with an unknown type.
    #[error("the handler declares feature {field:?} with an unknown type: {why}")]
    FeatureTypeUnknown {
        /// The feature's name.
        field: String,
        /// What is wrong with its type.
        why: beamlet_contract::TypeError,
    },
    /// A handler returns a feature that it did not declare.
    #[error("{origin}: feature {field:?} is not among those that the handler declares; declare it")]
    FeatureUndeclared {
        /// The first row of the batch.
        origin: Origin,
        /// The feature's name.
        field: String,
    },
    /// A feature comes with another type than it has in the output, and cannot be converted
    /// exactly.
    #[error("{origin}: feature {field:?} came as {now} and is {was} in the output: {problem}")]
    FeatureCast {
        /// The row, or the first one of the batch.
        origin: Origin,
        /// The feature's name.
        field: String,
        /// Its type in the output.
        was: Box<str>,
        /// The type that came.
        now: Box<str>,
        /// Why the conversion fails.
        problem: Box<str>,
    },
    /// The number of feature rows differs from the number of rows.
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
    /// A batch has two feature columns with the same name.
    #[error("{origin}: feature {field:?} appears twice in one batch; name each feature once")]
    FeatureTwice {
        /// The first row of the batch.
        origin: Origin,
        /// The feature's name.
        field: String,
    },
    /// A feature has the same name as a field of the row, and the options make that an error.
    #[error(
        "{origin}: feature {field:?} has the same name as a field of the row; rename the field, or choose with --on-conflict left, right or suffix which value to keep"
    )]
    FeatureConflict {
        /// The row, or the header.
        origin: Origin,
        /// The name of both.
        field: String,
    },
    /// A feature cannot be renamed with the suffix, because the new name is taken.
    #[error(
        "{origin}: feature {field:?} would become {renamed:?}, and that name is taken too; choose another --suffix"
    )]
    SuffixTaken {
        /// The row, or the header.
        origin: Origin,
        /// The feature's name.
        field: String,
        /// The name with its suffix.
        renamed: String,
    },
    /// The feature columns differ from those of earlier batches.
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
    /// A feature column has another type than in earlier batches.
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
    /// A feature column has a type that no output format supports.
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
    /// Arrow rejects the columns.
    #[error("columns do not make a batch: {cause}")]
    Arrow {
        /// Arrow's error.
        #[from]
        cause: arrow_schema::ArrowError,
    },
}

impl RowsError {
    /// The error for a name clash found in the row or the header at `origin`.
    pub(crate) fn of_clash(clash: Clash, origin: Origin) -> Self {
        match clash {
            Clash::Conflict { field } => Self::FeatureConflict { origin, field },
            Clash::Suffix { field, renamed } => Self::SuffixTaken { origin, field, renamed },
        }
    }

    /// Whether the fault is in one row alone, so that the row can be set aside.
    pub fn is_of_a_row(&self) -> bool {
        matches!(
            self,
            Self::NotAnObject { .. }
                | Self::FieldMissing { .. }
                | Self::FieldType { .. }
                | Self::FieldEscape { .. }
                | Self::FieldValue { .. }
                | Self::NotExact { .. }
                | Self::NotUtf8 { .. }
                | Self::TooLong { .. }
                | Self::TextAfterQuote { .. }
                | Self::TooFewFields { .. }
                | Self::TooManyFields { .. }
                | Self::NoColumn { .. }
                | Self::LateField { .. }
        )
    }
}
