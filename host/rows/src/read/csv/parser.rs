//! One CSV record at a time, with the line on which it begins.

use std::sync::Arc;

use csv_core::ReadRecordResult;

use crate::read::input::Input;
use crate::{Origin, RowsError};

/// Drives `csv_core`, the parser of the `csv` crate, and not that crate's reader: it can tell the
/// line of a row after blank lines and CRLF, and bound the length of a row.
pub(super) struct Parser {
    source: Arc<str>,
    input: Input,
    limit: usize,
    core: csv_core::Reader,
    /// The line at which the input stands, from 1.
    line: u64,
    record: Record,
    /// The bytes read and written of a record that has not come to its end, and its cells.
    partial: (usize, usize, usize),
}

/// A parsed record.
pub(super) struct Record {
    line: u64,
    text: Vec<u8>,
    bytes: usize,
    ends: Vec<usize>,
    fields: usize,
}

impl Record {
    /// The line on which it begins, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Its cells, one behind the other.
    pub(super) fn text(&self) -> &[u8] {
        &self.text[..self.bytes]
    }

    /// Where each cell ends in the text.
    pub(super) fn ends(&self) -> &[usize] {
        &self.ends[..self.fields]
    }
}

impl Parser {
    pub(super) fn new(source: Arc<str>, input: Input, limit: usize) -> Self {
        let record =
            Record { line: 1, text: vec![0; 4096], bytes: 0, ends: vec![0; 64], fields: 0 };
        let core = csv_core::Reader::new();
        Self { source, input, limit, core, line: 1, record, partial: (0, 0, 0) }
    }

    /// The next record, until the one after it is read; `None` at the end of the input. After an
    /// input that had nothing to give now, it goes on where it was.
    pub(super) fn next(&mut self) -> Result<Option<&Record>, RowsError> {
        let (mut read, mut written, mut fields) = self.partial;
        if read > 0 && self.input.data().is_empty() {
            // No data is the end of the input to the parser.
            self.fill()?;
        }
        if read == 0 {
            if !self.skip_blank()? {
                return Ok(None);
            }
            self.record.line = self.line;
        }
        loop {
            let lines = self.core.line();
            let (result, bytes, out, ends) = self.core.read_record(
                self.input.data(),
                &mut self.record.text[written..],
                &mut self.record.ends[fields..],
            );
            self.line += self.core.line() - lines;
            self.input.consume(bytes);
            (read, written, fields) = (read + bytes, written + out, fields + ends);
            if read > self.limit {
                let origin = self.origin(self.record.line);
                return Err(RowsError::TooLong {
                    origin,
                    limit: self.limit,
                    hint: "is a quote not closed? if not, raise the limit",
                });
            }
            let Record { text, ends, .. } = &mut self.record;
            match result {
                // At the end of the input the parser sees no data, and ends the record.
                ReadRecordResult::InputEmpty => {
                    self.partial = (read, written, fields);
                    self.fill()?;
                }
                ReadRecordResult::OutputFull => text.resize(2 * text.len(), 0),
                ReadRecordResult::OutputEndsFull => ends.resize(2 * ends.len(), 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => {
                    self.partial = (0, 0, 0);
                    return Ok(None);
                }
            }
        }
        self.partial = (0, 0, 0);
        (self.record.bytes, self.record.fields) = (written, fields);
        Ok(Some(&self.record))
    }

    /// Passes blank lines and the second half of a CRLF; `false` at the end of the input.
    fn skip_blank(&mut self) -> Result<bool, RowsError> {
        loop {
            let data = self.input.data();
            let blank = data.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let found = blank < data.len();
            self.line += data[..blank].iter().filter(|byte| **byte == b'\n').count() as u64;
            self.input.consume(blank);
            if found || !self.fill()? {
                return Ok(found);
            }
        }
    }

    fn fill(&mut self) -> Result<bool, RowsError> {
        self.input.fill().map_err(|cause| RowsError::Read { origin: self.origin(self.line), cause })
    }

    pub(super) fn origin(&self, line: u64) -> Origin {
        Origin::line(self.source.clone(), line)
    }
}
