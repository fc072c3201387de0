//! Where rows are written to. A file appears under its name only when it is complete.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use crate::RowsError;

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

    pub(crate) fn open(self) -> Result<Output, RowsError> {
        let name = self.name;
        let sink = match self.place {
            Place::Stream(stream) => Sink::Stream(stream),
            Place::Path(path) => Sink::open(&name, &path)?,
        };
        Ok(Output { name, sink })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An opened target.
pub(crate) struct Output {
    name: Arc<str>,
    sink: Sink,
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
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), RowsError> {
        match &mut self.sink {
            Sink::File { file, .. } => file.write_all(bytes),
            Sink::Stream(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
        .map_err(|cause| RowsError::Write { name: self.name.clone(), cause })
    }

    /// Puts a file under its final name.
    pub(crate) fn finish(self) -> Result<(), RowsError> {
        match self.sink {
            Sink::Stream(mut stream) => stream.flush(),
            Sink::File { file, path } => file
                .into_inner()
                .map_err(io::IntoInnerError::into_error)
                // Else a power cut could leave the name without the content.
                .and_then(|file| file.as_file().sync_all().map(|()| file))
                .and_then(|file| file.persist(path).map(drop).map_err(|it| it.error)),
        }
        .map_err(|cause| RowsError::Write { name: self.name, cause })
    }
}
