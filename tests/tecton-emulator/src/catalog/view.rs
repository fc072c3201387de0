//! The online store of one view: rows by their key, each row's values already JSON.

use chrono::{DateTime, Utc};
use hashbrown::HashMap;

use super::source::{Column, Table};
use super::{EntityKey, KeyValue, Place};
use crate::data_type::{DataType, Field};
use crate::repository::{FeatureView, RepositoryError, Source, ViewKey};
use crate::value::{Value, write_wire};

/// The position of a row in its view.
pub(crate) type RowNumber = u32;

/// A view with rows.
#[derive(Debug)]
pub(crate) struct View {
    /// The positions of its keys among the service's join keys.
    keys: Vec<usize>,
    rows: HashMap<Box<[u8]>, RowNumber>,
    runs: Vec<Run>,
    effective_times: Vec<Option<DateTime<Utc>>>,
    pub(crate) cached: bool,
}

/// Neighbouring features of one view: their values, comma-separated, per row.
#[derive(Debug, Default)]
struct Run {
    rows: Vec<Box<str>>,
    missing: String,
}

/// A stored feature of a run.
pub(super) struct StoredFeature<'r> {
    pub(super) column: &'r str,
    pub(super) data_type: &'r DataType,
    pub(super) name: &'r str,
}

impl View {
    /// Reads the source of `described`; `runs` are its stored features, grouped.
    pub(super) fn load(
        described: &FeatureView,
        source: &Source,
        runs: &[Vec<StoredFeature<'_>>],
        join_keys: &[Field],
        place: &Place<'_>,
    ) -> Result<Self, RepositoryError> {
        let table = Table::read(source, place)?;
        let keys = match &described.keys {
            Some(keys) => keys.clone(),
            None => join_keys.iter().map(|key| ViewKey::named(&key.name)).collect(),
        };
        let keys = find_keys(&keys, &table, join_keys, place)?;
        Ok(Self {
            rows: index(&keys, &table, join_keys, place)?,
            runs: runs
                .iter()
                .map(|features| Run::load(features, &table, place))
                .collect::<Result<_, _>>()?,
            effective_times: effective_times(described, &table, place)?,
            keys: keys.into_iter().map(|(position, _)| position).collect(),
            cached: described.cached,
        })
    }

    /// The row of an entity; `scratch` is overwritten.
    pub(crate) fn find(
        &self,
        join_keys: &[KeyValue<'_>],
        scratch: &mut EntityKey,
    ) -> Option<RowNumber> {
        scratch.clear();
        for position in &self.keys {
            match join_keys[*position] {
                KeyValue::Null => return None,
                value => scratch.push(value),
            }
        }
        self.rows.get(scratch.bytes()).copied()
    }

    /// The values of a run, comma-separated; nulls if there is no row.
    pub(crate) fn text(&self, run: usize, row: Option<RowNumber>) -> &str {
        let run = &self.runs[run];
        match row {
            Some(row) => &run.rows[row as usize],
            None => &run.missing,
        }
    }

    pub(crate) fn effective_time(&self, row: RowNumber) -> Option<DateTime<Utc>> {
        *self.effective_times.get(row as usize)?
    }
}

impl Run {
    fn load(
        features: &[StoredFeature<'_>],
        table: &Table,
        place: &Place<'_>,
    ) -> Result<Self, RepositoryError> {
        let mut rows = vec![String::new(); table.len()];
        for (position, feature) in features.iter().enumerate() {
            let place = place.within("feature", feature.name);
            let column = table.column(feature.column, &place)?;
            for (number, text) in rows.iter_mut().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                let value = table.value(number, column, feature.data_type, &place)?;
                write_wire(&value, text);
            }
        }
        Ok(Self {
            rows: rows.into_iter().map(String::into_boxed_str).collect(),
            missing: vec!["null"; features.len()].join(","),
        })
    }
}

fn find_keys(
    keys: &[ViewKey],
    table: &Table,
    join_keys: &[Field],
    place: &Place<'_>,
) -> Result<Vec<(usize, Column)>, RepositoryError> {
    if keys.is_empty() {
        return Err(place.problem("a view with a source needs a key; name one of the join keys"));
    }
    keys.iter()
        .map(|key| {
            let position = join_keys.iter().position(|other| other.name == key.name);
            let position = position.ok_or_else(|| {
                let name = &key.name;
                place.problem(format!(
                    "its key `{name}` is none of the service's join_keys; add it there"
                ))
            })?;
            Ok((position, table.column(&key.column, place)?))
        })
        .collect()
}

fn index(
    keys: &[(usize, Column)],
    table: &Table,
    join_keys: &[Field],
    place: &Place<'_>,
) -> Result<HashMap<Box<[u8]>, RowNumber>, RepositoryError> {
    let mut rows = HashMap::with_capacity(table.len());
    let mut key = EntityKey::default();
    for row in 0..table.len() {
        key.clear();
        for (position, column) in keys {
            let value = table.value(row, *column, &join_keys[*position].data_type, place)?;
            match &value {
                Value::Int64(number) => key.push(KeyValue::Int64(*number)),
                Value::String(text) => key.push(KeyValue::Text(text)),
                _ => {
                    let problem = "a row's key must not be null; remove the row".to_owned();
                    return Err(table.bad_cell(row, *column, problem, place));
                }
            }
        }
        let number = RowNumber::try_from(row)
            .map_err(|_| place.problem("the source has more rows than 32 bits count"))?;
        if rows.insert(key.bytes().into(), number).is_some() {
            let problem = "an earlier row has this key; keep one of them".to_owned();
            return Err(table.bad_cell(row, keys[0].1, problem, place));
        }
    }
    Ok(rows)
}

fn effective_times(
    described: &FeatureView,
    table: &Table,
    place: &Place<'_>,
) -> Result<Vec<Option<DateTime<Utc>>>, RepositoryError> {
    let Some(name) = &described.effective_time else {
        return Ok(Vec::new());
    };
    let column = table.column(name, place)?;
    (0..table.len())
        .map(|row| {
            let value = table.value(row, column, &DataType::Timestamp, place)?;
            Ok(match value {
                Value::Timestamp(moment) => Some(moment),
                _ => None,
            })
        })
        .collect()
}
