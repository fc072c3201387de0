//! NDJSON: each line that is not blank is a row. It is parsed only when it is projected or written,
//! in the same pass that looks for the fields.

use std::sync::Arc;

use arrow_array::StringArray;
use arrow_array::builder::{BufferBuilder, StringBuilder};
use arrow_buffer::{Buffer, OffsetBuffer};

use super::input::Input;
use super::{BATCH_BYTES, Read, ReadOptions, is_late};
use crate::bad_row::Spool;
use crate::document::{Documents, Shared};
use crate::rows::Body;
use crate::source::Part;
use crate::{BadRow, Compression, Origin, Patience, Rows, RowsError};

pub(super) struct Ndjson {
    source: Arc<str>,
    input: Input,
    limit: usize,
    set_aside: bool,
    compression: Option<Compression>,
    /// Lines read.
    line: u64,
    /// The size of the last batch in bytes; the next one is likely as big.
    last_batch: usize,
    shared: Arc<Shared>,
    patience: Patience,
}

impl Ndjson {
    pub(super) fn new(part: Part, options: ReadOptions) -> Result<Self, RowsError> {
        let (limit, compression) = (options.limit(), options.compression);
        let patience = options.patience;
        Ok(Self {
            source: part.name().clone(),
            input: Input::new(part.text(compression)?, patience.clone()),
            limit,
            set_aside: options.set_aside,
            compression,
            line: 0,
            last_batch: 0,
            shared: Arc::new(Shared::new(options.types)),
            patience,
        })
    }

    /// The next line.
    fn line(&mut self) -> Result<Line, RowsError> {
        let mut searched = 0;
        loop {
            let data = self.input.data();
            let found = memchr::memchr(b'\n', &data[searched..]);
            let length = found.map_or(data.len(), |at| searched + at);
            if length > self.limit {
                return self.too_long(length, found.is_some());
            }
            if found.is_some() {
                return Ok(Line::Row { length, whole: length + 1 });
            }
            searched = length;
            if !self.fill()? {
                return Ok(match length {
                    0 => Line::End,
                    whole => Line::Row { length, whole },
                });
            }
        }
    }

    /// Handles a line of which `length` bytes are read, including its end if `ended`.
    fn too_long(&mut self, mut length: usize, mut ended: bool) -> Result<Line, RowsError> {
        let origin = self.origin(self.line + 1);
        let error = RowsError::TooLong {
            origin: origin.clone(),
            limit: self.limit,
            hint: "is there a line end after each object? if so, raise --max-row-bytes",
        };
        if !self.set_aside {
            return Err(error);
        }
        let mut spool = Spool::new(&origin)?;
        loop {
            spool.write(&self.input.data()[..length], &origin)?;
            self.input.consume(length + usize::from(ended));
            if ended || !self.wait()? {
                break;
            }
            let data = self.input.data();
            let found = memchr::memchr(b'\n', data);
            (length, ended) = (found.unwrap_or(data.len()), found.is_some());
        }
        self.line += 1;
        Ok(Line::Bad(BadRow { error, origin, original: spool.finish() }))
    }

    fn fill(&mut self) -> Result<bool, RowsError> {
        let line = self.line + 1;
        self.input.fill().map_err(|cause| RowsError::Read { origin: self.origin(line), cause })
    }

    /// Reads more of a line whose bytes are consumed as they are read.
    fn wait(&mut self) -> Result<bool, RowsError> {
        let line = self.line + 1;
        self.input.wait().map_err(|cause| RowsError::Read { origin: self.origin(line), cause })
    }

    /// What to do when the wait is over.
    fn late(&self, no_rows: bool) -> Late {
        let data = self.input.data();
        match self.patience.is_stopped() {
            // A line without its end is complete only if it is a complete object.
            true if is_object(data) => Late::Take(data.len()),
            false if no_rows => {
                self.patience.reset();
                Late::Wait
            }
            _ => Late::Close,
        }
    }

    fn origin(&self, line: u64) -> Origin {
        Origin::line(self.source.clone(), line)
    }
}

