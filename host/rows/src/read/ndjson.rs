//! NDJSON: each line that is not blank is a row. Whether it is JSON is seen when it is projected or
//! written, in the same pass that looks for the fields.

use std::sync::Arc;

use arrow_array::StringArray;
use arrow_array::builder::BufferBuilder;
use arrow_buffer::{Buffer, OffsetBuffer};

use super::input::Input;
use super::{BATCH_BYTES, Read, ReadOptions, is_late};
use crate::document::{Documents, Shared};
use crate::rows::Body;
use crate::source::Part;
use crate::{Compression, Origin, Patience, Rows, RowsError};

pub(super) struct Ndjson {
    source: Arc<str>,
    input: Input,
    limit: usize,
    compression: Option<Compression>,
    /// Lines read.
    line: u64,
    /// The bytes of the last batch; the next one is likely as big.
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
            compression,
            line: 0,
            last_batch: 0,
            shared: Arc::new(Shared::new(options.types)),
            patience,
        })
    }

    /// The length of the next line without its end, and with it; `None` at the end of the input.
    fn line(&mut self) -> Result<Option<(usize, usize)>, RowsError> {
        let mut searched = 0;
        loop {
            let data = self.input.data();
            let found = memchr::memchr(b'\n', &data[searched..]);
            let length = found.map_or(data.len(), |at| searched + at);
            if length > self.limit {
                return Err(RowsError::TooLong {
                    origin: self.origin(self.line + 1),
                    limit: self.limit,
                    hint: "is there a line end after each object? if so, raise the limit",
                });
            }
            if found.is_some() {
                return Ok(Some((length, length + 1)));
            }
            searched = length;
            let more = self
                .input
                .fill()
                .map_err(|cause| RowsError::Read { origin: self.origin(self.line + 1), cause })?;
            if !more {
                return Ok((length > 0).then_some((length, length)));
            }
        }
    }

    /// What to do when there is no more patience.
    fn late(&self, no_rows: bool) -> Late {
        let data = self.input.data();
        match self.patience.is_stopped() {
            // Nothing says that a line has come to its end, but an object that has.
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

enum Late {
    /// There is no row that could be handed out.
    Wait,
    /// Hand out what there is.
    Close,
    /// So many bytes are a row.
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
        while lines.len() < max_rows && text.len() < BATCH_BYTES {
            let line = match self.line() {
                Err(error) if is_late(&error) => match self.late(lines.is_empty()) {
                    Late::Wait => continue,
                    Late::Close => break,
                    Late::Take(length) => Some((length, length)),
                },
                line => line?,
            };
            let Some((length, whole)) = line else { break };
            self.line += 1;
            // The start stays as it is, so that the columns of errors are those of the file.
            let row = trim_end(&self.input.data()[..length]);
            if !row.is_empty() {
                text.extend_from_slice(row);
                ends.append(text.len() as i32); // a batch and a row are under 2 GiB
                lines.push(self.line);
            }
            self.input.consume(whole);
        }
        if lines.is_empty() {
            return Ok(None);
        }
        self.last_batch = text.len();
        let ends = OffsetBuffer::new(ends.finish().into());
        let text = Buffer::from(text);
        let texts = StringArray::try_new(ends.clone(), text.clone(), None);
        let Ok(texts) = texts else {
            let is_bad =
                |it: &[i32]| str::from_utf8(&text[it[0] as usize..it[1] as usize]).is_err();
            let bad = ends.windows(2).position(is_bad).unwrap_or(0);
            return Err(RowsError::NotUtf8 { origin: self.origin(lines[bad]) });
        };
        let documents = Documents::new(texts, lines.into(), self.shared.clone());
        Ok(Some(Rows::new(self.source.clone(), Body::Documents(documents))))
    }
}

/// Without the white space of JSON at the end; other white space is for the parser to refuse.
fn trim_end(mut row: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t' | b'\r'] = row {
        row = rest;
    }
    row
}
