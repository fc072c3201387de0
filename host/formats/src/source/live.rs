//! Bounds the time for which a reader waits for a pipe or a terminal.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a reader waits for more rows of a slow input, such as a pipe or a terminal. Clones
/// share their state, so one of them can end the wait from another thread.
#[derive(Clone, Debug, Default)]
pub struct Patience(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    max_wait: Option<Duration>,
    /// The time at which the rows that were read must be returned.
    deadline: Mutex<Option<Instant>>,
    stopped: AtomicBool,
    /// Whether a read was refused because the reader is stopped; later errors of the parser follow
    /// from that.
    refused: AtomicBool,
}

impl Patience {
    /// Returns rows at most `max_wait` after the first of them was read, even if they are fewer
    /// than requested. `None`, the default, means no limit.
    pub fn new(max_wait: Option<Duration>) -> Self {
        Self(Arc::new(Inner { max_wait, ..Inner::default() }))
    }

    /// Makes the reader end after the rows that it has read. An incomplete row is discarded.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    /// Whether a read was refused, so that the input was not read to its end.
    pub(crate) fn has_refused(&self) -> bool {
        self.0.refused.load(Ordering::SeqCst)
    }

    /// Resets the deadline: no row is waiting to be returned.
    pub(crate) fn reset(&self) {
        *self.deadline() = None;
    }

    /// Starts the deadline: a row is waiting to be returned.
    pub(crate) fn begin(&self) {
        if let Some(max_wait) = self.0.max_wait {
            self.deadline().get_or_insert_with(|| Instant::now() + max_wait);
        }
    }

    /// How long the next read may wait, at most `slice`. Fails if the wait is over.
    #[cfg(unix)]
    pub(crate) fn left(&self, slice: Duration) -> io::Result<Duration> {
        if self.is_stopped() {
            self.0.refused.store(true, Ordering::SeqCst);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match *self.deadline() {
            None => Ok(slice),
            Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => Ok(left.min(slice)),
                _ => Err(io::ErrorKind::WouldBlock.into()),
            },
        }
    }

    fn deadline(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The interval in which an unlimited wait checks whether the reader is stopped.
const SLICE: Duration = Duration::from_millis(50);

/// Reads the available bytes. If there are none, waits as long as [`Patience`] allows, and then
/// fails with [`WouldBlock`](io::ErrorKind::WouldBlock); no data is lost.
pub(super) struct Live {
    file: File,
    patience: Patience,
}

impl Live {
    pub(super) fn new(file: File, patience: Patience) -> Self {
        Self { file, patience }
    }
}

impl Read for Live {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !is_readable(&self.file, &self.patience)? {}
        self.file.read(buffer)
    }
}

#[cfg(unix)]
fn is_readable(file: &File, patience: &Patience) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let left = patience.left(SLICE)?;
    let left = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) as _ };
    match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&left)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn is_readable(_: &File, _: &Patience) -> io::Result<bool> {
    Ok(true)
}