/// A line of the input.
enum Line {
    /// Its length without and with its line end. It is not consumed.
    Row {
        length: usize,
        whole: usize,
    },
    /// A line that cannot be a row. It is consumed.
    Bad(BadRow),
    End,
}

enum Late {
    /// There is no row to return yet; keep waiting.
    Wait,
    /// Return the rows that were read.
    Close,
    /// The given number of bytes are a row.
    Take(usize),
}

fn is_object(data: &[u8]) -> bool {
    data.trim_ascii_start().starts_with(b"{")
        && serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok()
}

impl Read for Ndjson {
    fn open(&mut self, part: Part) -> Result<(), RowsError> {
        self.source = part.name().clone();
        self.input = Input::new(part.text(self.compression)?, self.patience.clone());
        self.line = 0;
        Ok(())
    }

    fn empty(&self) -> Option<Rows> {
        None
    }

    fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError> {
        let mut text = Vec::with_capacity(self.last_batch);
        let mut ends = BufferBuilder::<i32>::new(max_rows.min(1 << 16) + 1);
        ends.append(0);
        let mut lines = Vec::with_capacity(max_rows.min(1 << 16));
        let mut set_aside = Vec::new();
        while lines.len() + set_aside.len() < max_rows && text.len() < BATCH_BYTES {
            let (length, whole) = match self.line() {
                Err(error) if is_late(&error) => {
                    match self.late(lines.is_empty() && set_aside.is_empty()) {
                        Late::Wait => continue,
                        Late::Close => break,
                        Late::Take(length) => (length, length),
                    }
                }
                Err(error) => return Err(error),
                Ok(Line::Row { length, whole }) => (length, whole),
                Ok(Line::Bad(row)) => {
                    set_aside.push(row);
                    continue;
                }
                Ok(Line::End) => break,
            };
            self.line += 1;
            // The start is not trimmed, so that columns in errors are those of the file.
            let row = trim_end(&self.input.data()[..length]);
            if !row.is_empty() {
                text.extend_from_slice(row);
                ends.append(text.len() as i32); // a batch and a row are under 2 GiB
                lines.push(self.line);
            }
            self.input.consume(whole);
        }
        if lines.is_empty() && set_aside.is_empty() {
            return Ok(None);
        }
        self.last_batch = text.len();
        let ends = OffsetBuffer::new(ends.finish().into());
        let text = Buffer::from(text);
        let texts = StringArray::try_new(ends.clone(), text.clone(), None);
        let texts = match texts {
            Ok(texts) => texts,
            Err(_) => self.sifted(&ends, &text, &mut lines, &mut set_aside)?,
        };
        let documents = Documents::new(texts, lines.into(), self.shared.clone());
        let rows = Rows::new(self.source.clone(), Body::Documents(documents));
        Ok(Some(rows.with_set_aside(set_aside)))
    }
}

impl Ndjson {
    /// The rows that are UTF-8; the others are set aside, or the first one is the error.
    #[cold]
    fn sifted(
        &self,
        ends: &[i32],
        text: &[u8],
        lines: &mut Vec<u64>,
        set_aside: &mut Vec<BadRow>,
    ) -> Result<StringArray, RowsError> {
        let (mut texts, mut good) = (StringBuilder::new(), Vec::new());
        for (range, line) in ends.windows(2).zip(&*lines) {
            let bytes = &text[range[0] as usize..range[1] as usize];
            if let Ok(row) = str::from_utf8(bytes) {
                texts.append_value(row);
                good.push(*line);
                continue;
            }
            let origin = self.origin(*line);
            let error = RowsError::NotUtf8 { origin: origin.clone() };
            if !self.set_aside {
                return Err(error);
            }
            set_aside.push(BadRow::unread(error, origin, bytes));
        }
        set_aside.sort_by_key(|row| row.origin.line);
        *lines = good;
        Ok(texts.finish())
    }
}

/// Trims JSON's white space at the end. The parser rejects other white space.
fn trim_end(mut row: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t' | b'\r'] = row {
        row = rest;
    }
    row
}
