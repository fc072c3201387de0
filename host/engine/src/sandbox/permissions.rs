//! Every limit of a sandbox, and how memory is limited over all modules of a component.

use beamlet_egress::setters;
use std::time::Duration;
use wasmtime::{ResourceLimiter, Result, StoreLimits, StoreLimitsBuilder, bail};

/// What one instance may use. The default is enough for any handler of a feature store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permissions {
    /// Linear memory, in bytes: the sum over all modules of the component.
    pub memory: usize,
    /// How long one call into the handler may last, waiting for its store included. A call
    /// that takes longer ends the instance, wherever it is.
    pub deadline: Duration,
    /// How much of what a handler writes to its standard error is kept, in bytes.
    pub stderr: usize,
}

setters!(Permissions { memory: usize, deadline: Duration, stderr: usize });

impl Default for Permissions {
    fn default() -> Self {
        Permissions { memory: 256 << 20, deadline: Duration::from_secs(120), stderr: 16 << 10 }
    }
}

/// Counts linear memory as a sum: a component may have any number of memories.
pub(crate) struct ResourceLimits {
    memory: usize,
    used: usize,
    others: StoreLimits,
}

impl ResourceLimits {
    /// `memory` is in bytes.
    pub(super) fn new(memory: usize) -> Self {
        let others = StoreLimitsBuilder::new()
            .table_elements(100_000)
            .instances(64)
            .trap_on_grow_failure(true)
            .build();
        ResourceLimits { memory, used: 0, others }
    }
}

impl ResourceLimiter for ResourceLimits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.memory {
            bail!(
                "the handler needs more than {} MiB of memory; `sandbox.memory_mib` sets how much it may have",
                self.memory >> 20
            );
        }
        self.used = used;
        self.others.memory_growing(current, desired, maximum)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        self.others.memory_grow_failed(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        self.others.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        self.others.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.others.instances()
    }

    fn tables(&self) -> usize {
        self.others.tables()
    }

    fn memories(&self) -> usize {
        self.others.memories()
    }
}
