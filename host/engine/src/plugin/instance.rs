//! One instance of a handler: a store of its own, set up, serving one bundle at a time.

use super::answer::Enriched;
use super::component::Plugin;
use super::error::{HandlerError, PluginError};
use super::inspect::{CheckReport, Input, OutputField, Validation};
use super::sandboxed::Sandboxed;
use crate::bindings::beamlet::enrichment::types;
use crate::bindings::exports::beamlet::enrichment::enrichment_handler as wit;
use crate::columns;
use crate::sandbox::{Egress, Permissions};
use arrow_array::RecordBatch;
use beamlet_egress::setters;
use std::sync::Arc;
use wasmtime::AsContextMut;
use wasmtime::component::ResourceAny;

/// What the instances of one handler share: the configuration, the permissions, the egress.
#[derive(Clone)]
#[non_exhaustive]
pub struct Setup {
    /// The configuration, one JSON object, with placeholders where secrets are.
    pub config: Arc<str>,
    /// What an instance may use.
    pub permissions: Permissions,
    /// The way out, with its connections and secrets.
    pub egress: Arc<Egress>,
}

impl Setup {
    /// A setup with the default permissions. `config` is the configuration as one JSON object.
    pub fn new(config: impl Into<Arc<str>>, egress: Arc<Egress>) -> Self {
        Setup { config: config.into(), permissions: Permissions::default(), egress }
    }
}

setters!(Setup { permissions: Permissions });

/// A handler that is set up. Drop it, or [`tear_down`](Instance::tear_down), to end it.
pub struct Instance {
    sandboxed: Sandboxed,
    handler: ResourceAny,
    egress: Arc<Egress>,
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

    /// The fields of a row that the handler reads: [`Bundle::process`] takes these, in this order.
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
        let fields = self
            .sandboxed
            .call("handler.outputs", async |store| {
                interface.handler().call_outputs(store, handler).await
            })
            .await?;
        let fields = fields.map_err(|error| self.refused(error))?;
        Ok(fields.into_iter().map(Into::into).collect())
    }

    /// Has the handler compare its configuration with the store.
    ///
    /// # Errors
    /// The handler failed, or the store did not answer: [`PluginError::Refused`], after which the
    /// instance can still be used.
    pub async fn check(&mut self) -> Result<CheckReport, PluginError> {
        let bindings = self.sandboxed.bindings.clone();
        let interface = bindings.beamlet_enrichment_enrichment_handler();
        let handler = self.handler;
        let report = self
            .sandboxed
            .call("handler.check", async |store| {
                interface.handler().call_check(store, handler).await
            })
            .await?;
        let report = report.map_err(|error| self.refused(error))?;
        Ok(CheckReport::new(report, self.egress.secrets()))
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

    /// From now on no request of the handler outlasts this instant, whatever its time-outs are. The
    /// handler still has time to report which rows got no answer.
    pub fn answer_by(&mut self, deadline: Option<std::time::Instant>) {
        self.sandboxed.store.data_mut().outbound.deadline = deadline;
    }

    /// What the handler has written to its standard error since this was last called, as far as it is
    /// kept, without secrets.
    pub fn take_stderr(&self) -> Option<String> {
        self.sandboxed.store.data().take_stderr()
    }

    /// Whether the instance can still be used.
    pub fn is_alive(&self) -> bool {
        !self.sandboxed.is_broken()
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

    fn refused(&self, error: types::Error) -> PluginError {
        PluginError::Refused(HandlerError::new(error, self.egress.secrets()))
    }
}

/// A bundle that is under way: rows go in, answers come out in their order, and each row is answered
/// once. Where it is dropped before [`finish`](Bundle::finish), its instance is finished, too, as rows
/// may be under way in it.
pub struct Bundle<'a> {
    instance: &'a mut Instance,
    /// `None` when it has been finished.
    bundle: Option<ResourceAny>,
    given: usize,
    answered: usize,
}

impl<'a> Bundle<'a> {
    async fn start(instance: &'a mut Instance) -> Result<Self, PluginError> {
        let bindings = instance.sandboxed.bindings.clone();
        let interface = bindings.beamlet_enrichment_enrichment_handler();
        let handler = instance.handler;
        let bundle = instance
            .sandboxed
            .call("handler.start-bundle", async |store| {
                interface.handler().call_start_bundle(store, handler).await
            })
            .await?;
        Ok(Bundle { instance, bundle: Some(bundle), given: 0, answered: 0 })
    }

    /// Gives rows to the handler, as the columns of its [inputs](Instance::inputs), and takes
    /// the answers that are there: for the first rows that have not been answered yet.
    ///
    /// # Errors
    /// The handler failed, and the bundle with it: no row of it counts as answered.
    pub async fn process(&mut self, rows: &RecordBatch) -> Result<Vec<Enriched>, PluginError> {
        let batch = columns::from_arrow(rows)?;
        let Some(bundle) = self.bundle else { return Err(PluginError::Finished) };
        self.given += rows.num_rows();
        let bindings = self.instance.sandboxed.bindings.clone();
        let interface = bindings.beamlet_enrichment_enrichment_handler();
        let answers = self
            .instance
            .sandboxed
            .call("bundle.process", async |store| {
                interface.bundle().call_process(store, bundle, &batch).await
            })
            .await?;
        self.take("bundle.process", answers)
    }

    /// Ends the bundle and takes all answers that are left.
    ///
    /// # Errors
    /// The handler failed, and the bundle with it.
    pub async fn finish(mut self) -> Result<Vec<Enriched>, PluginError> {
        let Some(bundle) = self.bundle.take() else { return Err(PluginError::Finished) };
        let bindings = self.instance.sandboxed.bindings.clone();
        let interface = bindings.beamlet_enrichment_enrichment_handler();
        let answers = self
            .instance
            .sandboxed
            .call("bundle.finish", async |store| {
                interface.bundle().call_finish(store.as_context_mut(), bundle).await
            })
            .await?;
        let answers = self.take("bundle.finish", answers)?;
        if self.answered != self.given {
            return Err(self.broken(format!(
                "bundle.finish: {} of {} rows were answered",
                self.answered, self.given
            )));
        }
        Ok(answers)
    }

    /// Checks answers, and counts their rows.
    fn take(
        &mut self,
        call: &str,
        answers: Result<Vec<types::Enriched>, types::Error>,
    ) -> Result<Vec<Enriched>, PluginError> {
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                self.instance.sandboxed.give_up();
                return Err(self.instance.refused(error));
            }
        };
        let mut checked = Vec::with_capacity(answers.len());
        for answer in answers {
            let answer = Enriched::check(answer, self.instance.egress.secrets())
                .map_err(|why| self.broken(format!("{call}: {why}")))?;
            self.answered += answer.rows();
            if self.answered > self.given {
                let (answered, given) = (self.answered, self.given);
                return Err(
                    self.broken(format!("{call}: {answered} rows were answered of {given} given"))
                );
            }
            checked.push(answer);
        }
        Ok(checked)
    }

    fn broken(&mut self, why: String) -> PluginError {
        self.instance.sandboxed.give_up();
        // It may name a field, and a field may have any name.
        PluginError::BrokenPromise(self.instance.egress.secrets().redact(why))
    }
}

impl Drop for Bundle<'_> {
    fn drop(&mut self) {
        if self.bundle.is_some() {
            self.instance.sandboxed.give_up();
        }
    }
}
