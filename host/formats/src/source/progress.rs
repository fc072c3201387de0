//! Counts how far an input has been read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The bytes of an input that have been read, and its total size if that is known. Both count bytes
/// on disk, compressed or not.
#[derive(Debug, Default)]
pub struct InputProgress {
    read: AtomicU64,
    total: OnceLock<u64>,
}

impl InputProgress {
    /// The bytes read so far.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The total size in bytes; `None` for a pipe.
    pub fn total(&self) -> Option<u64> {
        self.total.get().copied()
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn set_total(&self, bytes: u64) {
        let _ = self.total.set(bytes); // the first value is right
    }
}

/// The progress of one file that is not read front to back. It is measured in rows or batches.
pub(crate) struct Share {
    progress: Arc<InputProgress>,
    bytes: u64,
    counted: u64,
    /// The number of rows or batches.
    all: u64,
    done: u64,
}

impl Share {
    pub(crate) fn new(progress: Arc<InputProgress>, bytes: u64, all: u64) -> Self {
        Share { progress, bytes, counted: 0, all, done: 0 }
    }

    /// Counts `more` rows or batches as read.
    pub(crate) fn add(&mut self, more: u64) {
        self.done += more;
        if self.all > 0 {
            let part = u128::from(self.bytes) * u128::from(self.done) / u128::from(self.all);
            self.reach(part as u64);
        }
    }

    /// Counts the whole file as read.
    pub(crate) fn end(&mut self) {
        self.reach(self.bytes);
    }

    fn reach(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.progress.add(bytes.saturating_sub(self.counted));
        self.counted = self.counted.max(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_follows_the_rows_and_is_complete_at_the_end() {
        let progress = Arc::new(InputProgress::default());
        let mut share = Share::new(progress.clone(), 1000, 3);
        share.add(1);
        assert_eq!(progress.read(), 333);
        share.add(2);
        share.end();
        share.end();
        assert_eq!(progress.read(), 1000);
        Share::new(progress.clone(), 10, 0).end();
        assert_eq!(progress.read(), 1010);
    }
}
