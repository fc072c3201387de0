//! A buffer over the bytes of a text input, without the byte order mark. It grows only if one row
//! does not fit.

use std::io::{self, Read};

use crate::Patience;
use crate::format::Magic;

const BUFFER_BYTES: usize = 1 << 17;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

pub(super) struct Input {
    stream: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    begun: bool,
    patience: Patience,
    /// Whether bytes were consumed since the last read, so that a row may be waiting to be
    /// returned.
    consumed: bool,
}

impl Input {
    pub(super) fn new(stream: Box<dyn Read + Send>, patience: Patience) -> Self {
        let buffer = vec![0; BUFFER_BYTES];
        Self { stream, buffer, start: 0, end: 0, begun: false, patience, consumed: false }
    }

    /// The bytes that were read and are not consumed yet.
    pub(super) fn data(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        self.consumed |= bytes > 0;
        debug_assert!(self.start <= self.end);
    }

    /// Reads more bytes and appends them to [`data`](Self::data); `false` at the end of the input.
    /// Fails with [`WouldBlock`](io::ErrorKind::WouldBlock) when the wait of [`Patience`] is over,
    /// and can then be called again.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if self.begun {
            return Ok(self.read()? > 0);
        }
        while self.data().len() < BYTE_ORDER_MARK.len() && self.read()? > 0 {}
        self.begun = true;
        if let Some(found) = Magic::of(self.data()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, found.problem()));
        }
        if self.data().starts_with(BYTE_ORDER_MARK) {
            self.consume(BYTE_ORDER_MARK.len());
            if self.data().is_empty() {
                return Ok(self.read()? > 0);
            }
        }
        Ok(!self.data().is_empty())
    }

    /// Reads more as [`fill`](Self::fill) does, but waits without limit, unless the reader is
    /// stopped.
    pub(super) fn wait(&mut self) -> io::Result<bool> {
        loop {
            match self.fill() {
                Err(error)
                    if error.kind() == io::ErrorKind::WouldBlock && !self.patience.is_stopped() =>
                {
                    self.patience.reset();
                }
                more => return more,
            }
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        if std::mem::take(&mut self.consumed) {
            self.patience.begin();
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else {
                self.buffer.resize(2 * self.end, 0);
            }
        }
        loop {
            match self.stream.read(&mut self.buffer[self.end..]) {
                Ok(bytes) => {
                    self.end += bytes;
                    return Ok(bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
