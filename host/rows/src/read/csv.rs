//! CSV: RFC 4180 with a header. Cells stay text; their types are inferred once, from the first rows.

mod parser;
mod scan;

use std::sync::Arc;

use self::parser::Parser;
use super::input::Input;
use super::{BATCH_BYTES, Read, ReadOptions};
use crate::record::{Cell, Cells, Header, Records};
use crate::rows::Body;
use crate::source::Part;
use crate::{Compression, Delimiter, Origin, Rows, RowsError};

/// The types of the columns come from this many rows.
const INFERRED_FROM: usize = 1_000;

pub(super) struct Csv {
    source: Arc<str>,
    /// The name of the part whose header counts.
    first: Arc<str>,
    limit: usize,
    compression: Option<Compression>,
    delimiter: Delimiter,
    parser: Parser,
    header: Arc<Header>,
    /// Rows that were read for their types and not yet handed out.
    ahead: Option<Records>,
    inferred: bool,
    /// The bytes and rows of the last batch; the next one is likely as big.
    last_batch: (usize, usize),
}

impl Csv {
    pub(super) fn new(part: Part, options: ReadOptions) -> Result<Self, RowsError> {
        let (limit, compression) = (options.limit(), options.compression);
        let (source, delimiter) = (part.name().clone(), options.delimiter);
        let input = Input::new(part.text(compression)?);
        let mut parser = Parser::new(source.clone(), input, limit, delimiter);
        let (names, origin) = names(&mut parser, &source, delimiter)?;
        let header = Header::new(names, origin, options.null, delimiter, options.types)?;
        Ok(Self {
            first: source.clone(),
            source,
            limit,
            compression,
            delimiter,
            parser,
            header: Arc::new(header),
            ahead: None,
            inferred: false,
            last_batch: (0, 0),
        })
    }

    fn read(&mut self, max_rows: usize) -> Result<Option<Records>, RowsError> {
        let width = self.header.len();
        let mut cells = Cells::with_capacity(self.last_batch, width);
        while cells.len() < max_rows && cells.bytes() < BATCH_BYTES {
            let Some(record) = self.parser.next()? else { break };
            let line = record.line;
            let Ok(text) = record.text() else {
                return Err(RowsError::NotUtf8 { origin: self.parser.origin(line) });
            };
            if record.cells.len() != width {
                let got = record.cells.len();
                return Err(self.header.miscounted(self.parser.origin(line), got));
            }
            cells.push(line, text, record.cells, record.has_quotes);
        }
        if cells.len() == 0 {
            return Ok(None);
        }
        self.last_batch = (cells.bytes(), cells.len());
        Ok(Some(Records::new(self.header.clone(), cells)))
    }

    fn infer(&mut self) -> Result<(), RowsError> {
        if let Some(first) = self.read(INFERRED_FROM)? {
            self.header = Arc::new(self.header.inferred(&first));
            self.ahead = Some(first.with_header(self.header.clone()));
            self.inferred = true;
        }
        Ok(())
    }

    fn rows(&self, records: Records) -> Rows {
        Rows::new(self.source.clone(), Body::Records(records))
    }
}

impl Read for Csv {
    fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError> {
        if !self.inferred {
            self.infer()?;
        }
        let records = match self.ahead.take() {
            Some(ahead) => {
                let (now, later) = ahead.split(max_rows);
                self.ahead = later;
                Some(now)
            }
            None => self.read(max_rows)?,
        };
        Ok(records.map(|records| self.rows(records)))
    }

    /// The types that the rows before had stay.
    fn open(&mut self, part: Part) -> Result<(), RowsError> {
        self.source = part.name().clone();
        let input = Input::new(part.text(self.compression)?);
        self.parser = Parser::new(self.source.clone(), input, self.limit, self.delimiter);
        let (names, origin) = names(&mut self.parser, &self.source, self.delimiter)?;
        if let Some(difference) = self.header.difference(&names) {
            let (first, second) = (self.first.clone(), self.source.clone());
            return Err(RowsError::OtherHeader { first, second, difference });
        }
        self.header = Arc::new(self.header.at(origin));
        Ok(())
    }

    fn empty(&self) -> Option<Rows> {
        let none = Cells::with_capacity((0, 0), self.header.len());
        Some(self.rows(Records::new(self.header.clone(), none)))
    }
}

/// The names in the header, and where it stands.
fn names(
    parser: &mut Parser,
    source: &Arc<str>,
    delimiter: Delimiter,
) -> Result<(Vec<String>, Origin), RowsError> {
    loop {
        let Some(record) = parser.next()? else {
            return Err(RowsError::NoHeader { name: source.clone() });
        };
        let line = record.line;
        let Ok(text) = record.text() else {
            return Err(RowsError::NotUtf8 { origin: parser.origin(line) });
        };
        if let Some(named) = named_delimiter(text) {
            if named == delimiter {
                continue;
            }
            let (line, origin) = (text.to_owned(), parser.origin(line));
            return Err(RowsError::OtherDelimiter { origin, line, delimiter: named });
        }
        let name = |cell: &Cell| {
            let mut name = String::new();
            cell.value(text, &mut name);
            name
        };
        let names: Vec<_> = record.cells.iter().map(name).collect();
        if names.len() == 1 {
            parser.blank_is_row();
        }
        return Ok((names, parser.origin(line)));
    }
}

/// The delimiter in a line as `sep=;`, which spreadsheets write before the header.
fn named_delimiter(line: &str) -> Option<Delimiter> {
    let line = line.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(line);
    let (name, [byte]) = line.as_bytes().split_at_checked(4)? else { return None };
    name.eq_ignore_ascii_case(b"sep=").then(|| Delimiter::new(*byte)).flatten()
}
