//! One bundle: rows go in, answers come out in their order, and each row is answered once.

use super::answer::Enriched;
use super::error::PluginError;
use super::instance::Instance;
use crate::bindings::beamlet::enrichment::types as wit;
use crate::columns;
use arrow_array::RecordBatch;
use wasmtime::AsContextMut;
use wasmtime::component::ResourceAny;

/// A bundle on its way. Dropped before [`finish`](Bundle::finish), its instance is finished:
/// rows may be under way in it.
pub struct Bundle<'a> {
    instance: &'a mut Instance,
    /// `None` when it has been finished.
    bundle: Option<ResourceAny>,
    given: usize,
    answered: usize,
}

impl<'a> Bundle<'a> {
    pub(crate) async fn start(instance: &'a mut Instance) -> Result<Self, PluginError> {
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
        answers: Result<Vec<wit::Enriched>, wit::Error>,
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
        // It may name a field, and a field may be called anything.
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
