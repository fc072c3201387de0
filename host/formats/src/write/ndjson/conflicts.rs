//! Which features of a document have the name of a key in it, and what becomes of them.

use crate::document::{Documents, Scan};
use crate::write::feature::Feature;
use crate::{OnConflict, Rows, RowsError};

/// Where a feature ends up in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Behind the own fields, under its name.
    Plain,
    /// Behind them, with the suffix.
    Renamed,
    /// Nowhere: the own value stays.
    LeftOut,
    /// Where the own value stood.
    InPlace,
}

/// Judges row after row. Only names that a row of the reader had are looked for.
pub(super) struct Conflicts<'a> {
    on_conflict: &'a OnConflict,
    suspects: Vec<Suspect<'a>>,
    /// Finds the names with their suffix, then those without. A name that is both counts as the
    /// latter.
    scan: Scan,
    /// How many names with a suffix the scan finds.
    renamed: usize,
}

/// A feature that a row may have itself.
struct Suspect<'a> {
    position: usize,
    name: &'a str,
    renamed: String,
    /// Another feature has the name with the suffix.
    taken: bool,
}

impl<'a> Conflicts<'a> {
    pub(super) fn new(
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

    /// Says for each feature where it ends up in `text`; `found` is room that rows share.
    pub(super) fn judge<'t>(
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
        let (with_suffix, plain) = found.split_at(self.renamed);
        for (slot, suspect) in self.suspects.iter().enumerate() {
            ends[suspect.position] = match self.on_conflict {
                _ if plain[slot].is_none() => End::Plain,
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
pub(super) fn renamed(name: &str, on_conflict: &OnConflict) -> String {
    match on_conflict {
        OnConflict::Suffix(suffix) => format!("{name}{suffix}"),
        _ => name.to_owned(),
    }
}
