//! Batches of one schema as the bytes of a file.

use arrow_array::RecordBatch;
use arrow_ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::SchemaRef;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::dictionaries::Dictionaries;
use crate::Format;

/// Rows of a row group: Parquet's own default is eight times as much.
const GROUP_ROWS: usize = 128 << 10;

/// Bytes of a row group, which is kept in memory until it is full.
const GROUP_BYTES: usize = 64 << 20;

/// What a format does for the writer. Answers with what the encoder says is wrong.
pub(super) trait Encode {
    fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), String>;

    /// Appends what a complete file ends with.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String>;
}

pub(super) fn encoder(
    format: Format,
    schema: &SchemaRef,
) -> Result<Box<dyn Encode + Send>, String> {
    let sink = Vec::new();
    Ok(match format {
        Format::Parquet => {
            // Other readers do not look for them in the Arrow schema.
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
