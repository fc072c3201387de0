//! Files that are being written and have no name of their own yet. Dropped, they are gone; a process
//! that ends by a signal drops nothing, so that they are remembered here, too.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

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
