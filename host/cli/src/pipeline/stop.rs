//! Ending a run before its input ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Stops a run: no more rows are read, and what is in flight is brought to its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stopped: AtomicBool,
    told: Notify,
}

impl Stop {
    /// Stops the run.
    pub(crate) fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.told.notify_waiters();
    }

    /// Whether it has been stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    /// Waits until it is.
    pub(super) async fn stopped(&self) {
        let told = self.0.told.notified();
        if !self.is_stopped() {
            told.await;
        }
    }
}

/// What an output is worth when the run was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnStop {
    /// It holds part of its input only: it does not appear under its name.
    #[default]
    Drop,
    /// The input has no end of its own, such as a pipe: it holds all that was read.
    Finish,
}
