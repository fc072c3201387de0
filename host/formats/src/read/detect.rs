//! A stream whose format nobody stated: its first bytes say whether it is Parquet or Arrow.

use super::{Read, ReadOptions, format_reader};
use crate::source::{Magic, Part};
use crate::{Format, Rows, RowsError};

/// Reads the first bytes with the first rows, so that opening a pipe does not wait for it.
pub(super) struct Detect {
    /// There until the first rows are read.
    unread: Option<(Part, ReadOptions)>,
    fallback: Format,
    format: Option<Box<dyn Read + Send>>,
}

impl Detect {
    pub(super) fn new(part: Part, fallback: Format, options: ReadOptions) -> Self {
        Self { unread: Some((part, options)), fallback, format: None }
    }
}

impl Read for Detect {
    fn next(&mut self, max_rows: usize) -> Result<Option<Rows>, RowsError> {
        if let Some((mut part, options)) = self.unread.take() {
            let format = match part.magic()? {
                Some(Magic::Columnar(format)) => format,
                _ => self.fallback,
            };
            self.format = Some(format_reader(part, format, options)?);
        }
        self.format.as_mut().map_or(Ok(None), |format| format.next(max_rows))
    }

    fn open(&mut self, part: Part) -> Result<(), RowsError> {
        self.format.as_mut().map_or(Ok(()), |format| format.open(part))
    }

    fn empty(&self) -> Option<Rows> {
        self.format.as_ref().and_then(|format| format.empty())
    }
}
