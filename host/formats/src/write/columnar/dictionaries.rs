//! The dictionaries of an Arrow file: it has one for each column, which may only grow, and rows of
//! several parts or row groups bring one of their own.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array, make_array,
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field};
use arrow_select::concat::concat;
use arrow_select::take::take;

use beamlet_values::Values;

/// What each column's dictionary holds so far.
#[derive(Default)]
pub(super) struct Dictionaries {
    columns: HashMap<usize, MergedDictionary>,
}

struct MergedDictionary {
    values: ArrayRef,
    /// Where a value stands, by its JSON text.
    positions: HashMap<Vec<u8>, i64>,
}

impl Dictionaries {
    /// The batch with the dictionaries of the file; fails with what is wrong.
    pub(super) fn unified(&mut self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let mut arrays = batch.columns().to_vec();
        let fields = batch.schema_ref().fields();
        for (position, (field, array)) in fields.iter().zip(&mut arrays).enumerate() {
            if !matches!(field.data_type(), DataType::Dictionary(..)) {
                continue;
            }
            match self.columns.get_mut(&position) {
                Some(growing) => *array = growing.unified(field, array)?,
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
