//! A request's account: what became of it, written down and counted before its answer ends.
//!
//! Before, as a client that has its answer sends the next request at once: what is left to do for the
//! one before would pile up, instance upon instance.

use crate::instance::Instance;
use crate::told::Told;
use crate::totals::Totals;
use serde_json::json;
use std::io::Write as _;
use std::time::Instant;

/// What became of a request so far.
pub(crate) struct Account<'a> {
    pub(crate) told: Told,
    instance: Option<&'a Instance>,
    started: Instant,
    /// What the handler had counted before.
    before: Vec<(String, u64)>,
    closed: bool,
}

impl<'a> Account<'a> {
    /// Opens the account of a request, to an instance that is set up or to none.
    pub(crate) fn new(instance: Option<&'a Instance>) -> Self {
        let before = instance.map(Instance::handler_counts).unwrap_or_default();
        let told = Told::default();
        Account { told, instance, started: Instant::now(), before, closed: false }
    }

    /// Counts the request and writes it down, once.
    pub(crate) fn close(&mut self) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.told.ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut lines = String::new();
        if let Some(instance) = self.instance {
            let after = instance.handler_counts().into_iter().zip(&self.before);
            let since = after.map(|((name, after), before)| (name, after.saturating_sub(before.1)));
            self.told.handler = since.collect();
            let counts = self.told.counts();
            if let Some(directory) = &instance.settings.totals
                && let Err(error) = Totals::new(directory).add(&counts)
            {
                let why = format!("not counted in {}: {error}", directory.display());
                lines = json!({ "error": why }).to_string() + "\n";
            }
            instance.counts.borrow_mut().merge(&counts);
        }
        if self.instance.is_none_or(|instance| instance.settings.log) {
            lines += &self.told.line();
            lines.push('\n');
        }
        // Nobody may be there to read it.
        let _ = std::io::stderr().write_all(lines.as_bytes());
    }
}
