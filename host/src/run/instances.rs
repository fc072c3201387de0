//! The instances of a run: set up when a bundle finds none free, kept for the next one.

use crate::plugin::{Input, Instance, OutputField, Plugin, PluginError, Setup};
use beamlet_rows::Field;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The instances of one handler and configuration.
pub(super) struct Instances {
    plugin: Plugin,
    setup: Setup,
    free: Mutex<Vec<Instance>>,
    counters: Mutex<BTreeMap<String, u64>>,
    fields: Vec<Field>,
    outputs: Vec<OutputField>,
}

impl Instances {
    /// Sets up the first one: what is wrong with the configuration shows here.
    pub(super) async fn set_up(plugin: Plugin, setup: Setup) -> Result<Self, PluginError> {
        let mut first = Instance::set_up(&plugin, &setup).await?;
        let outputs = match first.outputs().await {
            Ok(outputs) => outputs,
            // A store that does not tell what comes out shows it with the first rows.
            Err(PluginError::Refused(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let fields = first
            .inputs()
            .iter()
            .map(|Input { name, required }| Field { name: name.clone(), required: *required });
        Ok(Instances {
            fields: fields.collect(),
            outputs,
            plugin,
            setup,
            free: Mutex::new(vec![first]),
            counters: Mutex::default(),
        })
    }

    /// The fields that the handler reads.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The fields that come out, where the store tells before there are rows.
    pub(super) fn outputs(&self) -> &[OutputField] {
        &self.outputs
    }

    /// A free instance, or a new one.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Instance, PluginError> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match free {
            Some(instance) => Ok(instance),
            None => Instance::set_up(&self.plugin, &self.setup).await,
        }
    }

    /// Takes an instance back, if it can still be used.
    pub(super) fn give_back(&self, instance: Instance) {
        if instance.is_alive() {
            self.free.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        }
    }

    /// Tears all free instances down, and gives what all of them had counted.
    pub(super) async fn tear_down(&self) -> BTreeMap<String, u64> {
        let free = std::mem::take(&mut *self.free.lock().unwrap_or_else(PoisonError::into_inner));
        for mut instance in free {
            // An instance that fails at its end has answered all that it was asked.
            let counters = instance.counters().await.unwrap_or_default();
            let _ = instance.tear_down().await;
            let mut sum = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            for (name, value) in counters {
                *sum.entry(name).or_default() += value;
            }
        }
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
