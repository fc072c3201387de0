//! Where rows are written to. A file appears under its name only when it is complete.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::codec::Encoder;
use crate::place::directory_of;
use crate::{Compression, Place, RowsError};

/// An output and its name for error messages.
pub struct Target {
    name: Arc<str>,
    goes_to: GoesTo,
}

enum GoesTo {
    Path(PathBuf),
    Stream(Box<dyn Write + Send>),
}

impl Target {
    /// The file at `path`, or the file that a link at `path` leads to. It is replaced when the
    /// writer finishes. A device, a pipe, or a descriptor of the process such as `/dev/stdout` is
    /// written to directly, from its current position.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string().into(), goes_to: GoesTo::Path(path) }
    }

    /// A stream such as standard output, with a name for messages. Each batch of rows is written
    /// immediately.
    pub fn stream(name: impl Into<Arc<str>>, stream: impl Write + Send + 'static) -> Self {
        Self { name: name.into(), goes_to: GoesTo::Stream(Box::new(stream)) }
    }

    /// The name that errors use.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its compression: `stated`, otherwise what the extension names.
    pub(crate) fn compression(&self, stated: Option<Compression>) -> Compression {
        match &self.goes_to {
            GoesTo::Path(path) => stated.unwrap_or_else(|| Compression::from_path(path)),
            GoesTo::Stream(_) => stated.unwrap_or_default(),
        }
    }

    /// Opens it for any text, compressed as its extension says.
    ///
    /// # Errors
    /// [`RowsError::NoDirectory`] or [`RowsError::Create`].
    pub fn create(self) -> Result<Output, RowsError> {
        let compression = self.compression(None);
        self.open(compression)
    }

    pub(crate) fn open(self, compression: Compression) -> Result<Output, RowsError> {
        let name = self.name;
        let sink = match self.goes_to {
            GoesTo::Stream(stream) => Sink::Stream(stream),
            GoesTo::Path(path) => Sink::open(&name, &path)?,
        };
        let encoder = Encoder::new(Counted { sink, bytes: 0, discard: false }, compression)
            .map_err(|cause| RowsError::Create { name: name.clone(), cause })?;
        Ok(Output { name, encoder: Some(encoder) })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An opened target. If it is dropped before [`finish`](Self::finish), a file leaves nothing
/// behind.
pub struct Output {
    name: Arc<str>,
    /// `None` once the output is finished.
    encoder: Option<Encoder<Counted>>,
}

/// A sink that counts its bytes.
struct Counted {
    sink: Sink,
    bytes: u64,
    /// Discards further bytes. When an encoder is dropped, it writes a proper end, and incomplete
    /// data would look complete.
    discard: bool,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.discard {
            return Ok(bytes.len());
        }
        let taken = match &mut self.sink {
            Sink::File { file, .. } => file.write(bytes),
            Sink::Stream(stream) => stream.write(bytes),
        }?;
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            // A file is flushed when it is finished.
            Sink::File { .. } => Ok(()),
            Sink::Stream(_) if self.discard => Ok(()),
            Sink::Stream(stream) => stream.flush(),
        }
    }
}

enum Sink {
    File { file: BufWriter<Unfinished>, path: PathBuf },
    Stream(Box<dyn Write + Send>),
}

