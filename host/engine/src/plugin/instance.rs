//! One instance of a handler: a store of its own, set up, serving one bundle at a time.

use super::bundle::Bundle;
use super::component::{Plugin, Validation};
use super::error::PluginError;
use crate::bindings::EnrichmentPlugin;
use crate::bindings::exports::beamlet::enrichment::enrichment_handler as wit;
use crate::plugin::HandlerError;
use crate::sandbox::scripted_store::ScriptedStore;
use crate::sandbox::{Egress, Permissions, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::component::ResourceAny;
use wasmtime::{AsContextMut, Store};

/// All that instances of one handler share: the configuration, the permissions, the way out.
#[derive(Clone)]
pub struct Setup {
    /// The configuration, one JSON object, with placeholders where secrets are.
    pub config: Arc<str>,
    /// What an instance may use.
    pub permissions: Permissions,
    /// The way out, with its connections and secrets.
    pub egress: Arc<Egress>,
}

/// A field that a handler reads from each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Whether a row without it is refused.
    pub required: bool,
}

/// A field that a handler adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputField {
    /// Its name.
    pub name: String,
    /// Its type, as the contract writes it.
    pub data_type: String,
}

/// A component in its store.
pub struct Sandboxed {
    /// What it may do, and its memory.
    pub store: Store<State>,
    /// Its exports.
    pub bindings: Arc<EnrichmentPlugin>,
    permissions: Permissions,
    /// Where fuel is counted, if it is.
    fuel: Option<Arc<AtomicU64>>,
    /// Set while a call is under way, and left set where it did not come back: a store whose
    /// call trapped or was given up cannot be entered again.
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
        // At every tick it makes way, so that a deadline can end it and others can run.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let fuel = plugin.runtime.fuel.clone();
        if fuel.is_some() {
            store
                .set_fuel(u64::MAX)
                .map_err(|error| PluginError::Instantiate(error.to_string()))?;
        }
        // What a component does at its start counts as a call, too.
        let instantiating = plugin.pre.instantiate_async(&mut store);
        let bindings = tokio::time::timeout(permissions.deadline, instantiating)
            .await
            .unwrap_or_else(|_| Err(wasmtime::Error::msg("it took too long to start")))
            .map_err(|error| PluginError::Instantiate(format!("{error:#}")))?;
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
                let why = root_cause(&trap);
                Err(PluginError::Trap { call: name, why, stderr: stderr() })
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

    /// Never enters the store again.
    pub fn give_up(&mut self) {
        self.broken = true;
    }
}

/// The trap itself, without the backtrace through the component.
fn root_cause(trap: &wasmtime::Error) -> String {
    trap.downcast_ref::<wasmtime::Trap>()
        .map_or_else(|| trap.root_cause().to_string(), ToString::to_string)
}

/// A handler that is set up. Drop it, or [`tear_down`](Instance::tear_down), to end it.
pub struct Instance {
    pub(crate) sandboxed: Sandboxed,
    pub(crate) handler: ResourceAny,
    pub(crate) egress: Arc<Egress>,
    inputs: Arc<[Input]>,
}

impl Instance {
    /// Instantiates the handler and sets it up.
    ///
    /// # Errors
    /// The configuration has problems, or the handler failed.
    pub async fn set_up(plugin: &Plugin, setup: &Setup) -> Result<Self, PluginError> {
        let mut sandboxed =
            Sandboxed::new(plugin, &setup.permissions, setup.egress.clone()).await?;
        let interface = sandboxed.bindings.clone();
        let interface = interface.beamlet_enrichment_enrichment_handler();
        let handler = sandboxed
            .call("handler.setup", async |store| {
                interface.handler().call_setup(store, &setup.config).await
            })
            .await?
            .map_err(|found| {
                let secrets = setup.egress.secrets();
                let mut problems = Validation::of(found).problems;
                for problem in &mut problems {
                    problem.message = secrets.redact(std::mem::take(&mut problem.message));
                }
                PluginError::Config(problems)
            })?;
        let inputs = sandboxed
            .call("handler.inputs", async |store| {
                interface.handler().call_inputs(store, handler).await
            })
            .await?;
        let inputs =
            inputs.into_iter().map(|wit::Input { name, required }| Input { name, required });
        Ok(Instance { sandboxed, handler, egress: setup.egress.clone(), inputs: inputs.collect() })
    }

    /// The fields of a row that the handler reads: it is to be shown these, in this order.
    pub fn inputs(&self) -> &Arc<[Input]> {
        &self.inputs
    }

    /// Asks the store, through the handler, which fields come out.
    ///
    /// # Errors
    /// The handler failed, or the store refused: [`PluginError::Refused`], after which the
    /// instance can still be used.
    pub async fn outputs(&mut self) -> Result<Vec<OutputField>, PluginError> {
        let bindings = self.sandboxed.bindings.clone();
        let interface = bindings.beamlet_enrichment_enrichment_handler();
        let handler = self.handler;
        let told = self
            .sandboxed
            .call("handler.outputs", async |store| {
                interface.handler().call_outputs(store, handler).await
            })
            .await?;
        let fields = told.map_err(|error| self.refused(error))?;
        Ok(fields.into_iter().map(Into::into).collect())
    }

    /// What the handler has counted since it was set up.
    ///
    /// # Errors
    /// The handler failed.
    pub async fn counters(&mut self) -> Result<Vec<(String, u64)>, PluginError> {
        let bindings = self.sandboxed.bindings.clone();
        let interface = bindings.beamlet_enrichment_enrichment_handler();
        let handler = self.handler;
        let counters = self
            .sandboxed
            .call("handler.counters", async |store| {
                interface.handler().call_counters(store, handler).await
            })
            .await?;
        Ok(counters.into_iter().map(|wit::Counter { name, value }| (name, value)).collect())
    }

    /// Starts a bundle. There is one at a time: it borrows the instance.
    ///
    /// # Errors
    /// The handler failed.
    pub async fn start_bundle(&mut self) -> Result<Bundle<'_>, PluginError> {
        Bundle::start(self).await
    }

    /// From now on no request of the handler outlasts this instant, whatever its time-outs are:
    /// it still has the time to tell which rows got no answer.
    pub fn answer_by(&mut self, deadline: Option<std::time::Instant>) {
        self.sandboxed.store.data_mut().outbound.deadline = deadline;
    }

    /// What the handler has written to its standard error since it was last asked, as far as it
    /// is kept; no secret survives in it.
    pub fn take_stderr(&self) -> Option<String> {
        self.sandboxed.store.data().take_stderr()
    }

    /// Whether the instance can still be used.
    pub fn is_alive(&self) -> bool {
        !self.sandboxed.broken
    }

    /// Ends the handler in good order.
    ///
    /// # Errors
    /// The handler failed at its end.
    pub async fn tear_down(mut self) -> Result<(), PluginError> {
        let handler = self.handler;
        self.sandboxed
            .call("teardown", async |store| {
                handler.resource_drop_async(store.as_context_mut()).await
            })
            .await
    }

    pub(crate) fn refused(
        &self,
        error: crate::bindings::beamlet::enrichment::types::Error,
    ) -> PluginError {
        PluginError::Refused(HandlerError::new(error, self.egress.secrets()))
    }
}
