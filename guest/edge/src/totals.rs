//! Counts that outlive an instance: in a file that all instances of a server share.
//!
//! `wasmtime serve` gives each request a fresh instance, and nothing in memory outlives one. What
//! does is a directory that it is given. Adding up is reading, adding and renaming a file, by one
//! instance at a time: whoever could make the directory `lock`, as only one can.

use crate::counts::Counts;
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// How long an instance waits for another before it gives up.
const PATIENCE: Duration = Duration::from_secs(2);
/// How old a lock is that nobody will come back to.
const STALE: Duration = Duration::from_secs(10);
/// How long to wait before another look.
const PAUSE: Duration = Duration::from_millis(2);

/// The totals in a directory.
pub struct Totals {
    directory: PathBuf,
}

/// Held while one adds.
struct Lock(PathBuf);

impl Totals {
    /// The totals in this directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Totals { directory: directory.into() }
    }

    /// What has been counted in all.
    ///
    /// # Errors
    /// The file cannot be read, or is none of these.
    pub fn read(&self) -> Result<Counts, Error> {
        match fs::read_to_string(self.file()) {
            Ok(text) => Counts::of_text(&text)
                .ok_or_else(|| Error::new(ErrorKind::InvalidData, "the totals are not readable")),
            // None has been written; but is there a place for them?
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::metadata(&self.directory).map(|_| Counts::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Adds what was counted.
    ///
    /// # Errors
    /// The files cannot be written, or others did not come to an end.
    pub fn add(&self, more: &Counts) -> Result<(), Error> {
        let _lock = Lock::take(&self.directory)?;
        let mut counts = self.read()?;
        counts.merge(more);
        let written = self.directory.join("totals.new");
        fs::write(&written, counts.to_text())?;
        fs::rename(written, self.file())
    }

    fn file(&self) -> PathBuf {
        self.directory.join("totals.txt")
    }
}

impl Lock {
    fn take(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("lock");
        let mut waited = Duration::ZERO;
        loop {
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Lock(path)),
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                Err(_) if waited >= PATIENCE => {
                    return Err(Error::new(ErrorKind::TimedOut, "the totals are busy"));
                }
                Err(_) if is_stale(&path) => drop(fs::remove_dir(&path)),
                Err(_) => {
                    sleep(PAUSE);
                    waited += PAUSE;
                }
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

fn is_stale(lock: &Path) -> bool {
    let made = fs::metadata(lock).and_then(|lock| lock.modified());
    let age = made.ok().and_then(|made| SystemTime::now().duration_since(made).ok());
    age.is_some_and(|age| age > STALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Counts {
        let mut counts = Counts::default();
        counts.add("requests", 1);
        counts
    }

    #[test]
    fn what_many_instances_add_at_once_is_all_there() {
        let directory = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let totals = Totals::new(directory.path());
                scope.spawn(move || (0..25).for_each(|_| totals.add(&one()).unwrap()));
            }
        });
        let totals = Totals::new(directory.path()).read().unwrap();
        assert_eq!(totals.to_text(), "requests 100\n");
    }

    #[test]
    fn a_lock_that_nobody_will_come_back_to_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let lock = directory.path().join("lock");
        fs::create_dir(&lock).unwrap();
        let long_ago = SystemTime::now() - 2 * STALE;
        fs::File::open(&lock).unwrap().set_modified(long_ago).unwrap();
        Totals::new(directory.path()).add(&one()).unwrap();
        assert!(!lock.exists());
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_and_not_a_count_of_nothing() {
        let totals = Totals::new("/nowhere/at/all");
        assert!(totals.read().is_err());
        assert!(totals.add(&one()).is_err());
    }
}
