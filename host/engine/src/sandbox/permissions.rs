//! Every limit of a sandbox, in one place.

use std::time::Duration;

/// What one instance may use. The default is enough for any handler of a feature store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Linear memory, in bytes: the sum over all modules of the component.
    pub memory: usize,
    /// How long one call into the handler may last, waiting for its store included. A call
    /// that takes longer ends the instance, wherever it is.
    pub deadline: Duration,
    /// How much of what a handler writes to its standard error is kept, in bytes.
    pub stderr: usize,
}

impl Default for Permissions {
    fn default() -> Self {
        Permissions { memory: 256 << 20, deadline: Duration::from_secs(120), stderr: 16 << 10 }
    }
}
