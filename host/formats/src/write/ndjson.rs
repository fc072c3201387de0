//! NDJSON: features are inserted before the closing brace of a document, and everything before it
//! is copied. Rows with a header or a schema become objects with its keys.

use beamlet_contract::join::{self, Column};
use beamlet_values::{json, json_text};

use super::Write;
use super::aside::Aside;
use super::features::{Feature, Features};
use crate::document::{Documents, Scan, members};
use crate::record::{Misfit, Records};
use crate::rows::Body;
use crate::table::{Table, bad_value};
use crate::{OnConflict, Origin, Rows, RowsError};

pub(super) struct Ndjson {
    on_conflict: OnConflict,
}

impl Ndjson {
    pub(super) fn new(on_conflict: OnConflict) -> Self {
        Self { on_conflict }
    }
}

impl Ndjson {
    fn append(&self, rows: &Rows, features: &Features, out: &mut Vec<u8>) -> Result<(), RowsError> {
        if rows.is_empty() {
            return Ok(());
        }
        let texts = features.texts(rows)?;
        match &rows.body {
            Body::Documents(documents) => splice(rows, documents, &texts, &self.on_conflict, out),
            Body::Records(records) => {
                records_as_objects(rows, records, features, &self.on_conflict, out)
            }
            Body::Table(table) => table_as_objects(rows, table, features, &self.on_conflict, out),
        }
    }
}

impl Write for Ndjson {
    fn write(
        &mut self,
        rows: &Rows,
        features: Features,
        out: &mut Vec<u8>,
        aside: &mut Aside,
    ) -> Result<(), RowsError> {
        let start = out.len();
        match self.append(rows, &features, out) {
            Err(error) if aside.takes(&error) => {
                let without = features.without();
                let check = |rows: &Rows| self.append(rows, &without, &mut Vec::new());
                let good = aside.sift(rows, check);
                out.truncate(start);
                self.append(&rows.select(&good), &features.select(&good)?, out)
            }
            done => done,
        }
    }
}

/// `,"name":`, for a member that follows another.
fn key(name: &str) -> Vec<u8> {
    let mut key = vec![b','];
    json::string(name, &mut key);
    key.push(b':');
    key
}

