//! Calls one instance of the handler. Answers are passed on without checks or corrections.

use super::breach::Breach;
use super::subject::Subject;
use beamlet::plugin::PluginError;
use beamlet::raw::Sandboxed;
use beamlet::raw::ScriptedStore;
use beamlet::raw::beamlet::enrichment::types::{Batch, Diagnostic, Enriched, Error, Severity};
use beamlet::raw::exports::beamlet::enrichment::enrichment_handler as wit;
use std::sync::Arc;
use wasmtime::AsContextMut;
use wasmtime::component::ResourceAny;

/// `Ok` with the warnings of a configuration, or `Err` with its problems.
pub(super) type Validated = Result<Vec<Diagnostic>, Vec<Diagnostic>>;

/// A sandbox with the handler.
pub(super) struct Session<'s> {
    pub(super) subject: &'s Subject,
    sandboxed: Sandboxed,
    /// The check that fails if a call traps.
    pub(super) charged: &'static str,
    /// The check that fails if a row is lost, or answered twice.
    pub(super) counted: &'static str,
    /// The current action, for messages.
    pub(super) doing: String,
}

macro_rules! typed {
    ($session:ident, $name:literal, |$interface:ident, $store:ident| $call:expr) => {{
        let bindings = $session.sandboxed.bindings.clone();
        let $interface = bindings.beamlet_enrichment_enrichment_handler();
        let ended = $session.sandboxed.call($name, async |$store| $call.await).await;
        ended.map_err(|error| $session.stopped($name, &error))
    }};
}

macro_rules! text {
    ($session:ident, $name:literal, |$interface:ident, $store:ident| $call:expr) => {{
        let bindings = $session.sandboxed.bindings.clone();
        let $interface = bindings.beamlet_enrichment_enrichment_json();
        let ended = $session.sandboxed.call($name, async |$store| $call.await).await;
        ended.map_err(|error| $session.stopped($name, &error))
    }};
}

impl<'s> Session<'s> {
    /// Creates a sandbox, with the real store or a scripted one.
    pub(super) async fn new(
        subject: &'s Subject,
        charged: &'static str,
        scripted: Option<Arc<ScriptedStore>>,
    ) -> Result<Self, Breach> {
        let setup = &subject.setup;
        let made = Sandboxed::new(&subject.plugin, &setup.permissions, setup.egress.clone()).await;
        let mut sandboxed = made.map_err(|error| Breach {
            check: charged,
            done: "made an instance".to_owned(),
            expected: "it can be instantiated".to_owned(),
            came: error.to_string(),
        })?;
        sandboxed.ask(scripted);
        let doing = String::new();
        Ok(Session { subject, sandboxed, charged, counted: "answers/count", doing })
    }

    /// Creates a sandbox and sets the handler up with the given configuration.
    pub(super) async fn ready(
        subject: &'s Subject,
        charged: &'static str,
        scripted: Option<Arc<ScriptedStore>>,
    ) -> Result<(Self, ResourceAny), Breach> {
        let mut session = Session::new(subject, charged, scripted).await?;
        match session.setup(&subject.setup.config).await? {
            Ok(handler) => Ok((session, handler)),
            Err(problems) => Err(Breach {
                check: "config/accepts",
                done: "handler.setup with the given configuration".to_owned(),
                expected: "a handler, as `beamlet validate` calls it valid".to_owned(),
                came: subject.describe_problems(&problems),
            }),
        }
    }

    /// A breach of a check by the current action.
    pub(super) fn breach(
        &self,
        check: &'static str,
        expected: impl Into<String>,
        came: impl Into<String>,
    ) -> Breach {
        let came = self.subject.redact(came.into());
        Breach { check, done: self.doing.clone(), expected: expected.into(), came }
    }

    /// Notes a breach that occurred in `call`.
    pub(super) fn note(
        &self,
        call: &str,
        check: &'static str,
        expected: impl Into<String>,
        came: impl Into<String>,
    ) {
        self.subject.note(self.broken(call, check, expected, came));
    }

    /// A breach that occurred in `call`.
    pub(super) fn broken(
        &self,
        call: &str,
        check: &'static str,
        expected: impl Into<String>,
        came: impl Into<String>,
    ) -> Breach {
        let mut breach = self.breach(check, expected, came);
        breach.done = format!("{}: {call}", breach.done);
        breach
    }

