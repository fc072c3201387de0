//! Documents get their features in, and keep every byte of what else they hold.

use super::conflicts::{Conflicts, End, renamed};
use super::key;
use crate::document::{Documents, members};
use crate::write::feature::Feature;
use crate::{OnConflict, Rows, RowsError};
use beamlet_values::json_text;

pub(super) fn write(
    rows: &Rows,
    documents: &Documents,
    features: &[Feature<'_>],
    on_conflict: &OnConflict,
    out: &mut Vec<u8>,
) -> Result<(), RowsError> {
    let keys: Vec<_> = features.iter().map(|it| key(it.name)).collect();
    let mut conflicts = Conflicts::new(documents, features, on_conflict);
    let mut found = Vec::new();
    let mut ends = vec![End::Plain; features.len()];

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
                End::Plain => out.extend_from_slice(key_of),
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

/// Copies `body`, which lacks only its closing brace, with the features' values where the own ones
/// stand. A key that is there twice stays once, where it stood first.
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
            // A second one goes with the comma before it.
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
