//! CSV: RFC 4180 with a header. Cells stay text; their types are inferred once, from the first rows.

mod parser;

use std::sync::Arc;

use self::parser::Parser;
use super::input::Input;
use super::{BATCH_BYTES, Read, ReadOptions, is_late};
use crate::record::{Block, Header, Records};
use crate::rows::Body;
use crate::source::Part;
use crate::{Compression, Origin, Patience, Rows, RowsError};

/// The types of the columns come from this many rows.
const INFERRED_FROM: usize = 1_000;

pub(super) struct Csv {
    source: Arc<str>,
    /// The name of the part whose header counts.
    first: Arc<str>,
    limit: usize,
    compression: Option<Compression>,
    parser: Parser,
    header: Arc<Header>,
    /// Rows that were read for their types and not yet handed out.
    ahead: Option<Records>,
    inferred: bool,
    patience: Patience,
    /// The bytes and rows of the last batch; the next one is likely as big.
    last_batch: (usize, usize),
}

impl Csv {
    pub(super) fn new(part: Part, options: ReadOptions) -> Result<Self, RowsError> {
        let (limit, compression) = (options.limit(), options.compression);
        let (source, patience) = (part.name().clone(), options.patience);
        let input = Input::new(part.text(compression)?, patience.clone());
        let mut parser = Parser::new(source.clone(), input, limit);
        let (names, origin) = names(&mut parser, &source)?;
        let header = Arc::new(Header::new(names, origin, options.null, options.types)?);
        Ok(Self {
            first: source.clone(),
            source,
            limit,
            compression,
            parser,
            header,
            ahead: None,
            inferred: false,
            patience,
            last_batch: (0, 0),
        })
    }

    fn read(&mut self, max_rows: usize) -> Result<Option<Records>, RowsError> {
        let mut block = Block::with_capacity(self.last_batch, self.header.len());
        while block.len() < max_rows && block.bytes() < BATCH_BYTES {
            let record = match self.parser.next() {
                Err(error) if is_late(&error) => {
                    if block.len() > 0 || self.patience.is_stopped() {
                        break;
                    }
                    self.patience.reset();
                    continue;
                }
                record => record?,
            };
            let Some(record) = record else { break };
            if record.ends().len() != self.header.len() {
                let (line, got) = (record.line(), record.ends().len());
                return Err(self.header.miscounted(self.parser.origin(line), got));
            }
            block.push(record.line(), record.text(), record.ends());
        }
        if block.len() == 0 {
            return Ok(None);
        }
        self.last_batch = (block.bytes(), block.len());
        match block.checked(self.header.len()) {
            Ok(cells) => Ok(Some(Records::new(self.header.clone(), cells))),
            Err(line) => Err(RowsError::NotUtf8 { origin: self.parser.origin(line) }),
        }
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
        let input = Input::new(part.text(self.compression)?, self.patience.clone());
        self.parser = Parser::new(self.source.clone(), input, self.limit);
        let (names, origin) = names(&mut self.parser, &self.source)?;
        if let Some(difference) = self.header.difference(&names) {
            let (first, second) = (self.first.clone(), self.source.clone());
            return Err(RowsError::OtherHeader { first, second, difference });
        }
        self.header = Arc::new(self.header.at(origin));
        Ok(())
    }

    fn empty(&self) -> Option<Rows> {
        let none = Block::default().checked(self.header.len()).ok()?;
        Some(self.rows(Records::new(self.header.clone(), none)))
    }
}

/// The names in the header, and where it stands.
fn names(parser: &mut Parser, source: &Arc<str>) -> Result<(Vec<String>, Origin), RowsError> {
    let Some(record) = parser.next()? else {
        return Err(RowsError::NoHeader { name: source.clone() });
    };
    let (line, text, ends) = (record.line(), record.text().to_vec(), record.ends().to_vec());
    let mut block = Block::default();
    block.push(line, &text, &ends);
    let origin = parser.origin(line);
    let Ok(cells) = block.checked(ends.len()) else {
        return Err(RowsError::NotUtf8 { origin });
    };
    Ok(((0..ends.len()).map(|column| cells.get(0, column).to_owned()).collect(), origin))
}
