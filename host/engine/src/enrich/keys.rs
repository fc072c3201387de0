//! Rows as bytes, which are equal where a handler is shown the same, and nowhere else.

use arrow_array::RecordBatch;
use arrow_row::{RowConverter, Rows, SortField};
use arrow_schema::{ArrowError, Schema};
use hashbrown::HashMap;
use sha2::{Digest, Sha256};

/// The keys of a batch of rows.
///
/// A key is a digest of the columns' types, then all of their values in Arrow's row format, which keeps
/// every bit: `1` and `1.0`, `""` and null, `0.0` and `-0.0` differ.
pub(super) struct Keys {
    types: [u8; 8],
    /// `None` for rows without a column, which are all equal.
    values: Option<Rows>,
}

impl Keys {
    pub(super) fn of(rows: &RecordBatch) -> Result<Self, ArrowError> {
        let schema = rows.schema();
        let fields = schema.fields().iter();
        let fields: Vec<_> =
            fields.map(|field| SortField::new(field.data_type().clone())).collect();
        let values = match fields.is_empty() {
            true => None,
            false => Some(RowConverter::new(fields)?.convert_columns(rows.columns())?),
        };
        Ok(Keys { types: types(&schema), values })
    }

    /// Writes the key of a row over what `key` holds.
    pub(super) fn write(&self, row: usize, key: &mut Vec<u8>) {
        key.clear();
        let (types, values) = self.key(row);
        key.extend_from_slice(&types);
        key.extend_from_slice(values);
    }

    /// The key of a row, in its two parts.
    pub(super) fn key(&self, row: usize) -> ([u8; 8], &[u8]) {
        (self.types, self.values(row))
    }

    /// The values of a row alone: within one batch that identifies it.
    pub(super) fn values(&self, row: usize) -> &[u8] {
        self.values.as_ref().map_or(&[], |values| values.row(row).data())
    }
}

/// Which rows of a bundle differ: equal ones are asked for once.
pub(super) struct Distinct {
    /// The first row of each kind, ascending.
    pub(super) first: Vec<u32>,
    /// For each row of the bundle, the position of its kind in `first`; `None` where all differ.
    kind: Option<Vec<u32>>,
}

impl Distinct {
    /// Finds equal rows.
    pub(super) fn of(keys: &Keys, rows: usize) -> Self {
        let mut seen: HashMap<&[u8], u32> = HashMap::with_capacity(rows);
        let mut first = Vec::with_capacity(rows);
        let mut kind = Vec::with_capacity(rows);
        for row in 0..rows {
            let new = first.len() as u32;
            let at = *seen.entry(keys.values(row)).or_insert(new);
            if at == new {
                first.push(row as u32);
            }
            kind.push(at);
        }
        let kind = (first.len() < rows).then_some(kind);
        Distinct { first, kind }
    }

    /// All rows, taken to differ.
    pub(super) fn all(rows: usize) -> Self {
        Distinct { first: (0..rows as u32).collect(), kind: None }
    }

    /// The position in `first` of each row's kind.
    pub(super) fn kinds(&self) -> Option<&[u32]> {
        self.kind.as_deref()
    }
}

/// A digest of the columns' names and types, the same in every process.
fn types(schema: &Schema) -> [u8; 8] {
    let mut hash = Sha256::new();
    for field in schema.fields() {
        hash.update(format!("{}\0{}\0{:?}\0", field.name(), field.data_type(), sorted(field)));
    }
    let hash = hash.finalize();
    std::array::from_fn(|at| hash[at])
}

/// The metadata in one order, as a map has none.
fn sorted(field: &arrow_schema::Field) -> Vec<(&String, &String)> {
    let mut metadata: Vec<_> = field.metadata().iter().collect();
    metadata.sort();
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatchOptions, StringArray};
    use std::collections::HashSet;
    use std::sync::Arc;

    fn keys(columns: Vec<ArrayRef>) -> Vec<Vec<u8>> {
        let columns = columns.into_iter().enumerate();
        let columns = columns.map(|(at, array)| (format!("c{at}"), array, true));
        let rows = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let keys = Keys::of(&rows).unwrap();
        let mut key = Vec::new();
        (0..rows.num_rows())
            .map(|row| {
                keys.write(row, &mut key);
                key.clone()
            })
            .collect()
    }

    fn all_differ(keys: impl IntoIterator<Item = Vec<u8>>) -> bool {
        let mut seen = HashSet::new();
        keys.into_iter().all(|key| seen.insert(key))
    }

    #[test]
    fn values_that_look_alike_have_different_keys() {
        let texts = StringArray::from(vec![Some(""), None, Some("1"), Some("1.0"), Some("null")]);
        let doubles = [0.0, -0.0, f64::NAN, -f64::NAN, 1.0, f64::from_bits(1.0f64.to_bits() + 1)];
        let doubles = Float64Array::from(doubles.to_vec());
        let numbers = Int64Array::from(vec![Some(1), Some(0), None]);
        let columns: [ArrayRef; 3] = [Arc::new(texts), Arc::new(doubles), Arc::new(numbers)];
        assert!(all_differ(columns.into_iter().flat_map(|column| keys(vec![column]))));
    }

    #[test]
    fn texts_of_two_columns_do_not_run_into_each_other() {
        let one: ArrayRef = Arc::new(StringArray::from(vec!["ab", "a"]));
        let other: ArrayRef = Arc::new(StringArray::from(vec!["c", "bc"]));
        assert!(all_differ(keys(vec![one, other])));
    }

    #[test]
    fn equal_rows_have_one_key_in_every_batch() {
        let one = keys(vec![Arc::new(StringArray::from(vec!["x", "y", "x"]))]);
        let other = keys(vec![Arc::new(StringArray::from(vec!["y", "x"]))]);
        assert_eq!((&one[0], &one[1], &one[2]), (&other[1], &other[0], &one[0]));
    }

    #[test]
    fn rows_without_a_column_are_equal() {
        let options = RecordBatchOptions::new().with_row_count(Some(2));
        let schema = Arc::new(Schema::empty());
        let rows = RecordBatch::try_new_with_options(schema, vec![], &options).unwrap();
        let keys = Keys::of(&rows).unwrap();
        assert_eq!(keys.values(0), keys.values(1));
    }
}
