//! How far an input has been read.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes of an input have been read, and of how many where that is known: as they lie
/// on the disk, be they compressed or not.
#[derive(Debug, Default)]
pub struct InputProgress {
    read: AtomicU64,
    total: OnceLock<u64>,
}

impl InputProgress {
    /// Bytes read.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes there are; `None` of a pipe.
    pub fn total(&self) -> Option<u64> {
        self.total.get().copied()
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn set_total(&self, bytes: u64) {
        let _ = self.total.set(bytes); // the first who knows it is right
    }
}
