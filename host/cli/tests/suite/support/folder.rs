//! A folder of a test's own, in which the command line runs: paths in messages are relative.

use std::fs;
use std::path::{Path, PathBuf};

/// It is gone with the test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.file(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// The names of all that is in it, hidden files too, in order.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The content of every file.
    pub fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let content = |name: String| (name.clone(), fs::read(self.file(&name)).unwrap());
        self.names().into_iter().map(content).collect()
    }
}
