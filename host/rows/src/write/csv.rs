//! CSV: a header from the first batch, own cells as they were, features behind them.

use std::borrow::Cow;
use std::sync::Arc;

use super::Write;
use super::feature::Feature;
use crate::document::{Documents, Scan};
use crate::record::{Header, Records};
use crate::rows::Body;
use crate::{Rows, RowsError, json_text};

pub(super) struct Csv {
    null: String,
    own: Option<Own>,
}

/// The columns that the rows bring themselves.
enum Own {
    /// Every key of the first batch of documents.
    Keys(Vec<String>),
    Header(Arc<Header>),
}

type Lines<'a> = csv::Writer<&'a mut Vec<u8>>;

/// A column of the file, with the feature for rows that do not bring a value themselves.
struct Column<'a> {
    name: &'a str,
    feature: Option<&'a Feature<'a>>,
}

impl Csv {
    pub(super) fn new(null: String) -> Self {
        Self { null, own: None }
    }

    fn records(
        &self,
        rows: &Rows,
        records: &Records,
        columns: &[Column<'_>],
        lines: &mut Lines<'_>,
    ) -> Result<(), RowsError> {
        let (own, others) = columns.split_at(records.header().len());
        let mut cell = Vec::new();
        for row in 0..records.len() {
            for column in 0..own.len() {
                put(lines, records.value(row, column).unwrap_or(&self.null).as_bytes());
            }
            for column in others {
                self.feature(rows, row, column, &mut cell, lines)?;
            }
            end(lines);
        }
        Ok(())
    }

    fn documents(
        &self,
        rows: &Rows,
        documents: &Documents,
        columns: &[Column<'_>],
        lines: &mut Lines<'_>,
    ) -> Result<(), RowsError> {
        let names: Vec<_> = columns.iter().map(|it| it.name).collect();
        let mut scan = Scan::new(&names);
        let mut found = vec![None; names.len()];
        let mut cell = Vec::new();
        for row in 0..documents.len() {
            found.fill(None);
            scan.line(documents.text(row), &mut found)
                .map_err(|fault| fault.at(rows.origin(row)))?;
            if let Some(key) = scan.unwanted() {
                return Err(RowsError::NoColumn {
                    origin: rows.origin(row),
                    field: key.to_owned(),
                });
            }
            for (column, value) in columns.iter().zip(&found) {
                match value {
                    Some(text) => put(lines, self.cell(rows, row, column.name, text)?.as_bytes()),
                    None => self.feature(rows, row, column, &mut cell, lines)?,
                }
            }
            end(lines);
        }
        Ok(())
    }

    /// The cell for an own value: a string's characters, the text of anything else.
    fn cell<'a>(
        &'a self,
        rows: &Rows,
        row: usize,
        name: &str,
        text: &'a str,
    ) -> Result<Cow<'a, str>, RowsError> {
        match text {
            "null" => Ok(self.null.as_str().into()),
            _ if !text.starts_with('"') => Ok(text.into()),
            _ if !text.contains('\\') => Ok(text[1..text.len() - 1].into()),
            _ => serde_json::from_str(text).map(Cow::Owned).map_err(|error| {
                let (origin, field) = (rows.origin(row), name.to_owned());
                RowsError::FieldEscape { origin, field, problem: json_text::problem(&error) }
            }),
        }
    }

    fn feature(
        &self,
        rows: &Rows,
        row: usize,
        column: &Column<'_>,
        cell: &mut Vec<u8>,
        lines: &mut Lines<'_>,
    ) -> Result<(), RowsError> {
        cell.clear();
        match column.feature.map_or(Ok(false), |feature| feature.text(row, cell)) {
            Ok(true) => put(lines, cell),
            Ok(false) => put(lines, self.null.as_bytes()),
            Err(problem) => {
                let (origin, field) = (rows.origin(row), column.name.to_owned());
                return Err(RowsError::FeatureValue { origin, field, problem });
            }
        }
        Ok(())
    }
}

impl Write for Csv {
    fn write(
        &mut self,
        rows: &Rows,
        features: &[Feature<'_>],
        out: &mut Vec<u8>,
    ) -> Result<(), RowsError> {
        // A header without rows is written: it is all that its file says.
        let bare_header = self.own.is_none() && matches!(rows.body, Body::Records(_));
        if rows.is_empty() && !bare_header {
            return Ok(());
        }
        let mut first = None;
        let own = match &self.own {
            Some(own) => own,
            None => first.insert(Own::of(rows)?),
        };
        let columns = own.columns(features);
        let mut lines = csv::Writer::from_writer(out);
        if self.own.is_none() {
            columns.iter().for_each(|it| put(&mut lines, it.name.as_bytes()));
            end(&mut lines);
        }
        match (&rows.body, own) {
            (Body::Records(records), Own::Header(header))
                if header.same_names(records.header()) =>
            {
                self.records(rows, records, &columns, &mut lines)
            }
            (Body::Documents(documents), Own::Keys(_)) => {
                self.documents(rows, documents, &columns, &mut lines)
            }
            _ => Err(RowsError::OtherColumns { origin: rows.origin(0) }),
        }?;
        lines.flush().expect("a vector takes every byte");
        drop(lines);
        // A batch that failed has written no header.
        self.own = self.own.take().or(first);
        Ok(())
    }
}

impl Own {
    fn of(rows: &Rows) -> Result<Self, RowsError> {
        match &rows.body {
            Body::Records(records) => Ok(Self::Header(records.header().clone())),
            Body::Documents(documents) => {
                let mut scan = Scan::new(&[]);
                for row in 0..documents.len() {
                    scan.line(documents.text(row), &mut [])
                        .map_err(|fault| fault.at(rows.origin(row)))?;
                }
                Ok(Self::Keys(scan.keys().map(str::to_owned).collect()))
            }
        }
    }

    /// The own columns, then those of `features` whose names are not taken.
    fn columns<'a>(&'a self, features: &'a [Feature<'a>]) -> Vec<Column<'a>> {
        let feature = |name: &str| features.iter().find(|it| it.name == name);
        let column = |name: &'a str| Column { name, feature: feature(name) };
        let mut columns: Vec<_> = match self {
            Self::Keys(keys) => keys.iter().map(|key| column(key)).collect(),
            Self::Header(header) => header.columns().iter().map(|it| column(&it.name)).collect(),
        };
        let own = columns.len();
        for feature in features {
            if !columns[..own].iter().any(|it| it.name == feature.name) {
                columns.push(column(feature.name));
            }
        }
        columns
    }
}

fn put(lines: &mut Lines<'_>, cell: &[u8]) {
    lines.write_field(cell).expect("a vector takes every byte");
}

fn end(lines: &mut Lines<'_>) {
    lines
        .write_record(None::<&[u8]>)
        .expect("a vector takes every byte, and rows may be of any width");
}
