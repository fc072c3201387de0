//! How long a reader waits for rows that a pipe may bring.

use std::io;
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
