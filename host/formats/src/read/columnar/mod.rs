//! Parquet and Arrow IPC: batches of columns, cut to the requested size.

mod int96;
mod ipc;
mod pages;
mod parquet;

use std::collections::HashSet;
use std::io::BufReader;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow_array::{Array, RecordBatch, RecordBatchOptions};
use arrow_data::ArrayData;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema, SchemaRef};

use super::{Read, ReadOptions};
use crate::guard::guarded;
use crate::rows::Body;
use crate::source::Part;
use crate::source::Share;
use crate::table::Table;
use crate::{Format, Rows, RowsError};

/// The largest batch, in rows, that the Parquet reader is asked for.
const MOST_ROWS: usize = 8_192;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

pub(super) struct Columnar {
    format: Format,
    source: Arc<str>,
    /// The name of the part that defines the schema.
    first: Arc<str>,
    schema: SchemaRef,
    state: State,
    share: Option<Share>,
    /// The names of columns whose texts may not be UTF-8.
    unchecked: HashSet<String>,
    /// The largest size of a batch, in bytes.
    limit: u64,
    /// Rows that were read and not returned yet.
    ahead: Option<RecordBatch>,
    /// The number of the next row in its part, from 1.
    row: u64,
}

enum State {
    /// The Parquet reader needs the batch size before the first batch.
    Parquet(Box<ParquetRecordBatchReaderBuilder<pages::Pages>>),
    Batches(Batches),
    End,
}

impl Columnar {
    pub(super) fn new(part: Part, format: Format, options: ReadOptions) -> Result<Self, RowsError> {
        let source = part.name().clone();
        let Opened { schema, state, share, unchecked } =
            opened(part, format, options.max_batch_bytes, None)?;
        for (position, field) in schema.fields().iter().enumerate() {
            if schema.fields()[..position].iter().any(|before| before.name() == field.name()) {
                let field = field.name().clone();
                return Err(RowsError::SchemaTwice { name: source, field });
            }
        }
        if let Some((field, _)) = options.types.into_iter().next() {
            return Err(RowsError::TypeInSchema { name: source, field });
        }
        let (first, limit) = (source.clone(), options.max_batch_bytes);
        let (ahead, row) = (None, 1);
        Ok(Self { format, source, first, schema, state, share, unchecked, limit, ahead, row })
    }

    fn read(&mut self, max_rows: usize) -> Result<Option<RecordBatch>, RowsError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let (name, format) = (self.source.clone(), self.format);
        let bad = |problem| RowsError::BadFile { name: name.clone(), format, problem };
        loop {
            let batches = match &mut self.state {
                State::End => return Ok(None),
                State::Batches(batches) => batches,
                State::Parquet(_) => {
                    let State::Parquet(builder) = std::mem::replace(&mut self.state, State::End)
                    else {
                        return Ok(None);
                    };
                    let builder = builder.with_batch_size(max_rows.min(MOST_ROWS));
                    let batches = guarded(|| builder.build()).map_err(bad)?;
                    self.state = State::Batches(Box::new(batches));
                    continue;
                }
            };
            match guarded(|| batches.next().transpose()).map_err(bad)? {
                None => {
                    self.state = State::End;
                    self.share.iter_mut().for_each(Share::end);
                }
                Some(batch) if batch.num_rows() == 0 => {}
                // A Parquet batch lacks the schema's metadata, and each part has its own metadata.
                Some(batch) => {
                    let more = if format == Format::Parquet { batch.num_rows() as u64 } else { 1 };
                    self.share.iter_mut().for_each(|share| share.add(more));
                    let options = RecordBatchOptions::new()
                        .with_row_count(Some(batch.num_rows()))
                        .with_match_field_names(false);
                    let columns = batch.columns().to_vec();
                    for (field, column) in self.schema.fields().iter().zip(&columns) {
                        let texts = self.unchecked.contains(field.name());
                        check(&column.to_data(), texts)
                            .map_err(|why| bad(format!("field {:?}: {why}", field.name())))?;
                    }
                    let batch =
                        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
                    return batch.map(Some).map_err(|error| bad(error.to_string()));
                }
            }
        }
    }

    fn rows(&self, batch: RecordBatch, first: u64) -> Rows {
        Rows::new(self.source.clone(), Body::Table(Table::new(batch, first)))
    }
}

