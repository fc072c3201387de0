//! NDJSON: features are put in before a document's closing brace; what stands before is copied.

use super::feature::Feature;
use super::{Write, json};
use crate::document::{Documents, Scan};
use crate::record::{Column, Misfit, Records};
use crate::rows::Body;
use crate::{Rows, RowsError, ValueType};

pub(super) struct Ndjson;

impl Write for Ndjson {
    fn write(
        &mut self,
        rows: &Rows,
        features: &[Feature<'_>],
        out: &mut Vec<u8>,
    ) -> Result<(), RowsError> {
        let members: Vec<_> = features.iter().map(Member::new).collect();
        match &rows.body {
            Body::Documents(documents) => splice(rows, documents, &members, out),
            Body::Records(records) => {
                let is_feature =
                    |it: &&Member<'_>| records.header().position(it.feature.name).is_none();
                let members: Vec<_> = members.iter().filter(is_feature).collect();
                objects(rows, records, &members, out)
            }
        }
    }
}

/// A feature with the text that comes before its value.
struct Member<'a> {
    key: Vec<u8>,
    feature: &'a Feature<'a>,
}

impl<'a> Member<'a> {
    fn new(feature: &'a Feature<'a>) -> Self {
        Self { key: key(feature.name), feature }
    }

    fn write(&self, rows: &Rows, row: usize, out: &mut Vec<u8>) -> Result<(), RowsError> {
        out.extend_from_slice(&self.key);
        self.feature.json(row, out).map_err(|problem| {
            let (origin, field) = (rows.origin(row), self.feature.name.to_owned());
            RowsError::FeatureValue { origin, field, problem }
        })
    }
}

fn key(name: &str) -> Vec<u8> {
    let mut key = vec![b','];
    json::string(name, &mut key);
    key.push(b':');
    key
}

fn splice(
    rows: &Rows,
    documents: &Documents,
    members: &[Member<'_>],
    out: &mut Vec<u8>,
) -> Result<(), RowsError> {
    let suspects: Vec<_> =
        members.iter().enumerate().filter(|(_, it)| documents.may_have(it.feature.name)).collect();
    let names: Vec<_> = suspects.iter().map(|(_, it)| it.feature.name).collect();
    let mut scan = Scan::new(&names);
    let mut own = vec![None; names.len()];
    let mut left_out = vec![false; members.len()];

    for row in 0..documents.len() {
        let text = documents.text(row);
        if !suspects.is_empty() {
            own.fill(None);
            scan.line(text, &mut own).map_err(|fault| fault.at(rows.origin(row)))?;
            for ((position, _), value) in suspects.iter().zip(&own) {
                left_out[*position] = value.is_some();
            }
        }
        if left_out.iter().all(|it| *it) {
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
            continue;
        }
        let body = text[..text.len() - 1].trim_ascii_end();
        out.extend_from_slice(body.as_bytes());
        let start = out.len();
        for (member, _) in members.iter().zip(&left_out).filter(|(_, left_out)| !**left_out) {
            member.write(rows, row, out)?;
        }
        if body.ends_with('{') {
            out.remove(start); // the comma of the first member
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}

fn objects(
    rows: &Rows,
    records: &Records,
    members: &[&Member<'_>],
    out: &mut Vec<u8>,
) -> Result<(), RowsError> {
    let header = records.header();
    let keys: Vec<_> = header.columns().iter().map(|column| key(&column.name)).collect();
    for row in 0..records.len() {
        let start = out.len();
        for (position, (column, key)) in header.columns().iter().zip(&keys).enumerate() {
            out.extend_from_slice(key);
            let Some(cell) = records.value(row, position) else {
                out.extend_from_slice(b"null");
                continue;
            };
            if !value(column, cell, out) {
                let misfit = Misfit::new(row, cell);
                return Err(header.misfit(rows.origin(row), position, misfit));
            }
        }
        for member in members {
            member.write(rows, row, out)?;
        }
        out[start] = b'{'; // the comma of the first key; a header has at least one column
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}

/// Appends the cell as JSON of the column's type; `false` if it does not have it.
fn value(column: &Column, cell: &str, out: &mut Vec<u8>) -> bool {
    if column.value_type == ValueType::String {
        json::string(cell, out);
        return true;
    }
    match (column.value_type, ValueType::of(cell)) {
        // What is spelled as JSON spells it is copied, so that no digit is lost.
        (expected, found) if expected.or(found) == expected => {
            out.extend_from_slice(cell.as_bytes());
            true
        }
        (ValueType::Int64, _) => column.int64(cell).map(|it| json::integer(it, out)).is_some(),
        (ValueType::Float64, _) => column.float64(cell).map(|it| json::float64(it, out)).is_some(),
        _ => false,
    }
}