    fn stopped(&self, call: &str, error: &PluginError) -> Breach {
        let done =
            if self.doing.is_empty() { call.to_owned() } else { format!("{}: {call}", self.doing) };
        let expected = "the call returns".to_owned();
        let came = self.subject.redact(error.to_string());
        Breach { check: self.charged, done, expected, came }
    }

    pub(super) async fn describe(&mut self) -> Result<wit::Description, Breach> {
        typed!(self, "describe", |interface, store| interface.call_describe(store))
    }

    pub(super) async fn validate(&mut self, config: &str) -> Result<Validated, Breach> {
        let diagnostics = typed!(self, "validate", |it, store| it.call_validate(store, config))?;
        let (problems, others): (Vec<_>, Vec<_>) =
            diagnostics.into_iter().partition(|it| it.severity == Severity::Problem);
        Ok(if problems.is_empty() { Ok(others) } else { Err(problems) })
    }

    pub(super) async fn setup(
        &mut self,
        config: &str,
    ) -> Result<Result<ResourceAny, Vec<Diagnostic>>, Breach> {
        typed!(self, "handler.setup", |it, store| it.handler().call_setup(store, config))
    }

    pub(super) async fn inputs(&mut self, handler: ResourceAny) -> Result<Vec<wit::Input>, Breach> {
        typed!(self, "handler.inputs", |it, store| it.handler().call_inputs(store, handler))
    }

    pub(super) async fn outputs(
        &mut self,
        handler: ResourceAny,
    ) -> Result<Result<Vec<wit::Field>, Error>, Breach> {
        typed!(self, "handler.outputs", |it, store| it.handler().call_outputs(store, handler))
    }

    pub(super) async fn check(
        &mut self,
        handler: ResourceAny,
    ) -> Result<Result<wit::Report, Error>, Breach> {
        typed!(self, "handler.check", |it, store| it.handler().call_check(store, handler))
    }

    pub(super) async fn counters(
        &mut self,
        handler: ResourceAny,
    ) -> Result<Vec<(String, u64)>, Breach> {
        let counters = typed!(self, "handler.counters", |it, store| it
            .handler()
            .call_counters(store, handler));
        Ok(counters?.into_iter().map(|wit::Counter { name, value }| (name, value)).collect())
    }

    pub(super) async fn start(&mut self, handler: ResourceAny) -> Result<ResourceAny, Breach> {
        typed!(self, "handler.start-bundle", |it, store| it
            .handler()
            .call_start_bundle(store, handler))
    }

    pub(super) async fn process(
        &mut self,
        bundle: ResourceAny,
        rows: &Batch,
    ) -> Result<Result<Vec<Enriched>, Error>, Breach> {
        typed!(self, "bundle.process", |it, store| it.bundle().call_process(store, bundle, rows))
    }

    pub(super) async fn finish(
        &mut self,
        bundle: ResourceAny,
    ) -> Result<Result<Vec<Enriched>, Error>, Breach> {
        typed!(self, "bundle.finish", |it, store| it
            .bundle()
            .call_finish(store.as_context_mut(), bundle))
    }

    /// Drops a handler or a bundle.
    pub(super) async fn drop(&mut self, resource: ResourceAny) -> Result<(), Breach> {
        let ended = self
            .sandboxed
            .call("drop", async |store| resource.resource_drop_async(store.as_context_mut()).await);
        let ended = ended.await;
        ended.map_err(|error| self.stopped("drop", &error))
    }

    pub(super) async fn text_describe(&mut self) -> Result<String, Breach> {
        text!(self, "enrichment-json.describe", |it, store| it.call_describe(store))
    }

    pub(super) async fn text_validate(
        &mut self,
        config: &str,
    ) -> Result<Result<String, String>, Breach> {
        text!(self, "enrichment-json.validate", |it, store| it.call_validate(store, config))
    }

    pub(super) async fn text_enrich(
        &mut self,
        config: &str,
        rows: &str,
    ) -> Result<Result<String, String>, Breach> {
        text!(self, "enrichment-json.enrich", |it, store| it.call_enrich(store, config, rows))
    }
}
