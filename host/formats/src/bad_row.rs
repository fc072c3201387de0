//! Rows that cannot be read or written, kept as they were.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Origin, RowsError};

/// A row that was set aside, because the fault is in this row alone.
#[derive(Debug)]
pub struct BadRow {
    /// What is wrong with the row.
    pub error: RowsError,
    /// Where the row is in the input.
    pub origin: Origin,
    /// The row as it was read.
    pub original: Original,
}

/// The content of a row that is set aside.
#[derive(Debug)]
#[non_exhaustive]
pub enum Original {
    /// The row as JSON, as [`Rows::json`](crate::Rows::json) writes it.
    Json(String),
    /// The row's text without the line end.
    Text(String),
    /// The row's bytes without the line end, which are not UTF-8.
    Bytes(Vec<u8>),
    /// The row's bytes without the line end, in a temporary file because there are too many for
    /// memory.
    Spooled(Spooled),
}

impl BadRow {
    /// A row that could not be read.
    pub(crate) fn unread(error: RowsError, origin: Origin, bytes: &[u8]) -> Self {
        let original = match str::from_utf8(bytes) {
            Ok(text) => Original::Text(text.to_owned()),
            Err(_) => Original::Bytes(bytes.to_vec()),
        };
        Self { error, origin, original }
    }

    /// The approximate number of bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        match &self.original {
            Original::Json(text) | Original::Text(text) => text.len(),
            Original::Bytes(bytes) => bytes.len(),
            Original::Spooled(_) => 0,
        }
    }
}

/// The bytes of a row in a temporary file, which has no name. A clone shares it.
#[derive(Clone, Debug)]
pub struct Spooled {
    file: Arc<Mutex<File>>,
    bytes: u64,
}

impl Spooled {
    /// The number of bytes.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Passes all bytes to `visit`, in chunks of `size`; the last one may be shorter.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn chunks<E: From<io::Error>>(
        &self,
        size: usize,
        mut visit: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.rewind()?;
        let mut chunk = Vec::with_capacity(size);
        loop {
            chunk.clear();
            (&mut *file).take(size as u64).read_to_end(&mut chunk)?;
            if chunk.is_empty() {
                return Ok(());
            }
            visit(&chunk)?;
        }
    }
}

/// A row that is copied to a temporary file.
pub(crate) struct Spool {
    file: File,
    bytes: u64,
}

impl Spool {
    pub(crate) fn new(origin: &Origin) -> Result<Self, RowsError> {
        let file = tempfile::tempfile().map_err(|cause| fault(origin, cause))?;
        Ok(Self { file, bytes: 0 })
    }

    pub(crate) fn write(&mut self, bytes: &[u8], origin: &Origin) -> Result<(), RowsError> {
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|cause| fault(origin, cause))
    }

    pub(crate) fn finish(self) -> Original {
        Original::Spooled(Spooled { file: Arc::new(Mutex::new(self.file)), bytes: self.bytes })
    }
}

fn fault(origin: &Origin, cause: io::Error) -> RowsError {
    RowsError::SetAside { origin: origin.clone(), cause }
}
