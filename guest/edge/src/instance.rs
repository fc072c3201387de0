//! What an instance of the service is set up with: once, at its first request.

use crate::bindings::beamlet::enrichment::enrichment_handler::Handler;
use crate::counts::Counts;
use crate::settings::Settings;
use beamlet_guest::config::Problem;
use std::cell::{OnceCell, RefCell};

/// A handler, set up.
pub(crate) struct Instance {
    pub(crate) settings: Settings,
    pub(crate) handler: Handler,
    /// The fields that it reads, and whether a row has to have them.
    pub(crate) inputs: Vec<(String, bool)>,
    /// What was counted since the set-up.
    pub(crate) counts: RefCell<Counts>,
}

thread_local! {
    static INSTANCE: OnceCell<Result<Instance, Vec<Problem>>> = const { OnceCell::new() };
}

/// Gives the instance, or all problems that its configuration has.
pub(crate) fn with<T>(take: impl FnOnce(&Result<Instance, Vec<Problem>>) -> T) -> T {
    INSTANCE.with(|instance| take(instance.get_or_init(set_up)))
}

fn set_up() -> Result<Instance, Vec<Problem>> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let handler = Handler::setup(&settings.config).map_err(|problems| {
        let problem =
            |it: beamlet_guest::Diagnostic| Problem { path: it.path, message: it.message };
        problems.into_iter().map(problem).collect::<Vec<_>>()
    })?;
    let inputs = handler.inputs().into_iter().map(|input| (input.name, input.required)).collect();
    Ok(Instance { settings, handler, inputs, counts: RefCell::default() })
}

impl Instance {
    /// What the handler has counted so far.
    pub(crate) fn handler_counts(&self) -> Vec<(String, u64)> {
        self.handler.counters().into_iter().map(|counter| (counter.name, counter.value)).collect()
    }
}
