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

/// An output with the name that errors call it by.
pub struct Target {
    name: Arc<str>,
    goes_to: GoesTo,
}

enum GoesTo {
    Path(PathBuf),
    Stream(Box<dyn Write + Send>),
}

impl Target {
    /// The file at `path`, which is replaced when the writer finishes, or the one that a link there
    /// leads to. A device or a pipe is written to directly, and so is a descriptor of the process
    /// such as `/dev/stdout`, from where it stands.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string().into(), goes_to: GoesTo::Path(path) }
    }

    /// A stream such as standard output, under a name for messages. It gets each batch of rows at
    /// once.
    pub fn stream(name: impl Into<Arc<str>>, stream: impl Write + Send + 'static) -> Self {
        Self { name: name.into(), goes_to: GoesTo::Stream(Box::new(stream)) }
    }

    /// The name that errors use.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How it is to be packed: as `stated`, else as its extension says.
    pub(crate) fn compression(&self, stated: Option<Compression>) -> Compression {
        match &self.goes_to {
            GoesTo::Path(path) => stated.unwrap_or_else(|| Compression::from_path(path)),
            GoesTo::Stream(_) => stated.unwrap_or_default(),
        }
    }

    /// Opens it for text of any kind, packed as its extension says.
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
        let encoder = Encoder::new(Counted { sink, bytes: 0, given_up: false }, compression)
            .map_err(|cause| RowsError::Create { name: name.clone(), cause })?;
        Ok(Output { name, encoder: Some(encoder) })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An opened target. Dropped before it is [finished](Self::finish), a file leaves nothing behind.
pub struct Output {
    name: Arc<str>,
    /// There until the output is finished.
    encoder: Option<Encoder<Counted>>,
}

/// A sink that knows how much it took.
struct Counted {
    sink: Sink,
    bytes: u64,
    /// Nothing more shall reach the sink: an encoder that is dropped would end its data properly,
    /// and what is not complete would pass for complete.
    given_up: bool,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.given_up {
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
            Sink::Stream(_) if self.given_up => Ok(()),
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
        // A rename over a link, a device or a pipe would put a file in its place.
        let path = match Place::of(path) {
            Place::Stdout => return Ok(Self::Stream(Box::new(io::stdout()))),
            Place::Stderr => return Ok(Self::Stream(Box::new(io::stderr()))),
            Place::Stdin => return opened(File::options().append(true).open(path)),
            // To open it is to begin at its first byte, unless one appends.
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
    /// Writes `bytes`. A stream passes them on at once, packed or not.
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

    /// Puts a file under its final name, and tells how many bytes it has.
    ///
    /// # Errors
    /// [`RowsError::Write`]; a file is not there then.
    pub fn finish(mut self) -> Result<u64, RowsError> {
        let encoder = self.encoder.take().expect("an output is finished once");
        let end = || -> io::Result<u64> {
            let Counted { sink, bytes, .. } = encoder.finish()?;
            match sink {
                Sink::Stream(mut stream) => stream.flush(),
                Sink::File { file, path } => file
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)
                    // Else a power cut could leave the name without the content.
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
            encoder.sink().given_up = true;
        }
    }
}

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Removes all files that are being written, for a process that is about to end at once: no other
/// can be begun after it.
pub fn discard_unfinished() {
    let unfinished = remembered();
    for path in &*unfinished {
        // One that is gone is what is wanted.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(unfinished);
}

fn remembered() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file under a temporary name.
pub(crate) struct Unfinished {
    /// There until it has its name.
    file: Option<NamedTempFile>,
    path: PathBuf,
}

impl Unfinished {
    /// Makes one in `directory`, with the mode that the umask leaves of 0666.
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

    /// Gives it its name; what had that name is replaced.
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
