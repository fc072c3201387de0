//! A folder that is made once and kept between runs. A half-made one, and one made from something
//! else, are made anew; two processes that want it do not meet.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The file in the folder that says what it was made from. It is written last: a folder that has it
/// is whole.
const STAMP: &str = "made-from.txt";

/// Makes `folder` with `make`, unless it is there and was made from the same.
pub(crate) fn folder<E: From<io::Error>>(
    folder: &Path,
    made_from: &str,
    make: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    fs::create_dir_all(folder.parent().unwrap_or(folder))?;
    // Held until the end.
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock()?;
    let stamp = folder.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == made_from) {
        return Ok(());
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    make()?;
    fs::write(stamp, made_from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a folder with one file in it.
    fn with_file(path: &Path, name: &str) -> io::Result<()> {
        fs::create_dir(path)?;
        fs::write(path.join(name), "")
    }

    #[test]
    fn a_folder_is_made_once() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        folder(&path, "x", || with_file(&path, "first")).unwrap();
        folder(&path, "x", || with_file(&path, "second")).unwrap();
        assert!(path.join("first").exists());
    }

    #[test]
    fn a_half_made_folder_is_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        let stopped = || with_file(&path, "half").and(Err(io::Error::other("stopped")));
        folder(&path, "x", stopped).unwrap_err();
        folder(&path, "x", || with_file(&path, "whole")).unwrap();
        assert!(path.join("whole").exists());
        assert!(!path.join("half").exists());
    }

    #[test]
    fn a_folder_made_from_something_else_is_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        folder(&path, "old", || with_file(&path, "old")).unwrap();
        folder(&path, "new", || with_file(&path, "new")).unwrap();
        assert!(path.join("new").exists());
        assert!(!path.join("old").exists());
    }
}
