//! The state of an instance, set up at its first request, and the record of one request.

use crate::bindings::beamlet::enrichment::enrichment_handler::Handler;
use crate::counts::{Counts, Totals};
use crate::settings::Settings;
use crate::summary::Summary;
use beamlet_guest::config::Problem;
use serde_json::json;
use std::cell::{OnceCell, RefCell};
use std::io::Write as _;
use std::time::Instant;

/// A handler, set up.
pub(crate) struct Instance {
    pub(crate) settings: Settings,
    pub(crate) handler: Handler,
    /// The fields that the handler reads, and whether every row must have them.
    pub(crate) inputs: Vec<(String, bool)>,
    /// The counts since the set-up.
    pub(crate) counts: RefCell<Counts>,
}

thread_local! {
    static INSTANCE: OnceCell<Result<Instance, Vec<Problem>>> = const { OnceCell::new() };
}

/// Passes the instance to `take`, or all problems of its configuration.
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
    /// The counters of the handler.
    pub(crate) fn handler_counts(&self) -> Vec<(String, u64)> {
        self.handler.counters().into_iter().map(|counter| (counter.name, counter.value)).collect()
    }
}

/// The record of a request. It is closed before the answer ends: a client that has its answer sends
/// the next request at once, and the rest of the work on the last one would pile up.
pub(crate) struct Record<'a> {
    pub(crate) summary: Summary,
    instance: Option<&'a Instance>,
    started: Instant,
    /// The counters of the handler before the request.
    before: Vec<(String, u64)>,
    closed: bool,
}

impl<'a> Record<'a> {
    /// Starts the record of a request. `instance` is `None` where the configuration is not valid.
    pub(crate) fn new(instance: Option<&'a Instance>) -> Self {
        let before = instance.map(Instance::handler_counts).unwrap_or_default();
        let summary = Summary::default();
        Record { summary, instance, started: Instant::now(), before, closed: false }
    }

    /// Counts the request and writes it to the log, once.
    pub(crate) fn close(&mut self) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.summary.ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut lines = String::new();
        if let Some(instance) = self.instance {
            let after = instance.handler_counts().into_iter().zip(&self.before);
            let since = after.map(|((name, after), before)| (name, after.saturating_sub(before.1)));
            self.summary.handler = since.collect();
            let counts = self.summary.counts();
            if let Some(directory) = &instance.settings.totals
                && let Err(error) = Totals::new(directory).add(&counts)
            {
                let why = format!("not counted in {}: {error}", directory.display());
                lines = json!({ "error": why }).to_string() + "\n";
            }
            instance.counts.borrow_mut().merge(&counts);
        }
        if self.instance.is_none_or(|instance| instance.settings.log) {
            lines += &self.summary.line();
            lines.push('\n');
        }
        // The log may be closed.
        let _ = std::io::stderr().write_all(lines.as_bytes());
    }
}
