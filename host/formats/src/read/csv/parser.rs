//! Parses one CSV record at a time, with the line on which it begins.
//!
//! The parser is our own and not `csv-core`, because `csv-core` accepts an unclosed quote and text
//! after a closing quote. Rows disappear in such a cell without an error
//! (`docs/adr/0017-a-strict-csv-parser.md`).

use std::str::Utf8Error;
use std::sync::Arc;

use super::scan::{Ends, Fault, Scan, Step};
use crate::bad_row::Spool;
use crate::delimiter::LikelyDelimiter;
use crate::read::input::Input;
use crate::record::Cell;
use crate::{BadRow, Delimiter, Origin, RowsError};

pub(super) struct Parser {
    source: Arc<str>,
    input: Input,
    limit: usize,
    /// Whether a faulty record is set aside.
    set_aside: bool,
    /// The bytes that end a cell without quotes.
    ends: Ends,
    /// Whether an empty line is a row: some writers write the empty cell of a single column that
    /// way.
    blank_is_row: bool,
    /// The current line of the input, from 1.
    line: u64,
    /// The bytes of the last record and its line end, which are consumed before the next one.
    used: usize,
    /// The last byte consumed was a CR: an LF that follows belongs to the same line end.
    after_cr: bool,
    cells: Vec<Cell>,
}

/// The next item of the input.
pub(super) enum Parsed<'a> {
    Record(Record<'a>),
    Bad(BadRow),
}

/// A parsed record. Its text is checked by the caller.
pub(super) struct Record<'a> {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// Its bytes without the line end.
    pub(super) raw: &'a [u8],
    /// The positions of its cells in `raw`.
    pub(super) cells: &'a [Cell],
    /// Whether a cell of it is quoted.
    pub(super) has_quotes: bool,
}

impl Record<'_> {
    /// The text. Quotes and delimiters are ASCII, so if the record is UTF-8, each of its cells is.
    pub(super) fn text(&self) -> Result<&str, Utf8Error> {
        str::from_utf8(self.raw)
    }
}

impl Parser {
    pub(super) fn new(
        source: Arc<str>,
        input: Input,
        limit: usize,
        delimiter: Delimiter,
        set_aside: bool,
    ) -> Self {
        Self {
            source,
            input,
            limit,
            set_aside,
            ends: Ends::new(delimiter.byte()),
            blank_is_row: false,
            line: 1,
            used: 0,
            after_cr: false,
            cells: Vec::with_capacity(64),
        }
    }

    /// Treats blank lines as rows from now on.
    pub(super) fn blank_is_row(&mut self) {
        self.blank_is_row = true;
    }

    /// The next record; `None` at the end of the input. After a read that failed because no data
    /// was available, the record is scanned again from its first byte.
    pub(super) fn next(&mut self) -> Result<Option<Parsed<'_>>, RowsError> {
        if !self.skip_to_record()? {
            return Ok(None);
        }
        let mut scan = Scan::default();
        self.cells.clear();
        loop {
            let step = scan.run(self.input.data(), &self.ends, &mut self.cells);
            if scan.at() > self.limit {
                return self.too_long(scan, step).map(|row| Some(Parsed::Bad(row)));
            }
            if step == Step::Ended {
                break;
            }
            if !self.fill()? {
                if let Some(quote) = scan.end(&mut self.cells) {
                    return Err(self.unclosed(quote));
                }
                break;
            }
        }
        let (line, end) = (self.line, scan.at());
        let fault = scan.fault().map(|fault| self.text_after_quote(fault));
        let within = if scan.has_quotes() { lines(&self.input.data()[..end]) } else { 0 };
        self.line += within;
        self.used = end;
        self.end_line(end);
        let raw = &self.input.data()[..end];
        match fault {
            // If the quotes of a record of several lines are wrong, its end is not certain.
            Some(error) if self.set_aside && within == 0 => {
                let origin = Origin::line(self.source.clone(), line);
                Ok(Some(Parsed::Bad(BadRow::unread(error, origin, raw))))
            }
            Some(error) => Err(error),
            None => {
                let (cells, has_quotes) = (&*self.cells, scan.has_quotes());
                Ok(Some(Parsed::Record(Record { line, raw, cells, has_quotes })))
            }
        }
    }

    /// Consumes the line end at `end`, too, if there is one.
    fn end_line(&mut self, end: usize) {
        if let Some(byte) = self.input.data().get(end) {
            self.after_cr = *byte == b'\r';
            self.line += 1;
            self.used += 1;
        }
    }

    /// Handles a record that is longer than the limit, scanned up to `step`.
    fn too_long(&mut self, mut scan: Scan, mut step: Step) -> Result<BadRow, RowsError> {
        let origin = self.origin(self.line);
        let error = RowsError::TooLong {
            origin: origin.clone(),
            limit: self.limit,
            hint: "is a quote not closed? if not, raise --max-row-bytes",
        };
        if !self.set_aside {
            return Err(error);
        }
        let mut spool = Spool::new(&origin)?;
        let mut after_cr = false;
        // The position of the last opening quote.
        let mut opened = self.place(scan.quote());
        loop {
            let at = scan.at();
            if scan.quote() > 0 {
                opened = self.place(scan.quote());
            }
            let data = &self.input.data()[..at];
            spool.write(data, &origin)?;
            let half = after_cr && data.first() == Some(&b'\n');
            self.line += lines(data) - u64::from(half);
            after_cr = data.last() == Some(&b'\r');
            self.input.consume(at);
            scan.rebase();
            self.cells.clear();
            if step == Step::Ended {
                self.end_line(0);
                break;
            }
            if !self.wait()? {
                if scan.end(&mut self.cells).is_some() {
                    let (line, column) = opened;
                    return Err(RowsError::UnclosedQuote { origin: self.origin(line), column });
                }
                break;
            }
            step = scan.run(self.input.data(), &self.ends, &mut self.cells);
        }
        Ok(BadRow { error, origin, original: spool.finish() })
    }

    fn unclosed(&self, quote: usize) -> RowsError {
        let (line, column) = self.place(quote);
        RowsError::UnclosedQuote { origin: self.origin(line), column }
    }

    /// Consumes the last record, then blank lines unless they are rows; `false` at the end of the
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

    /// Reads more of a record whose bytes are consumed as they are read.
    fn wait(&mut self) -> Result<bool, RowsError> {
        self.input.wait().map_err(|cause| RowsError::Read { origin: self.origin(self.line), cause })
    }

    fn text_after_quote(&self, fault: Fault) -> RowsError {
        let ((line, column), (opened, _)) = (self.place(fault.text), self.place(fault.quote));
        let origin = self.origin(line);
        if line == opened {
            let byte = self.input.data().get(fault.text);
            let other = Delimiter::USUAL.into_iter().find(|it| Some(&it.byte()) == byte);
            RowsError::TextAfterQuote { origin, column, looks: LikelyDelimiter(other) }
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

/// The number of line ends in a text: LF, CRLF, or a single CR.
fn lines(text: &[u8]) -> u64 {
    let ends = memchr::memchr2_iter(b'\n', b'\r', text);
    ends.filter(|at| text[*at] == b'\r' || *at == 0 || text[at - 1] != b'\r').count() as u64
}
