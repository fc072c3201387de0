//! How long a reader waits for a pipe or a terminal.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a reader waits for more rows, of an input that comes bit by bit: a pipe, a terminal.
/// A clone is the same one, and can end the wait from another thread.
#[derive(Clone, Debug, Default)]
pub struct Patience(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    max_wait: Option<Duration>,
    /// When the rows that are read have to be handed out.
    deadline: Mutex<Option<Instant>>,
    stopped: AtomicBool,
    /// Whether a read was refused because of it: what fails then fails for that.
    refused: AtomicBool,
}

impl Patience {
    /// Rows are handed out that long after the first of them has been read, even if they are fewer
    /// than asked for. Without a limit, which is the default, never.
    pub fn new(max_wait: Option<Duration>) -> Self {
        Self(Arc::new(Inner { max_wait, ..Inner::default() }))
    }

    /// Has the reader come to its end with the rows that it has read. What is no whole row is left.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    /// Whether the input was not read to its end.
    pub(crate) fn has_refused(&self) -> bool {
        self.0.refused.load(Ordering::SeqCst)
    }

    /// There is no row yet that somebody could wait for.
    pub(crate) fn reset(&self) {
        *self.deadline() = None;
    }

    /// There is a row: from now on the time counts.
    pub(crate) fn begin(&self) {
        if let Some(max_wait) = self.0.max_wait {
            self.deadline().get_or_insert_with(|| Instant::now() + max_wait);
        }
    }

    /// Whether to read more, or to go on waiting, at most that long; an error is the end of it.
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

/// How often a wait without an end looks whether it is to stop.
const SLICE: Duration = Duration::from_millis(50);

/// Reads what is there. Where nothing is, waits as long as there is patience, and then fails with
/// [`WouldBlock`](io::ErrorKind::WouldBlock); nothing is lost by that.
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