impl Read for Columnar {
    fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError> {
        let Some(batch) = self.read(max_rows)? else { return Ok(None) };
        let (first, rows) = (self.row, batch.num_rows().min(max_rows));
        self.row += rows as u64;
        if rows < batch.num_rows() {
            self.ahead = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        Ok(Some(self.rows(batch.slice(0, rows), first)))
    }

    fn open(&mut self, part: Part) -> Result<(), RowsError> {
        self.source = part.name().clone();
        let Opened { schema, state, share, unchecked } =
            opened(part, self.format, self.limit, Some(&self.schema))?;
        if let Some(difference) = difference(&self.schema, &schema) {
            let (first, second) = (self.first.clone(), self.source.clone());
            return Err(RowsError::OtherHeader { first, second, difference });
        }
        (self.state, self.share, self.unchecked, self.row) = (state, share, unchecked, 1);
        Ok(())
    }

    fn empty(&self) -> Option<Rows> {
        Some(self.rows(RecordBatch::new_empty(self.schema.clone()), 1))
    }
}

/// A part whose schema is read.
struct Opened {
    schema: SchemaRef,
    state: State,
    share: Option<Share>,
    unchecked: HashSet<String>,
}

/// Opens a part; `first` is the schema of the one that came first.
fn opened(
    part: Part,
    format: Format,
    limit: u64,
    first: Option<&Schema>,
) -> Result<Opened, RowsError> {
    let name = part.name().clone();
    let bad = |problem| bad_file(&name, format, problem);
    let share = part.share();
    Ok(match format {
        Format::Parquet => {
            let file = part.file()?;
            let parquet::Opened { builder, unchecked } = parquet::open(file, &name, limit, first)?;
            let rows = builder.metadata().file_metadata().num_rows().unsigned_abs();
            let share = share.map(|of| of(rows));
            Opened {
                schema: builder.schema().clone(),
                state: State::Parquet(Box::new(builder)),
                share,
                unchecked,
            }
        }
        Format::Arrow => {
            let mut file = part.file()?;
            guarded(|| ipc::check_file(&mut file, limit)).map_err(bad)?;
            let file = BufReader::new(file);
            let reader = guarded(|| FileReader::try_new(file, None)).map_err(bad)?;
            let share = share.map(|of| of(reader.num_batches() as u64));
            let (schema, state) = (reader.schema(), State::Batches(Box::new(reader)));
            Opened { schema, state, share, unchecked: HashSet::new() }
        }
        // A stream is read front to back.
        _ => {
            let stream = BufReader::new(ipc::Checked::new(part.bytes()?, limit));
            let reader = guarded(|| StreamReader::try_new(stream, None)).map_err(bad)?;
            let (schema, state) = (reader.schema(), State::Batches(Box::new(reader)));
            Opened { schema, state, share: None, unchecked: HashSet::new() }
        }
    })
}

/// Rejects a column that violates its own type: nulls inside a value where the type does not allow
/// them, and, if `texts` is set, texts that are not UTF-8. The Parquet parser accepts both.
fn check(column: &ArrayData, texts: bool) -> Result<(), String> {
    let sound = if texts { column.validate_full() } else { nulls_are_allowed(column) };
    sound.map_err(|error| match error {
        ArrowError::InvalidArgumentError(why) => why,
        other => other.to_string(),
    })
}

fn nulls_are_allowed(column: &ArrayData) -> Result<(), ArrowError> {
    column.validate_nulls()?;
    column.child_data().iter().try_for_each(nulls_are_allowed)
}

fn bad_file(name: &Arc<str>, format: Format, problem: String) -> RowsError {
    RowsError::BadFile { name: name.clone(), format, problem }
}

/// The first difference between the schemas of two parts, for a message. Metadata may differ.
fn difference(first: &Schema, other: &Schema) -> Option<String> {
    for (position, (was, now)) in first.fields().iter().zip(other.fields()).enumerate() {
        let number = position + 1;
        if was.name() != now.name() {
            return Some(format!("column {number} is {:?} and not {:?}", now.name(), was.name()));
        }
        if !was.data_type().equals_datatype(now.data_type()) {
            let (name, was, now) = (now.name(), was.data_type(), now.data_type());
            return Some(format!("field {name:?} has the type {now} and not {was}"));
        }
        if now.is_nullable() && !was.is_nullable() {
            return Some(format!("field {:?} may be null", now.name()));
        }
    }
    let (was, now) = (first.fields().len(), other.fields().len());
    (was != now).then(|| format!("{now} columns and not {was}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Int64Array, StructArray};
    use arrow_schema::{DataType, Field};

    fn structure(key_may_be_null: bool) -> ArrayData {
        let key = Field::new("key", DataType::Int64, key_may_be_null);
        ArrayData::builder(DataType::Struct(vec![key].into()))
            .len(2)
            .add_child_data(Int64Array::from(vec![Some(1), None]).into_data())
            .build()
            .unwrap()
    }

    #[test]
    fn a_null_inside_a_value_is_refused_where_its_type_allows_none_at_any_depth() {
        assert_eq!(check(&structure(true), false), Ok(()));
        let unsound = StructArray::from(structure(true)).into_data().into_builder();
        let key = Field::new("key", DataType::Int64, false);
        let inner = DataType::Struct(vec![key].into());
        // SAFETY: The null is what the check is to find; nothing else reads the value.
        let unsound = unsafe { unsound.data_type(inner.clone()).build_unchecked() };
        assert!(check(&unsound, false).unwrap_err().contains("key"));
        let outer = Field::new("inner", inner, true);
        let outer =
            ArrayData::builder(DataType::Struct(vec![outer].into())).len(2).add_child_data(unsound);
        // SAFETY: As above.
        let outer = unsafe { outer.build_unchecked() };
        assert!(check(&outer, false).unwrap_err().contains("key"));
    }
}