fn splice(
    rows: &Rows,
    documents: &Documents,
    features: &[Feature<'_>],
    on_conflict: &OnConflict,
    out: &mut Vec<u8>,
) -> Result<(), RowsError> {
    let keys: Vec<_> = features.iter().map(|it| key(it.name)).collect();
    let mut conflicts = Conflicts::new(documents, features, on_conflict);
    let mut found = Vec::new();
    let mut ends = vec![End::OwnName; features.len()];

    for row in 0..documents.len() {
        let text = documents.text(row);
        conflicts.judge(rows, row, text, &mut found, &mut ends)?;
        if ends.iter().all(|it| *it == End::LeftOut) {
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
            continue;
        }
        let body = text[..text.len() - 1].trim_ascii_end();
        if ends.contains(&End::InPlace) {
            replace(rows, row, body, features, &ends, out)?;
        } else {
            out.extend_from_slice(body.as_bytes());
        }
        let start = out.len();
        for ((feature, key_of), end) in features.iter().zip(&keys).zip(&ends) {
            match end {
                End::LeftOut | End::InPlace => continue,
                End::OwnName => out.extend_from_slice(key_of),
                End::Renamed => out.extend(key(&renamed(feature.name, on_conflict))),
            }
            feature.json(rows, row, out)?;
        }
        if body.ends_with('{') {
            out.remove(start); // the comma of the first member
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}

/// Copies `body`, which lacks only its closing brace, and replaces own values with the features'
/// values. A duplicate key is kept once, at its first position.
fn replace(
    rows: &Rows,
    row: usize,
    body: &str,
    features: &[Feature<'_>],
    ends: &[End],
    out: &mut Vec<u8>,
) -> Result<(), RowsError> {
    let object = [body, "}"].concat();
    let members = members(&object).map_err(|error| RowsError::NotAnObject {
        origin: rows.origin(row),
        column: error.column().max(1),
        problem: json_text::problem(&error),
    })?;
    let mut replaced = vec![false; features.len()];
    let (mut copied, mut end_before) = (0, 0);
    for member in members {
        let position = features.iter().position(|it| it.name == member.name);
        if let Some(position) = position.filter(|at| ends[*at] == End::InPlace) {
            // A duplicate is removed together with the comma before it.
            let keep_to = if replaced[position] { end_before } else { member.value.start };
            out.extend_from_slice(&body.as_bytes()[copied..keep_to]);
            if !replaced[position] {
                features[position].json(rows, row, out)?;
                replaced[position] = true;
            }
            copied = member.value.end;
        }
        end_before = member.value.end;
    }
    out.extend_from_slice(&body.as_bytes()[copied..]);
    Ok(())
}

/// Where a feature is placed in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// After the own fields, under its name.
    OwnName,
    /// After the own fields, with the suffix.
    Renamed,
    /// Not written: the own value is kept.
    LeftOut,
    /// In place of the own value.
    InPlace,
}

/// Decides for each row where its features are placed. Only names that occurred in a row of the
/// reader are looked for.
struct Conflicts<'a> {
    on_conflict: &'a OnConflict,
    suspects: Vec<Suspect<'a>>,
    /// Finds the names with their suffix, then those without. A name that is both counts as one
    /// without.
    scan: Scan,
    /// The number of names with a suffix.
    renamed: usize,
}

/// A feature whose name a row may have, too.
struct Suspect<'a> {
    position: usize,
    name: &'a str,
    renamed: String,
    /// Whether another feature has the name with the suffix.
    taken: bool,
}

impl<'a> Conflicts<'a> {
    fn new(
        documents: &Documents,
        features: &'a [Feature<'_>],
        on_conflict: &'a OnConflict,
    ) -> Self {
        let suspects: Vec<_> = features
            .iter()
            .enumerate()
            .filter(|(_, feature)| documents.may_have(feature.name))
            .map(|(position, feature)| {
                let renamed = renamed(feature.name, on_conflict);
                let taken = features.iter().any(|it| it.name == renamed);
                Suspect { position, name: feature.name, renamed, taken }
            })
            .collect();
        let mut wanted = Vec::new();
        if matches!(on_conflict, OnConflict::Suffix(_)) {
            wanted.extend(suspects.iter().map(|it| it.renamed.as_str()));
        }
        let renamed = wanted.len();
        wanted.extend(suspects.iter().map(|it| it.name));
        let scan = Scan::new(&wanted);
        Self { on_conflict, suspects, scan, renamed }
    }

    /// Determines where each feature is placed in `text`. `found` is a buffer that rows share.
    fn judge<'t>(
        &mut self,
        rows: &Rows,
        row: usize,
        text: &'t str,
        found: &mut Vec<Option<&'t str>>,
        ends: &mut [End],
    ) -> Result<(), RowsError> {
        if self.suspects.is_empty() {
            return Ok(());
        }
        found.clear();
        found.resize(self.renamed + self.suspects.len(), None);
        self.scan.line(text, found).map_err(|fault| fault.at(rows.origin(row)))?;
        let (with_suffix, without) = found.split_at(self.renamed);
        for (slot, suspect) in self.suspects.iter().enumerate() {
            ends[suspect.position] = match self.on_conflict {
                _ if without[slot].is_none() => End::OwnName,
                OnConflict::Left => End::LeftOut,
                OnConflict::Right => End::InPlace,
                OnConflict::Error => {
                    let (origin, field) = (rows.origin(row), suspect.name.to_owned());
                    return Err(RowsError::FeatureConflict { origin, field });
                }
                OnConflict::Suffix(_) if suspect.taken || with_suffix[slot].is_some() => {
                    let (origin, field) = (rows.origin(row), suspect.name.to_owned());
                    let renamed = suspect.renamed.clone();
                    return Err(RowsError::SuffixTaken { origin, field, renamed });
                }
                OnConflict::Suffix(_) => End::Renamed,
            };
        }
        Ok(())
    }
}

