//! CSV: a header from the first batch, own cells as they were read, then features.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use csv::QuoteStyle;

use super::Write;
use super::aside::Aside;
use super::features::{Feature, Features};
use crate::document::{Documents, Scan};
use crate::record::{Header, Records};
use crate::rows::Body;
use crate::table::{Table, bad_value};
use crate::{Delimiter, OnConflict, Origin, Rows, RowsError};
use beamlet_contract::join::{self, Column};
use beamlet_values::json_text;

#[derive(Clone)]
pub(super) struct Csv {
    null: String,
    delimiter: Delimiter,
    on_conflict: OnConflict,
    shape: Option<Shape>,
}

/// What the first batch determines for all batches.
#[derive(Clone)]
struct Shape {
    own: Own,
    features: Vec<String>,
    columns: Vec<Column>,
}

/// The rows' own columns.
#[derive(Clone)]
enum Own {
    /// Every key of the first batch of documents.
    Keys(Vec<String>),
    Header(Arc<Header>),
    Schema(SchemaRef),
}

type Lines<'a> = csv::Writer<&'a mut Vec<u8>>;

impl Csv {
    pub(super) fn new(null: String, delimiter: Delimiter, on_conflict: OnConflict) -> Self {
        Self { null, delimiter, on_conflict, shape: None }
    }

    fn records(
        &self,
        rows: &Rows,
        records: &Records,
        features: &[Feature<'_>],
        columns: &[Column],
        lines: &mut Lines<'_>,
    ) -> Result<(), RowsError> {
        let mut cell = Vec::new();
        let ends = self.ends(features, columns);
        for row in 0..records.len() {
            let record = records.row(row);
            for (column, feature) in &ends {
                match column {
                    Some(own) => put(lines, record.value(*own).unwrap_or(&self.null).as_bytes()),
                    None => self.feature(rows, row, *feature, &mut cell, lines)?,
                }
            }
            end(lines);
        }
        Ok(())
    }

    fn writer(&self) -> csv::WriterBuilder {
        let mut writer = csv::WriterBuilder::new();
        writer.delimiter(self.delimiter.byte());
        writer
    }

    /// For each column: the own field whose values it holds, if any, and the feature.
    fn ends<'f>(
        &self,
        features: &'f [Feature<'f>],
        columns: &[Column],
    ) -> Vec<(Option<usize>, Option<&'f Feature<'f>>)> {
        let right = self.on_conflict == OnConflict::Right;
        let ends = columns.iter().map(|column| {
            let feature = column.feature.and_then(|at| features.get(at));
            (column.own.filter(|_| feature.is_none() || !right), feature)
        });
        ends.collect()
    }

    fn documents(
        &self,
        rows: &Rows,
        documents: &Documents,
        features: &[Feature<'_>],
        columns: &[Column],
        lines: &mut Lines<'_>,
    ) -> Result<(), RowsError> {
        let names: Vec<_> = columns.iter().map(|it| it.name.as_str()).collect();
        let mut scan = Scan::new(&names);
        let mut found = vec![None; names.len()];
        let mut cell = Vec::new();
        let right = self.on_conflict == OnConflict::Right;
        let ends = self.ends(features, columns);
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
            for (position, (column, feature)) in ends.iter().enumerate() {
                match found[position] {
                    Some(text) if !right || feature.is_none() => {
                        let column_of = &columns[position];
                        if column.is_none() {
                            self.judge(rows, row, column_of)?;
                        }
                        put(lines, self.cell(rows, row, &column_of.name, text)?.as_bytes());
                    }
                    _ => self.feature(rows, row, *feature, &mut cell, lines)?,
                }
            }
            end(lines);
        }
        Ok(())
    }

    fn columns(
        &self,
        rows: &Rows,
        table: &Table,
        features: &[Feature<'_>],
        columns: &[Column],
        lines: &mut Lines<'_>,
    ) -> Result<(), RowsError> {
        if rows.is_empty() {
            return Ok(());
        }
        let values = table.values(&rows.origin(0))?;
        let mut cell = Vec::new();
        let ends = self.ends(features, columns);
        for row in 0..table.len() {
            for (own, feature) in &ends {
                let Some(own) = own else {
                    self.feature(rows, row, *feature, &mut cell, lines)?;
                    continue;
                };
                cell.clear();
                let there = values[*own].text(row, &mut cell).map_err(|problem| {
                    bad_value(&rows.origin(row), table.schema().field(*own), problem)
                })?;
                put(lines, if there { &cell } else { self.null.as_bytes() });
            }
            end(lines);
        }
        Ok(())
    }

    /// Checks that an own value may be written to `column`: a later row can have the name of a
    /// feature although no row of the first batch had it.
    fn judge(&self, rows: &Rows, row: usize, column: &Column) -> Result<(), RowsError> {
        if column.own.is_some() {
            return Ok(());
        }
        let (origin, field) = (rows.origin(row), column.name.clone());
        match self.on_conflict {
            OnConflict::Left | OnConflict::Right => Ok(()),
            OnConflict::Error => Err(RowsError::FeatureConflict { origin, field }),
            OnConflict::Suffix(_) => Err(RowsError::NoColumn { origin, field }),
        }
    }

    /// The cell for an own value: the characters of a string, or the JSON text of any other value.
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

    #[inline]
    fn feature(
        &self,
        rows: &Rows,
        row: usize,
        feature: Option<&Feature<'_>>,
        cell: &mut Vec<u8>,
        lines: &mut Lines<'_>,
    ) -> Result<(), RowsError> {
        cell.clear();
        match feature {
            Some(feature) if feature.text(rows, row, cell)? => put(lines, cell),
            _ => put(lines, self.null.as_bytes()),
        }
        Ok(())
    }

    /// Determines the columns from this first batch.
    fn shape(&self, rows: &Rows, features: &Features) -> Result<Shape, RowsError> {
        let own = Own::of(rows)?;
        let features = features.names.clone();
        let columns =
            join::columns(own.names(), &features, &self.on_conflict).map_err(|clash| {
                let origin = own.origin(rows, clash.field());
                RowsError::of_clash(clash, origin)
            })?;
        Ok(Shape { own, features, columns })
    }
}

