//! One file or stream of an input.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::live::{Live, Patience};
use super::progress::{InputProgress, Share};
use crate::codec::{decoded, detected};
use crate::format::Magic;
use crate::{Compression, RowsError};

/// A part of an input. It is opened when it is needed.
pub(crate) struct Part {
    name: Arc<str>,
    place: Place,
    progress: Option<Arc<InputProgress>>,
    patience: Patience,
}

enum Place {
    Path(PathBuf),
    Stream(Box<dyn Read + Send>),
}

impl Part {
    pub(super) fn path(
        path: PathBuf,
        progress: Option<Arc<InputProgress>>,
        patience: Patience,
    ) -> Self {
        let name = path.display().to_string().into();
        Self { name, place: Place::Path(path), progress, patience }
    }

    pub(super) fn stream(name: Arc<str>, stream: Box<dyn Read + Send>) -> Self {
        let patience = Patience::default();
        Self { name, place: Place::Stream(stream), progress: None, patience }
    }

    /// The name for origins.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its compression: `stated`, otherwise what the extension names.
    pub(crate) fn compression(&self, stated: Option<Compression>) -> Compression {
        match &self.place {
            Place::Path(path) => stated.unwrap_or_else(|| Compression::from_path(path)),
            Place::Stream(_) => stated.unwrap_or_default(),
        }
    }

    /// The kind of a stream, from its first bytes.
    pub(crate) fn magic(&mut self) -> Result<Option<Magic>, RowsError> {
        let Place::Stream(stream) = &mut self.place else { return Ok(None) };
        let begin = Magic::peek(stream)
            .map_err(|cause| RowsError::Open { name: self.name.clone(), cause })?;
        let found = Magic::of(&begin);
        let rest = std::mem::replace(stream, Box::new(io::empty()));
        *stream = Box::new(Cursor::new(begin).chain(rest));
        Ok(found)
    }

    /// Its text, uncompressed. The compression is `stated`, otherwise what the first bytes show,
    /// otherwise what the extension names.
    pub(crate) fn text(
        self,
        stated: Option<Compression>,
    ) -> Result<Box<dyn Read + Send>, RowsError> {
        let compression = self.compression(stated);
        let name = self.name;
        let stream: Box<dyn Read + Send> = match self.place {
            Place::Stream(stream) => stream,
            Place::Path(path) => {
                let file = open(&name, path)?;
                match self.progress {
                    _ if !is_file(&file) => Box::new(Live::new(file, self.patience)),
                    Some(progress) => Box::new(Watched { file, progress }),
                    None => Box::new(file),
                }
            }
        };
        if stated.is_none() {
            return Ok(detected(stream, compression));
        }
        decoded(stream, compression).map_err(|cause| RowsError::Open { name, cause })
    }

    /// Its bytes, unchanged.
    pub(crate) fn bytes(self) -> Result<Box<dyn Read + Send>, RowsError> {
        self.text(Some(Compression::None))
    }

    /// Reports the progress of this part, given its number of rows or batches. `None` if it is not
    /// a file, or if nobody watches the progress.
    pub(crate) fn share(&self) -> Option<impl FnOnce(u64) -> Share + use<>> {
        let (Place::Path(path), Some(progress)) = (&self.place, self.progress.clone()) else {
            return None;
        };
        let found = path.metadata().ok().filter(|found| found.is_file())?;
        Some(move |all| Share::new(progress, found.len(), all))
    }

    /// A file with its bytes, for random access. A stream is copied to an unnamed temporary file.
    pub(crate) fn file(self) -> Result<File, RowsError> {
        let name = self.name;
        let mut stream = match self.place {
            Place::Stream(stream) => stream,
            Place::Path(path) => {
                let file = open(&name, path)?;
                if is_file(&file) {
                    return Ok(file);
                }
                Box::new(file)
            }
        };
        let mut copy = || -> io::Result<File> {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut stream, &mut file)?;
            file.rewind()?;
            Ok(file)
        };
        copy().map_err(|cause| RowsError::Spool { name, cause })
    }
}

/// The kind of a file, from its first bytes. Does not read anything that is not a regular file.
pub(super) fn magic_of(path: &Path) -> Option<Magic> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    Magic::of(&Magic::peek(&mut File::open(path).ok()?).ok()?)
}

/// Whether a file's uncompressed text begins with `{`. Does not read anything that is not a regular
/// file.
pub(super) fn begins_an_object(path: &Path) -> bool {
    /// The most white space before it.
    const LONGEST: u64 = 4096;
    let Ok(file) = File::open(path) else { return false };
    let mut begin = Vec::new();
    let is_read = is_file(&file)
        && detected(Box::new(file), Compression::None)
            .take(LONGEST)
            .read_to_end(&mut begin)
            .is_ok();
    let begin = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&begin);
    is_read && begin.trim_ascii_start().first() == Some(&b'{')
}

/// A file that reports how many bytes were read.
struct Watched {
    file: File,
    progress: Arc<InputProgress>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.progress.add(bytes as u64);
        Ok(bytes)
    }
}

fn is_file(file: &File) -> bool {
    file.metadata().is_ok_and(|it| it.is_file())
}

fn open(name: &Arc<str>, path: PathBuf) -> Result<File, RowsError> {
    File::open(path).map_err(|cause| RowsError::Open { name: name.clone(), cause })
}
