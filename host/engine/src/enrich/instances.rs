//! The instances of a handler: one is set up when a bundle finds none free, and kept for the next bundle.

use super::metrics::Metrics;
use crate::plugin::{Input, Instance, OutputField, Plugin, PluginError, Setup};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::{info, warn};

/// What all instances of one handler and configuration share.
pub(super) struct Handler {
    plugin: Plugin,
    inputs: Arc<[Input]>,
    outputs: Vec<OutputField>,
    metrics: Arc<Metrics>,
    /// The sum of what all of them have counted, lost ones included.
    counters: Mutex<BTreeMap<String, u64>>,
}

/// The instances of one worker.
pub(super) struct Instances {
    handler: Arc<Handler>,
    setup: Setup,
    free: Mutex<Vec<Serving>>,
}

/// An instance, with its counters as they were last read.
pub(super) struct Serving {
    pub(super) instance: Instance,
    /// From 1, to identify it in logs.
    number: u64,
    counted: Vec<(String, u64)>,
}

impl Handler {
    /// Sets up the first instance.
    pub(super) async fn set_up(
        plugin: Plugin,
        setup: Setup,
        metrics: Arc<Metrics>,
    ) -> Result<(Arc<Self>, Serving), PluginError> {
        let mut first = Instance::set_up(&plugin, &setup).await?;
        metrics.instances.add(1);
        let outputs = match first.outputs().await {
            Ok(outputs) => outputs,
            // Where the store does not declare the fields, its first answer shows them.
            Err(PluginError::Refused(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let inputs = first.inputs().clone();
        let handler = Handler { plugin, inputs, outputs, metrics, counters: Mutex::default() };
        let mut first = Serving { instance: first, number: 1, counted: Vec::new() };
        // At once, so that the names of the counters are known.
        handler.count(&mut first).await;
        Ok((Arc::new(handler), first))
    }

    /// The fields that the handler reads.
    pub(super) fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The fields that come out; empty where the store does not declare them.
    pub(super) fn outputs(&self) -> &[OutputField] {
        &self.outputs
    }

    /// What all instances have counted.
    pub(super) fn counters(&self) -> BTreeMap<String, u64> {
        lock(&self.counters).clone()
    }

    /// Adds what an instance has counted since its counters were last read; `false` if it fails. This
    /// is done after each bundle, so that an instance that is lost later takes no counts with it.
    async fn count(&self, serving: &mut Serving) -> bool {
        let Ok(counted) = serving.instance.counters().await else { return false };
        let mut sum = lock(&self.counters);
        for (name, value) in &counted {
            let before = serving.counted.iter().find(|(other, _)| other == name);
            let before = before.map_or(0, |(_, before)| *before);
            match sum.get_mut(name) {
                Some(sum) => *sum += value.saturating_sub(before),
                None => drop(sum.insert(name.clone(), value.saturating_sub(before))),
            }
        }
        drop(sum);
        serving.counted = counted;
        true
    }
}

impl Instances {
    /// The instances of a setup; `first` is one of them.
    pub(super) fn new(handler: &Arc<Handler>, setup: Setup, first: Option<Serving>) -> Self {
        Instances { handler: handler.clone(), setup, free: Mutex::new(first.into_iter().collect()) }
    }

    /// A free instance, or a new one.
    pub(super) async fn take(&self) -> Result<Serving, PluginError> {
        let free = lock(&self.free).pop();
        if let Some(serving) = free {
            return Ok(serving);
        }
        let instance = Instance::set_up(&self.handler.plugin, &self.setup).await?;
        let number = self.handler.metrics.instances.add(1);
        Ok(Serving { instance, number, counted: Vec::new() })
    }

    /// Takes an instance back, if it can still be used, and what it has counted since.
    pub(super) async fn give_back(&self, mut serving: Serving) {
        if let Some(text) = serving.instance.take_stderr() {
            let (handler, instance) = (self.handler.plugin.name(), serving.number);
            for line in text.lines() {
                match line.strip_prefix("warning: ") {
                    Some(warning) => warn!(handler, instance, "{warning}"),
                    None => info!(handler, instance, "{line}"),
                }
            }
        }
        if serving.instance.is_alive() && self.handler.count(&mut serving).await {
            lock(&self.free).push(serving);
        }
    }

    /// Tears all free instances down.
    pub(super) async fn tear_down(&self) {
        let free = std::mem::take(&mut *lock(&self.free));
        for mut serving in free {
            self.handler.count(&mut serving).await;
            // An instance that fails at its end has answered all its rows.
            let _ = serving.instance.tear_down().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