impl Sink {
    fn open(name: &Arc<str>, path: &Path) -> Result<Self, RowsError> {
        let cannot = |cause| RowsError::Create { name: name.clone(), cause };
        let opened = |file: io::Result<File>| Ok(Self::Stream(Box::new(file.map_err(cannot)?)));
        // A rename over a link, a device or a pipe would replace it with a file.
        let path = match Place::of(path) {
            Place::Stdout => return Ok(Self::Stream(Box::new(io::stdout()))),
            Place::Stderr => return Ok(Self::Stream(Box::new(io::stderr()))),
            Place::Stdin => return opened(File::options().append(true).open(path)),
            // Opening a descriptor's path starts at the first byte of its file, so bytes are
            // appended instead.
            Place::Descriptor(path) => return opened(File::options().append(true).open(path)),
            Place::Path(path) => path,
        };
        let found = match fs::metadata(&path) {
            Ok(found) if found.is_dir() => return Err(cannot(io::ErrorKind::IsADirectory.into())),
            Ok(found) if !found.is_file() => {
                return opened(File::options().write(true).open(path));
            }
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(cannot(error)),
        };
        let directory = directory_of(&path);
        if !directory.is_dir() {
            let directory = directory.to_owned();
            return Err(RowsError::NoDirectory { path, directory });
        }
        let file = Unfinished::create(directory).map_err(cannot)?;
        if let Some(found) = found {
            let set = |file: &File| file.set_permissions(found.permissions());
            file.file().and_then(set).map_err(cannot)?;
        }
        Ok(Self::File { file: BufWriter::with_capacity(1 << 16, file), path })
    }
}

impl Output {
    /// Writes `bytes`. A stream is flushed immediately, compressed or not.
    ///
    /// # Errors
    /// [`RowsError::Write`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), RowsError> {
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let written = encoder.write_all(bytes).and_then(|()| match encoder.sink().sink {
            Sink::Stream(_) => encoder.flush(),
            // A file is flushed when it is finished.
            Sink::File { .. } => Ok(()),
        });
        written.map_err(|cause| RowsError::Write { name: self.name.clone(), cause })
    }

    /// Puts a file under its final name, and returns its size in bytes.
    ///
    /// # Errors
    /// [`RowsError::Write`]. The file does not appear then.
    pub fn finish(mut self) -> Result<u64, RowsError> {
        let encoder = self.encoder.take().expect("an output is finished only once");
        let end = || -> io::Result<u64> {
            let Counted { sink, bytes, .. } = encoder.finish()?;
            match sink {
                Sink::Stream(mut stream) => stream.flush(),
                Sink::File { file, path } => file
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)
                    // Without it, a power cut could leave the name without the content.
                    .and_then(|file| file.file()?.sync_all().map(|()| file))
                    .and_then(|file| file.persist(&path)),
            }?;
            Ok(bytes)
        };
        end().map_err(|cause| RowsError::Write { name: self.name.clone(), cause })
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(encoder) = &mut self.encoder {
            encoder.sink().discard = true;
        }
    }
}

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Removes all files that are being written, for a process that is about to end. No file can be
/// created afterwards.
pub fn discard_unfinished() {
    let unfinished = remembered();
    for path in &*unfinished {
        // The file may already be gone.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(unfinished);
}

fn remembered() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file that is being written, under a temporary name. It is removed when it is dropped. A
/// process that is ended by a signal drops nothing, so the paths are also remembered for
/// [`discard_unfinished`].
pub(crate) struct Unfinished {
    /// `None` once the file has its final name.
    file: Option<NamedTempFile>,
    path: PathBuf,
}

impl Unfinished {
    /// Creates a file in `directory`, with mode 0666 less the umask.
    pub(crate) fn create(directory: &Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".beamlet-").suffix(".partial");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask
        let mut remembered = remembered();
        let file = builder.tempfile_in(directory)?;
        let path = file.path().to_owned();
        remembered.insert(path.clone());
        Ok(Self { file: Some(file), path })
    }

    pub(crate) fn file(&self) -> io::Result<&fs::File> {
        self.file.as_ref().map(NamedTempFile::as_file).ok_or_else(gone)
    }

    /// Renames it to `path`, and replaces a file of that name.
    pub(crate) fn persist(mut self, path: &Path) -> io::Result<()> {
        let file = self.file.take().ok_or_else(gone)?;
        file.persist(path).map(drop).map_err(|it| it.error)
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().ok_or_else(gone)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().ok_or_else(gone)?.flush()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut remembered = remembered();
        drop(self.file.take());
        remembered.remove(&self.path);
    }
}
