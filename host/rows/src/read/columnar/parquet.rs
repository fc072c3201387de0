//! Opens a Parquet file with the Arrow types in which every value of it can be read.

use std::fs::File;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type;
use parquet::schema::types::SchemaDescriptor;

use super::bad_file;
use super::int96;
use crate::guard::guarded;
use crate::{Format, Origin, RowsError};

/// Opens `file`; `first` is the schema of the part that came first.
///
/// The parser's own choice of types cannot hold every value: INT96 becomes nanoseconds, which wrap
/// around before 1677 and after 2262, and the indices of a dictionary keep a width that a row group
/// may outgrow.
pub(super) fn open(
    file: File,
    name: &Arc<str>,
    first: Option<&Schema>,
) -> Result<ParquetRecordBatchReaderBuilder<File>, RowsError> {
    let bad = |problem| bad_file(name, Format::Parquet, problem);
    let builder =
        guarded(|| ParquetRecordBatchReaderBuilder::try_new(file.try_clone()?)).map_err(bad)?;
    let schema = builder.schema();
    let parquet = builder.parquet_schema();
    let mut leaves = Leaves {
        parquet,
        next: 0,
        unit: |leaf, field: &str, unit| {
            let file = file.try_clone().map_err(|cause| bad(cause.to_string()))?;
            let wanted = first.and_then(|schema| unit_of(schema, parquet, leaf));
            int96::unit(file, leaf, wanted, unit).map_err(bad)?.map_err(|lost| {
                RowsError::FieldInexact {
                    origin: Origin::row(name.clone(), lost.row),
                    field: field.to_owned(),
                    problem: lost.problem,
                }
            })
        },
    };
    let fields = schema.fields().iter().map(|field| leaves.field(field, field.name()));
    let fields: Fields = fields.collect::<Result<_, _>>()?;
    if fields == *schema.fields() {
        return Ok(builder);
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let options = ArrowReaderOptions::new().with_schema(schema);
    let metadata = guarded(|| ArrowReaderMetadata::try_new(builder.metadata().clone(), options))
        .map_err(bad)?;
    Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata))
}

/// The unit that an INT96 column has in a schema.
fn unit_of(schema: &Schema, parquet: &SchemaDescriptor, leaf: usize) -> Option<TimeUnit> {
    let mut found = None;
    let mut leaves = Leaves {
        parquet,
        next: 0,
        unit: |at, _: &str, unit| {
            found = found.or((at == leaf).then_some(unit));
            Ok(unit)
        },
    };
    for field in schema.fields() {
        leaves.field(field, "").ok()?;
    }
    found
}

/// The columns of a file in the order in which they stand there.
struct Leaves<'a, F> {
    parquet: &'a SchemaDescriptor,
    next: usize,
    /// The unit for an INT96 column, given its number, its field and the unit that it has.
    unit: F,
}

impl<F: FnMut(usize, &str, TimeUnit) -> Result<TimeUnit, RowsError>> Leaves<'_, F> {
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
            leaf => self.leaf(leaf, top)?,
        })
    }

    fn leaf(&mut self, data_type: &DataType, top: &str) -> Result<DataType, RowsError> {
        let leaf = self.next;
        self.next += 1;
        let is_int96 = leaf < self.parquet.num_columns()
            && self.parquet.column(leaf).physical_type() == Type::INT96;
        Ok(match data_type {
            DataType::Timestamp(unit, zone) if is_int96 => {
                DataType::Timestamp((self.unit)(leaf, top, *unit)?, zone.clone())
            }
            DataType::Dictionary(keys, values) if keys.primitive_width() < Some(4) => {
                DataType::Dictionary(Box::new(DataType::Int32), values.clone())
            }
            other => other.clone(),
        })
    }
}
