//! Where rows are written to. A file appears under its name only when it is complete.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use crate::compression::Encoder;
use crate::{Compression, RowsError};

/// An output with the name that errors call it by.
pub struct Target {
    name: Arc<str>,
    place: Place,
}

enum Place {
    Path(PathBuf),
    Stream(Box<dyn Write + Send>),
}

impl Target {
    /// The file at `path`, which is replaced when the writer finishes. A device or a pipe is
    /// written to directly.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string().into(), place: Place::Path(path) }
    }

    /// A stream such as standard output, under a name for messages. It gets each batch of rows at
    /// once.
    pub fn stream(name: impl Into<Arc<str>>, stream: impl Write + Send + 'static) -> Self {
        Self { name: name.into(), place: Place::Stream(Box::new(stream)) }
    }

    /// The name that errors use.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// How it is to be packed: as `stated`, else as its extension says.
    pub(crate) fn compression(&self, stated: Option<Compression>) -> Compression {
        match &self.place {
            Place::Path(path) => stated.unwrap_or_else(|| Compression::from_path(path)),
            Place::Stream(_) => stated.unwrap_or_default(),
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
        let sink = match self.place {
            Place::Stream(stream) => Sink::Stream(stream),
            Place::Path(path) => Sink::open(&name, &path)?,
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
    File { file: BufWriter<NamedTempFile>, path: PathBuf },
    Stream(Box<dyn Write + Send>),
}

impl Sink {
    fn open(name: &Arc<str>, path: &Path) -> Result<Self, RowsError> {
        let cannot = |cause| RowsError::Create { name: name.clone(), cause };
        // A rename over a link, a device or a pipe would put a file in its place.
        let (path, found) = match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(cannot(io::ErrorKind::IsADirectory.into())),
            Ok(found) if !found.is_file() => {
                let stream = File::options().write(true).open(path).map_err(cannot)?;
                return Ok(Self::Stream(Box::new(stream)));
            }
            Ok(found) => (path.canonicalize().map_err(cannot)?, Some(found)),
            Err(_) => (path.to_owned(), None),
        };
        let directory = match path.parent() {
            Some(directory) if directory != Path::new("") => directory,
            _ => Path::new("."),
        };
        if !directory.is_dir() {
            let directory = directory.to_owned();
            return Err(RowsError::NoDirectory { path, directory });
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".beamlet-").suffix(".partial");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask
        let file = builder.tempfile_in(directory).map_err(cannot)?;
        if let Some(found) = found {
            file.as_file().set_permissions(found.permissions()).map_err(cannot)?;
        }
        Ok(Self::File { file: BufWriter::with_capacity(1 << 16, file), path })
    }
}

impl Output {
    /// Writes `bytes`. A stream that is not packed passes them on at once.
    /// Writes on.
    ///
    /// # Errors
    /// [`RowsError::Write`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), RowsError> {
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let written = encoder.write_all(bytes).and_then(|()| match encoder {
            Encoder::None(sink) => sink.flush(),
            _ => Ok(()),
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
                    .and_then(|file| file.as_file().sync_all().map(|()| file))
                    .and_then(|file| file.persist(path).map(drop).map_err(|it| it.error)),
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
