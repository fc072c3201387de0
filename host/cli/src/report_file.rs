//! A file that a command writes at its end, whole or not at all.

use super::touched::{place, target};
use beamlet_formats::{Output, Place, RowsError, Target};
use std::path::Path;

/// A report to come. A file is made before the work, so that it does not fail when all of it is
/// done; a pipe is opened at the end, as its reader may wait for other output first.
pub(crate) enum ReportFile {
    Opened(Box<Output>),
    Later(Target),
}

impl ReportFile {
    /// Opens it, or sees that it can be.
    ///
    /// # Errors
    /// It cannot be created.
    pub(crate) fn create(path: &Path) -> Result<Self, RowsError> {
        let target = target(path);
        Ok(match place(path, Place::Stdout).is_stream() {
            true => ReportFile::Later(target),
            false => ReportFile::Opened(Box::new(target.create()?)),
        })
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// It cannot be written. A file is not there then.
    pub(crate) fn write(self, text: &str) -> Result<(), RowsError> {
        let mut output = match self {
            ReportFile::Opened(output) => *output,
            ReportFile::Later(target) => target.create()?,
        };
        output.write(text.as_bytes())?;
        output.finish().map(drop)
    }
}
