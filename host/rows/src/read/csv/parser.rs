//! One CSV record at a time, with the line on which it begins.
//!
//! The parser is our own and not `csv-core`, because `csv-core` accepts a quote that is never
//! closed and text behind a closing quote, and rows disappear in such a cell without an error
//! (`docs/adr/0014-a-strict-csv-parser.md`).

use std::str::Utf8Error;
use std::sync::Arc;

use super::scan::{Ends, Fault, Scan, Step};
use crate::delimiter::Looks;
use crate::read::input::Input;
use crate::record::Cell;
use crate::{Delimiter, Origin, RowsError};

pub(super) struct Parser {
    source: Arc<str>,
    input: Input,
    limit: usize,
    /// The bytes that end a cell without quotes.
    ends: Ends,
    /// A line without a character is a row: of a single column it is the only spelling of an empty
    /// cell that some writers know.
    blank_is_row: bool,
    /// The line at which the input stands, from 1.
    line: u64,
    /// The bytes of the last record and its line end, which are consumed before the next one.
    used: usize,
    /// The last byte consumed was a CR: an LF that follows belongs to the same line end.
    after_cr: bool,
    cells: Vec<Cell>,
}

/// A parsed record. Its text is checked by the caller.
pub(super) struct Record<'a> {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// Its bytes without the line end.
    pub(super) raw: &'a [u8],
    /// Where its cells stand in `raw`.
    pub(super) cells: &'a [Cell],
    /// Whether a cell of it is quoted.
    pub(super) has_quotes: bool,
}

impl Record<'_> {
    /// The text; quotes and delimiters are ASCII, so each cell of it is UTF-8, too.
    pub(super) fn text(&self) -> Result<&str, Utf8Error> {
        str::from_utf8(self.raw)
    }
}

impl Parser {
    pub(super) fn new(source: Arc<str>, input: Input, limit: usize, delimiter: Delimiter) -> Self {
        Self {
            source,
            input,
            limit,
            ends: Ends::new(delimiter.byte()),
            blank_is_row: false,
            line: 1,
            used: 0,
            after_cr: false,
            cells: Vec::with_capacity(64),
        }
    }

    /// Takes blank lines for rows from now on.
    pub(super) fn blank_is_row(&mut self) {
        self.blank_is_row = true;
    }

    /// The next record; `None` at the end of the input.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, RowsError> {
        if !self.skip_to_record()? {
            return Ok(None);
        }
        let mut scan = Scan::default();
        self.cells.clear();
        loop {
            let step = scan.run(self.input.data(), &self.ends, &mut self.cells);
            if scan.at() > self.limit {
                return Err(self.too_long());
            }
            if step == Step::Ended {
                break;
            }
            if !self.fill()? {
                if let Some(quote) = scan.end(&mut self.cells) {
                    let (line, column) = self.place(quote);
                    return Err(RowsError::UnclosedQuote { origin: self.origin(line), column });
                }
                break;
            }
        }
        if let Some(fault) = scan.fault() {
            return Err(self.text_after_quote(fault));
        }
        let (line, end) = (self.line, scan.at());
        let data = self.input.data();
        if scan.has_quotes() {
            self.line += lines(&data[..end]);
        }
        self.used = end;
        if let Some(byte) = data.get(end) {
            self.after_cr = *byte == b'\r';
            self.line += 1;
            self.used += 1;
        }
        let (raw, has_quotes) = (&self.input.data()[..end], scan.has_quotes());
        Ok(Some(Record { line, raw, cells: &self.cells, has_quotes }))
    }

    /// Consumes the last record, then blank lines if they are no rows; `false` at the end of the
    /// input.
    fn skip_to_record(&mut self) -> Result<bool, RowsError> {
        self.input.consume(std::mem::take(&mut self.used));
        loop {
            let mut blank = 0;
            for byte in self.input.data() {
                match byte {
                    b'\n' if std::mem::take(&mut self.after_cr) => {}
                    b'\n' | b'\r' if !self.blank_is_row => {
                        self.line += 1;
                        self.after_cr = *byte == b'\r';
                    }
                    _ => break,
                }
                blank += 1;
            }
            let found = blank < self.input.data().len();
            self.input.consume(blank);
            if found || !self.fill()? {
                self.after_cr = false;
                return Ok(found);
            }
        }
    }

    fn fill(&mut self) -> Result<bool, RowsError> {
        self.input.fill().map_err(|cause| RowsError::Read { origin: self.origin(self.line), cause })
    }

    fn too_long(&self) -> RowsError {
        RowsError::TooLong {
            origin: self.origin(self.line),
            limit: self.limit,
            hint: "is a quote not closed? if not, raise the limit",
        }
    }

    fn text_after_quote(&self, fault: Fault) -> RowsError {
        let ((line, column), (opened, _)) = (self.place(fault.text), self.place(fault.quote));
        let origin = self.origin(line);
        if line == opened {
            let byte = self.input.data().get(fault.text);
            let other = Delimiter::USUAL.into_iter().find(|it| Some(&it.byte()) == byte);
            RowsError::TextAfterQuote { origin, column, looks: Looks(other) }
        } else {
            RowsError::TextAfterLongQuote { origin, column, opened }
        }
    }

    /// The line and the column, both from 1, of the byte at `offset` in the current record.
    fn place(&self, offset: usize) -> (u64, usize) {
        let before = &self.input.data()[..offset];
        let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
        (self.line + lines(before), offset - start + 1)
    }

    pub(super) fn origin(&self, line: u64) -> Origin {
        Origin::line(self.source.clone(), line)
    }
}

/// The line ends in a text: LF, CRLF, or a CR alone.
fn lines(text: &[u8]) -> u64 {
    let ends = memchr::memchr2_iter(b'\n', b'\r', text);
    ends.filter(|at| text[*at] == b'\r' || *at == 0 || text[at - 1] != b'\r').count() as u64
}
