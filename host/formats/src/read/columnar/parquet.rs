//! Opens a Parquet file with Arrow types that represent each of its values exactly.

use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;

use arrow_ipc::convert::try_schema_from_ipc_buffer;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use parquet::arrow::ARROW_SCHEMA_META_KEY;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{Compression, ConvertedType, Type};

use super::bad_file;
use super::int96;
use super::pages::Pages;
use crate::guard::guarded;
use crate::{Format, Origin, RowsError};

/// A file whose types are known.
pub(super) struct Opened {
    pub(super) builder: ParquetRecordBatchReaderBuilder<Pages>,
    /// The names of columns whose texts the parser does not check for UTF-8. It checks only the
    /// columns that the file declares as strings, but not those declared as JSON.
    pub(super) unchecked: HashSet<String>,
}

/// Opens `file`, whose pages may have up to `limit` bytes. `first` is the schema of the first part.
///
/// The parser's own choice of types does not hold every value. It reads INT96 as nanoseconds, which
/// wrap around before 1677 and after 2262. It keeps the index width of a dictionary, which a row
/// group can outgrow. And it loses a time zone if the file has another unit than the writer's
/// schema.
pub(super) fn open(
    file: File,
    name: &Arc<str>,
    limit: u64,
    first: Option<&Schema>,
) -> Result<Opened, RowsError> {
    let bad = |problem| bad_file(name, Format::Parquet, problem);
    let metadata =
        guarded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())).map_err(bad)?;
    codecs(&metadata, name)?;
    let schema = metadata.schema();
    let parquet = metadata.parquet_schema();
    let firsts = first.map(leaves).unwrap_or_default();
    let embedded = embedded(&metadata).map(|it| leaves(&it)).unwrap_or_default();
    let mut unchecked = HashSet::new();
    let leaf = |leaf: usize, field: &str, data_type: &DataType| -> Result<DataType, RowsError> {
        let is_string = leaf < parquet.num_columns()
            && parquet.column(leaf).converted_type() == ConvertedType::UTF8;
        if !is_string && is_text(data_type) {
            unchecked.insert(field.to_owned());
        }
        let is_int96 =
            leaf < parquet.num_columns() && parquet.column(leaf).physical_type() == Type::INT96;
        Ok(match data_type {
            DataType::Timestamp(unit, zone) if is_int96 => {
                let file = file.try_clone().map_err(|cause| bad(cause.to_string()))?;
                let wanted = match firsts.get(leaf) {
                    Some(DataType::Timestamp(unit, _)) => Some(*unit),
                    _ => None,
                };
                let unit =
                    int96::unit(Pages::new(file, limit), leaf, wanted, *unit).map_err(bad)?;
                let unit = unit.map_err(|lost| RowsError::FieldInexact {
                    origin: Origin::row(name.clone(), lost.row),
                    field: field.to_owned(),
                    problem: lost.problem,
                })?;
                DataType::Timestamp(unit, zone.clone())
            }
            // The parser drops a zone if the embedded schema has another unit, as Parquet has no
            // seconds.
            DataType::Timestamp(unit, Some(zone)) => match embedded.get(leaf) {
                Some(DataType::Timestamp(_, Some(zone))) => {
                    DataType::Timestamp(*unit, Some(zone.clone()))
                }
                _ => DataType::Timestamp(*unit, Some(zone.clone())),
            },
            DataType::Dictionary(keys, values) if keys.primitive_width() < Some(4) => {
                DataType::Dictionary(Box::new(DataType::Int32), values.clone())
            }
            other => other.clone(),
        })
    };
    let mut leaves = Leaves { next: 0, leaf };
    let fields = schema.fields().iter().map(|field| leaves.field(field, field.name()));
    let fields: Fields = fields.collect::<Result<_, _>>()?;
    let open = |metadata| {
        ParquetRecordBatchReaderBuilder::new_with_metadata(Pages::new(file, limit), metadata)
    };
    if fields == *schema.fields() {
        return Ok(Opened { builder: open(metadata), unchecked });
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let options = ArrowReaderOptions::new().with_schema(schema);
    let metadata = guarded(|| ArrowReaderMetadata::try_new(metadata.metadata().clone(), options))
        .map_err(bad)?;
    Ok(Opened { builder: open(metadata), unchecked })
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Rejects unsupported compressions before the first row: Brotli, of which a few bytes can
/// decompress to any size, and LZO, for which there is no Rust library.
fn codecs(metadata: &ArrowReaderMetadata, name: &Arc<str>) -> Result<(), RowsError> {
    let columns = metadata.metadata().row_groups().iter().flat_map(|group| group.columns());
    for column in columns {
        let codec = match column.compression() {
            Compression::BROTLI(_) => "Brotli",
            Compression::LZO => "LZO",
            _ => continue,
        };
        let (field, codec) = (column.column_path().string(), codec.to_owned());
        return Err(RowsError::Codec { name: name.clone(), field, codec });
    }
    Ok(())
}

/// The Arrow schema that the writer embedded in the file, if there is one.
fn embedded(metadata: &ArrowReaderMetadata) -> Option<Schema> {
    let keys = metadata.metadata().file_metadata().key_value_metadata()?;
    let text = keys.iter().find(|it| it.key == ARROW_SCHEMA_META_KEY)?.value.as_deref()?;
    let bytes = BASE64.decode(text).ok()?;
    guarded(|| try_schema_from_ipc_buffer(&bytes)).ok()
}

/// The types of all columns of a file with this schema.
fn leaves(schema: &Schema) -> Vec<DataType> {
    let mut found = Vec::new();
    let mut leaves = Leaves {
        next: 0,
        leaf: |_: usize, _: &str, data_type: &DataType| {
            found.push(data_type.clone());
            Ok(data_type.clone())
        },
    };
    for field in schema.fields() {
        // It cannot fail, because the closure does not.
        let _ = leaves.field(field, "");
    }
    found
}

/// Visits the columns of a file in their order.
struct Leaves<F> {
    next: usize,
    /// Chooses the type for a column, given its number, its top-level field, and its current type.
    leaf: F,
}

impl<F: FnMut(usize, &str, &DataType) -> Result<DataType, RowsError>> Leaves<F> {
    fn field(&mut self, field: &FieldRef, top: &str) -> Result<FieldRef, RowsError> {
        let data_type = self.data_type(field.data_type(), top)?;
        if data_type == *field.data_type() {
            return Ok(field.clone());
        }
        Ok(Arc::new(Field::clone(field).with_data_type(data_type)))
    }

    fn data_type(&mut self, data_type: &DataType, top: &str) -> Result<DataType, RowsError> {
        Ok(match data_type {
            DataType::Struct(fields) => {
                let fields = fields.iter().map(|it| self.field(it, top));
                DataType::Struct(fields.collect::<Result<_, _>>()?)
            }
            DataType::List(item) => DataType::List(self.field(item, top)?),
            DataType::LargeList(item) => DataType::LargeList(self.field(item, top)?),
            DataType::ListView(item) => DataType::ListView(self.field(item, top)?),
            DataType::LargeListView(item) => DataType::LargeListView(self.field(item, top)?),
            DataType::FixedSizeList(item, size) => {
                DataType::FixedSizeList(self.field(item, top)?, *size)
            }
            DataType::Map(entries, sorted) => DataType::Map(self.field(entries, top)?, *sorted),
            leaf => {
                self.next += 1;
                (self.leaf)(self.next - 1, top, leaf)?
            }
        })
    }
}