impl Csv {
    fn append(
        &mut self,
        rows: &Rows,
        features: &Features,
        out: &mut Vec<u8>,
    ) -> Result<(), RowsError> {
        // A header without rows is written, because it is the whole content of its file.
        let bare_header = self.shape.is_none() && !matches!(rows.body, Body::Documents(_));
        if rows.is_empty() && !bare_header {
            return Ok(());
        }
        let mut first = None;
        let shape = match &self.shape {
            Some(shape) => shape,
            None => first.insert(self.shape(rows, features)?),
        };
        if features.batch.is_some() && features.names != shape.features {
            let (was, now) = (shape.features.join(", "), features.names.join(", "));
            return Err(RowsError::FeatureColumns { origin: rows.origin(0), was, now });
        }
        let texts = features.texts(rows)?;
        if self.shape.is_none() {
            // Without quotes, readers would take a byte order mark at the start of the first name
            // for that of the file.
            let has_mark = shape.columns.first().is_some_and(|it| it.name.starts_with('\u{feff}'));
            let style = if has_mark { QuoteStyle::Always } else { QuoteStyle::Necessary };
            let mut lines = self.writer().quote_style(style).from_writer(&mut *out);
            shape.columns.iter().for_each(|it| put(&mut lines, it.name.as_bytes()));
            end(&mut lines);
            lines.flush().expect("a vector takes every byte");
        }
        let mut lines = self.writer().from_writer(out);
        match (&rows.body, &shape.own) {
            (Body::Records(records), Own::Header(header))
                if header.same_names(records.header()) =>
            {
                self.records(rows, records, &texts, &shape.columns, &mut lines)
            }
            (Body::Table(batch), Own::Schema(schema)) if schema == batch.schema() => {
                self.columns(rows, batch, &texts, &shape.columns, &mut lines)
            }
            (Body::Documents(documents), Own::Keys(_)) => {
                self.documents(rows, documents, &texts, &shape.columns, &mut lines)
            }
            _ => Err(RowsError::OtherColumns { origin: rows.origin(0) }),
        }?;
        lines.flush().expect("a vector takes every byte");
        drop(lines);
        // A batch that fails writes no header.
        self.shape = self.shape.take().or(first);
        Ok(())
    }
}

impl Write for Csv {
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
                // A clone, because checking rows must not define the header.
                let check = |rows: &Rows| self.clone().append(rows, &without, &mut Vec::new());
                let good = aside.sift(rows, check);
                out.truncate(start);
                self.append(&rows.select(&good), &features.select(&good)?, out)
            }
            done => done,
        }
    }
}

impl Own {
    fn of(rows: &Rows) -> Result<Self, RowsError> {
        match &rows.body {
            Body::Records(records) => Ok(Self::Header(records.header().clone())),
            Body::Table(table) => Ok(Self::Schema(table.schema().clone())),
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

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Keys(keys) => Box::new(keys.iter().map(String::as_str)),
            Self::Header(header) => Box::new(header.columns().iter().map(|it| it.name.as_str())),
            Self::Schema(schema) => Box::new(schema.fields().iter().map(|it| it.name().as_str())),
        }
    }

    /// Where `name` first occurs.
    fn origin(&self, rows: &Rows, name: &str) -> Origin {
        match (self, &rows.body) {
            (Self::Header(header), _) => header.origin().clone(),
            (Self::Keys(_), Body::Documents(documents)) => {
                rows.origin(documents.first_with(name).unwrap_or(0))
            }
            _ if rows.is_empty() => rows.place(),
            _ => rows.origin(0),
        }
    }
}

#[inline]
fn put(lines: &mut Lines<'_>, cell: &[u8]) {
    lines.write_field(cell).expect("a vector takes every byte");
}

fn end(lines: &mut Lines<'_>) {
    lines
        .write_record(None::<&[u8]>)
        .expect("a vector takes every byte, and rows may be of any width");
}
