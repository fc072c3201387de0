//! How much of the machine one store may take, over all modules of its component.

use wasmtime::{ResourceLimiter, Result, StoreLimits, StoreLimitsBuilder, bail};

/// Counts linear memory as a sum: a component may have any number of memories.
pub(crate) struct Limits {
    memory: usize,
    used: usize,
    others: StoreLimits,
}

impl Limits {
    /// `memory` is in bytes.
    pub(super) fn new(memory: usize) -> Self {
        let others = StoreLimitsBuilder::new()
            .table_elements(100_000)
            .instances(64)
            .trap_on_grow_failure(true)
            .build();
        Limits { memory, used: 0, others }
    }
}

impl ResourceLimiter for Limits {
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
