//! A component in a store of its own, and calls into it.

use super::component::Plugin;
use super::error::PluginError;
use crate::bindings::EnrichmentPlugin;
use crate::sandbox::scripted_store::ScriptedStore;
use crate::sandbox::{Egress, Permissions, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::Store;

/// A component in its store.
pub struct Sandboxed {
    /// What it may do, and its memory.
    pub store: Store<State>,
    /// Its exports.
    pub bindings: Arc<EnrichmentPlugin>,
    permissions: Permissions,
    /// Where fuel is counted, if it is.
    fuel: Option<Arc<AtomicU64>>,
    /// Set while a call is under way, and left set where it did not return: a store whose call trapped
    /// or was cancelled cannot be entered again.
    broken: bool,
}

impl Sandboxed {
    /// A fresh instance; nothing is set up in it.
    pub async fn new(
        plugin: &Plugin,
        permissions: &Permissions,
        egress: Arc<Egress>,
    ) -> Result<Self, PluginError> {
        let mut store = Store::new(&plugin.runtime.engine, State::new(permissions, egress));
        store.limiter(|state| &mut state.limits);
        // It yields at every tick, so that a deadline can end it and others can run.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let fuel = plugin.runtime.fuel.clone();
        if fuel.is_some() {
            store.set_fuel(u64::MAX).map_err(|error| not_instantiated(error.to_string(), error))?;
        }
        // The start of a component has a deadline as a call has.
        let instantiating = plugin.pre.instantiate_async(&mut store);
        let bindings = tokio::time::timeout(permissions.deadline, instantiating)
            .await
            .unwrap_or_else(|_| Err(wasmtime::Error::msg("it took too long to start")))
            .map_err(|error| not_instantiated(format!("{error:#}"), error))?;
        Ok(Sandboxed {
            store,
            bindings: Arc::new(bindings),
            permissions: *permissions,
            fuel,
            broken: false,
        })
    }

    /// Runs one call of the contract, with its deadline.
    pub async fn call<T>(
        &mut self,
        name: &'static str,
        call: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        if self.broken {
            return Err(PluginError::Finished);
        }
        self.broken = true;
        let deadline = self.permissions.deadline;
        let before = self.fuel_left();
        let ended = tokio::time::timeout(deadline, call(&mut self.store)).await;
        if let Some(fuel) = &self.fuel {
            fuel.fetch_add(before.saturating_sub(self.fuel_left()), Ordering::Relaxed);
        }
        let stderr = || self.store.data().stderr();
        match ended {
            Ok(Ok(value)) => {
                self.broken = false;
                Ok(value)
            }
            Ok(Err(trap)) => {
                let (why, stderr) = (root_cause(&trap), stderr());
                Err(PluginError::Trap { call: name, why, source: trap.into(), stderr })
            }
            Err(_) => Err(PluginError::Deadline { call: name, after: deadline, stderr: stderr() }),
        }
    }

    /// The fuel in the store; 0 where it is not counted.
    fn fuel_left(&self) -> u64 {
        self.fuel.as_ref().and_then(|_| self.store.get_fuel().ok()).unwrap_or_default()
    }

    /// Sends the component's requests to a scripted store from now on; to the real one with `None`.
    pub fn ask(&mut self, store: Option<Arc<ScriptedStore>>) {
        self.store.data_mut().outbound.scripted = store;
    }

    /// Whether the store cannot be entered again.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Never enters the store again.
    pub fn give_up(&mut self) {
        self.broken = true;
    }
}

fn not_instantiated(why: String, error: wasmtime::Error) -> PluginError {
    PluginError::Instantiate { why, source: Some(error.into()) }
}

/// The trap itself, without the backtrace through the component.
fn root_cause(trap: &wasmtime::Error) -> String {
    trap.downcast_ref::<wasmtime::Trap>()
        .map_or_else(|| trap.root_cause().to_string(), ToString::to_string)
}