/// The name of a feature that gets the suffix.
fn renamed(name: &str, on_conflict: &OnConflict) -> String {
    match on_conflict {
        OnConflict::Suffix(suffix) => format!("{name}{suffix}"),
        _ => name.to_owned(),
    }
}

fn records_as_objects(
    rows: &Rows,
    records: &Records,
    features: &Features,
    on_conflict: &OnConflict,
    out: &mut Vec<u8>,
) -> Result<(), RowsError> {
    let header = records.header();
    let own = header.columns().iter().map(|it| it.name.as_str());
    let objects = Objects::new(own, header.origin(), rows, features, on_conflict)?;
    let row_at = |row| records.row(row);
    objects.write(out, row_at, |row, record, position, out| {
        let Some(cell) = record.value(position) else {
            out.extend_from_slice(b"null");
            return Ok(());
        };
        if header.column(position).json(cell, out) {
            return Ok(());
        }
        Err(header.misfit(rows.origin(row), position, Misfit::new(row, cell)))
    })
}

fn table_as_objects(
    rows: &Rows,
    table: &Table,
    features: &Features,
    on_conflict: &OnConflict,
    out: &mut Vec<u8>,
) -> Result<(), RowsError> {
    let values = table.values(&rows.origin(0))?;
    let own = table.schema().fields().iter().map(|it| it.name().as_str());
    let objects = Objects::new(own, &rows.origin(0), rows, features, on_conflict)?;
    objects.write(
        out,
        |_| (),
        |row, (), position, out| {
            values[position].json(row, out).map_err(|problem| {
                bad_value(&rows.origin(row), table.schema().field(position), problem)
            })
        },
    )
}

struct Objects<'a> {
    rows: &'a Rows,
    columns: Vec<Column>,
    keys: Vec<Vec<u8>>,
    features: Vec<Feature<'a>>,
    /// Whether a feature replaces an own value with its name.
    right: bool,
}

impl<'a> Objects<'a> {
    fn new<'n>(
        own: impl Iterator<Item = &'n str>,
        origin: &Origin,
        rows: &'a Rows,
        features: &'a Features,
        on_conflict: &OnConflict,
    ) -> Result<Self, RowsError> {
        let columns = join::columns(own, &features.names, on_conflict)
            .map_err(|clash| RowsError::of_clash(clash, origin.clone()))?;
        let keys = columns.iter().map(|it| key(&it.name)).collect();
        let features = features.texts(rows)?;
        Ok(Self { rows, columns, keys, features, right: *on_conflict == OnConflict::Right })
    }

    /// Writes all rows. `record` returns a row, and `own` appends its value at a position.
    fn write<R: Copy>(
        &self,
        out: &mut Vec<u8>,
        record: impl Fn(usize) -> R,
        own: impl Fn(usize, R, usize, &mut Vec<u8>) -> Result<(), RowsError>,
    ) -> Result<(), RowsError> {
        let ends: Vec<_> = self
            .columns
            .iter()
            .zip(&self.keys)
            .map(|(column, key)| {
                let feature = column.feature.and_then(|at| self.features.get(at));
                (key, column.own.filter(|_| feature.is_none() || !self.right), feature)
            })
            .collect();
        for row in 0..self.rows.len() {
            let start = out.len();
            let record = record(row);
            for (key, position, feature) in &ends {
                match (position, feature) {
                    (Some(position), _) => {
                        out.extend_from_slice(key);
                        own(row, record, *position, out)?;
                    }
                    (_, Some(feature)) => {
                        out.extend_from_slice(key);
                        feature.json(self.rows, row, out)?;
                    }
                    // A row without features gets none.
                    (_, None) => {}
                }
            }
            if out.len() == start {
                out.push(b'{');
            }
            out[start] = b'{'; // the comma of the first key
            out.extend_from_slice(b"}\n");
        }
        Ok(())
    }
}
