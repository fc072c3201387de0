//! Encodes batches of one schema as the bytes of a file. An Arrow file has one dictionary for each
//! column, which can only grow, and rows of several parts or row groups each bring their own.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array, make_array,
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, SchemaRef};
use arrow_select::concat::concat;
use arrow_select::take::take;
use beamlet_values::Values;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::Format;

/// Rows in a row group. Parquet's own default is eight times as many.
const GROUP_ROWS: usize = 128 << 10;

/// Bytes in a row group, which stays in memory until it is full.
const GROUP_BYTES: usize = 64 << 20;

/// What a columnar format implements. Errors are the encoder's messages.
pub(super) trait Encode {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), String>;

    /// Appends the end of the file.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String>;
}

pub(super) fn encoder(
    format: Format,
    schema: &SchemaRef,
) -> Result<Box<dyn Encode + Send>, String> {
    let sink = Vec::new();
    Ok(match format {
        Format::Parquet => {
            // Other readers do not look for the metadata in the Arrow schema.
            let metadata =
                schema.metadata().iter().filter(|(key, _)| *key != ARROW_SCHEMA_META_KEY);
            let metadata = metadata.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
            let mut metadata: Vec<_> = metadata.collect();
            metadata.sort_by(|one, other| one.key.cmp(&other.key));
            let properties = WriterProperties::builder()
                .set_key_value_metadata((!metadata.is_empty()).then_some(metadata))
                .set_compression(Compression::ZSTD(ZstdLevel::default()))
                .set_max_row_group_row_count(Some(GROUP_ROWS))
                .set_max_row_group_bytes(Some(GROUP_BYTES))
                .build();
            Box::new(ArrowWriter::try_new(sink, schema.clone(), Some(properties)).map_err(text)?)
        }
        Format::Arrow => {
            let options =
                IpcWriteOptions::default().with_dictionary_handling(DictionaryHandling::Delta);
            let writer = FileWriter::try_new_with_options(sink, schema, options).map_err(text)?;
            Box::new(File { writer, dictionaries: Dictionaries::default() })
        }
        _ => Box::new(StreamWriter::try_new(sink, schema).map_err(text)?),
    })
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

impl Encode for ArrowWriter<Vec<u8>> {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), String> {
        ArrowWriter::write(self, batch).map_err(text)?;
        out.append(self.inner_mut());
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        ArrowWriter::finish(self).map_err(text)?;
        out.append(self.inner_mut());
        Ok(())
    }
}

struct File {
    writer: FileWriter<Vec<u8>>,
    dictionaries: Dictionaries,
}

impl Encode for File {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), String> {
        let batch = self.dictionaries.unified(batch)?;
        self.writer.write(&batch).map_err(text)?;
        out.append(self.writer.get_mut());
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.writer.finish().map_err(text)?;
        out.append(self.writer.get_mut());
        Ok(())
    }
}

impl Encode for StreamWriter<Vec<u8>> {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), String> {
        StreamWriter::write(self, batch).map_err(text)?;
        out.append(self.get_mut());
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        StreamWriter::finish(self).map_err(text)?;
        out.append(self.get_mut());
        Ok(())
    }
}

/// The dictionary of each column so far.
#[derive(Default)]
struct Dictionaries {
    columns: HashMap<usize, MergedDictionary>,
}

struct MergedDictionary {
    values: ArrayRef,
    /// The position of each value, by its JSON text.
    positions: HashMap<Vec<u8>, i64>,
}

impl Dictionaries {
    /// The batch with the dictionaries of the file.
    fn unified(&mut self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let mut arrays = batch.columns().to_vec();
        let fields = batch.schema_ref().fields();
        for (position, (field, array)) in fields.iter().zip(&mut arrays).enumerate() {
            if !matches!(field.data_type(), DataType::Dictionary(..)) {
                continue;
            }
            match self.columns.get_mut(&position) {
                Some(merged) => *array = merged.unified(field, array)?,
                None => {
                    let first = MergedDictionary::new(field, array.as_any_dictionary().values())?;
                    self.columns.insert(position, first);
                }
            }
        }
        let options = RecordBatchOptions::new()
            .with_row_count(Some(batch.num_rows()))
            .with_match_field_names(false);
        RecordBatch::try_new_with_options(batch.schema(), arrays, &options)
            .map_err(|error| error.to_string())
    }
}

impl MergedDictionary {
    fn new(field: &Field, values: &ArrayRef) -> Result<Self, String> {
        let mut positions = HashMap::with_capacity(values.len());
        for (position, text) in texts(field, values)?.into_iter().enumerate() {
            positions.entry(text).or_insert(position as i64);
        }
        Ok(Self { values: values.clone(), positions })
    }

    fn unified(&mut self, field: &Field, array: &ArrayRef) -> Result<ArrayRef, String> {
        let dictionary = array.as_any_dictionary();
        let own = dictionary.values();
        if own.to_data().ptr_eq(&self.values.to_data()) {
            return Ok(array.clone());
        }
        let mut new = Vec::new();
        let mut known = self.values.len() as i64;
        let mut positions = Vec::with_capacity(own.len());
        for (position, text) in texts(field, own)?.into_iter().enumerate() {
            positions.push(*self.positions.entry(text).or_insert_with(|| {
                new.push(position as u32);
                known += 1;
                known - 1
            }));
        }
        let text = |error: arrow_schema::ArrowError| error.to_string();
        if !new.is_empty() {
            let new = take(own, &UInt32Array::from(new), None).map_err(text)?;
            self.values = concat(&[&self.values, &new]).map_err(text)?;
        }
        let keys = dictionary.keys();
        let old = if own.is_empty() { vec![0; keys.len()] } else { dictionary.normalized_keys() };
        let moved = old
            .into_iter()
            .enumerate()
            .map(|(row, key)| (!keys.is_null(row)).then(|| positions[key]));
        let moved: Int64Array = moved.collect();
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let keys = cast_with_options(&moved, keys.data_type(), &strict)
            .map_err(|_| format!("the dictionary of field {:?} outgrows its keys", field.name()))?;
        let builder = keys.to_data().into_builder().data_type(array.data_type().clone());
        let data = builder.child_data(vec![self.values.to_data()]).build().map_err(text)?;
        Ok(make_array(data))
    }
}

fn texts(field: &Field, values: &ArrayRef) -> Result<Vec<Vec<u8>>, String> {
    let field = Field::new(field.name(), values.data_type().clone(), true);
    let all = Values::new(&field, values)
        .map_err(|found| format!("the dictionary of field {:?} holds {found}", field.name()))?;
    let text = |row| {
        let mut text = Vec::new();
        all.json(row, &mut text).map(|()| text)
    };
    (0..values.len()).map(text).collect()
}
