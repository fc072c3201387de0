//! A task that is given up with whoever waits for it.

use std::future::Future;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

/// A task on some runtime; dropped, it is given up.
pub(crate) struct Task<T>(JoinHandle<T>);

impl<T: Send + 'static> Task<T> {
    pub(crate) fn spawn(on: &Handle, task: impl Future<Output = T> + Send + 'static) -> Self {
        Task(on.spawn(task))
    }

    /// Waits for its end. The error is that it panicked, or that its runtime has ended.
    pub(crate) async fn join(mut self) -> Result<T, JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
