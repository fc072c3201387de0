//! CSV: RFC 4180 with a header. Cells stay text. Their types are inferred once, from the first
//! rows.

mod parser;
mod scan;

use std::sync::Arc;

use self::parser::{Parsed, Parser};
use super::input::Input;
use super::{BATCH_BYTES, Read, ReadOptions, is_late};
use crate::record::{Cell, Cells, Header, Records};
use crate::rows::Body;
use crate::source::Part;
use crate::{BadRow, Compression, Delimiter, Origin, Patience, Rows, RowsError};

/// The number of rows from which the types of columns are inferred.
const INFERRED_FROM: usize = 1_000;

pub(super) struct Csv {
    source: Arc<str>,
    /// The name of the part whose header counts.
    first: Arc<str>,
    limit: usize,
    compression: Option<Compression>,
    delimiter: Delimiter,
    set_aside: bool,
    parser: Parser,
    header: Arc<Header>,
    /// Rows that were read for type inference and not returned yet.
    ahead: Option<(Records, Vec<BadRow>)>,
    inferred: bool,
    patience: Patience,
    /// The size of the last batch in bytes and rows; the next one is likely as big.
    last_batch: (usize, usize),
}

impl Csv {
    pub(super) fn new(part: Part, options: ReadOptions) -> Result<Self, RowsError> {
        let (limit, compression) = (options.limit(), options.compression);
        let (source, delimiter) = (part.name().clone(), options.delimiter);
        let patience = options.patience;
        let input = Input::new(part.text(compression)?, patience.clone());
        let mut parser = Parser::new(source.clone(), input, limit, delimiter, options.set_aside);
        let (names, origin) = names(&mut parser, &source, delimiter, &patience)?;
        let header = Header::new(names, origin, options.null, delimiter, options.types)?;
        Ok(Self {
            first: source.clone(),
            source,
            limit,
            compression,
            delimiter,
            set_aside: options.set_aside,
            parser,
            header: Arc::new(header),
            ahead: None,
            inferred: false,
            patience,
            last_batch: (0, 0),
        })
    }

    /// The next rows, and the faulty rows between them.
    fn read(&mut self, max_rows: usize) -> Result<Option<(Records, Vec<BadRow>)>, RowsError> {
        let width = self.header.len();
        let mut cells = Cells::with_capacity(self.last_batch, width);
        let (mut set_aside, mut bytes) = (Vec::new(), 0);
        while cells.len() + set_aside.len() < max_rows && cells.bytes() + bytes < BATCH_BYTES {
            let record = match self.parser.next() {
                Err(error) if is_late(&error) => {
                    if cells.len() + set_aside.len() > 0 || self.patience.is_stopped() {
                        break;
                    }
                    self.patience.reset();
                    continue;
                }
                Err(error) => return Err(error),
                Ok(Some(Parsed::Record(record))) => record,
                Ok(Some(Parsed::Bad(row))) => {
                    bytes += row.bytes();
                    set_aside.push(row);
                    continue;
                }
                Ok(None) => break,
            };
            let (line, got) = (record.line, record.cells.len());
            let origin = || Origin::line(self.source.clone(), line);
            let error = match record.text() {
                Ok(text) if got == width => {
                    cells.push(line, text, record.cells, record.has_quotes);
                    continue;
                }
                Ok(_) => self.header.miscounted(origin(), got),
                Err(_) => RowsError::NotUtf8 { origin: origin() },
            };
            if !self.set_aside {
                return Err(error);
            }
            let row = BadRow::unread(error, origin(), record.raw);
            bytes += row.bytes();
            set_aside.push(row);
        }
        if cells.len() == 0 && set_aside.is_empty() {
            return Ok(None);
        }
        self.last_batch = (cells.bytes(), cells.len());
        Ok(Some((Records::new(self.header.clone(), cells), set_aside)))
    }

    fn infer(&mut self) -> Result<(), RowsError> {
        if let Some((first, set_aside)) = self.read(INFERRED_FROM)? {
            self.header = Arc::new(first.inferred_header());
            self.ahead = Some((first.with_header(self.header.clone()), set_aside));
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
        let read = match self.ahead.take() {
            Some((ahead, set_aside)) => {
                let (now, later) = ahead.split(max_rows);
                self.ahead = later.map(|later| (later, Vec::new()));
                Some((now, set_aside))
            }
            None => self.read(max_rows)?,
        };
        Ok(read.map(|(records, set_aside)| self.rows(records).with_set_aside(set_aside)))
    }

    /// The types from the first part are kept.
    fn open(&mut self, part: Part) -> Result<(), RowsError> {
        self.source = part.name().clone();
        let input = Input::new(part.text(self.compression)?, self.patience.clone());
        self.parser =
            Parser::new(self.source.clone(), input, self.limit, self.delimiter, self.set_aside);
        let (names, origin) =
            names(&mut self.parser, &self.source, self.delimiter, &self.patience)?;
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

/// The names in the header, and its place.
fn names(
    parser: &mut Parser,
    source: &Arc<str>,
    delimiter: Delimiter,
    patience: &Patience,
) -> Result<(Vec<String>, Origin), RowsError> {
    loop {
        let record = match parser.next() {
            Err(error) if is_late(&error) && !patience.is_stopped() => {
                patience.reset();
                continue;
            }
            Err(error) => return Err(error),
            Ok(Some(Parsed::Record(record))) => record,
            Ok(Some(Parsed::Bad(row))) => return Err(row.error),
            Ok(None) => return Err(RowsError::NoHeader { name: source.clone() }),
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

/// The delimiter in a line such as `sep=;`, which spreadsheets write before the header.
fn named_delimiter(line: &str) -> Option<Delimiter> {
    let line = line.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(line);
    let (name, [byte]) = line.as_bytes().split_at_checked(4)? else { return None };
    name.eq_ignore_ascii_case(b"sep=").then(|| Delimiter::new(*byte)).flatten()
}
