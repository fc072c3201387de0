//! The suite: a handler, its configuration, rows to ask for, and the selected checks.

use super::breach::{Breach, Kept};
use super::check::{CHECKS, Check};
use super::report::{CheckOutcome, Report};
use super::session::Session;
use super::subject::Subject;
use arrow_array::RecordBatch;
use beamlet::columns::ColumnError;
use beamlet::plugin::{Plugin, Setup};
use beamlet::raw::beamlet::enrichment::types::{Batch, Column, Values};
use beamlet::raw::from_arrow;
use std::collections::HashMap;

/// The checks of one handler.
pub struct Suite {
    plugin: Plugin,
    setup: Setup,
    samples: Option<Batch>,
    many: u32,
    wanted: Vec<&'static Check>,
}

impl Suite {
    /// The default number of rows for `answers/many`.
    pub const MANY: u32 = 100_000;

    /// All checks of a handler, with a configuration that the host has validated.
    pub fn new(plugin: Plugin, setup: Setup) -> Self {
        let wanted = CHECKS.iter().collect();
        Suite { plugin, setup, samples: None, many: Suite::MANY, wanted }
    }

    /// Adds rows to ask for, with the columns that the handler reads. The store should know some of
    /// them.
    ///
    /// # Errors
    /// A column has a type that cannot be passed to a handler.
    pub fn samples(mut self, rows: &RecordBatch) -> Result<Self, ColumnError> {
        self.samples = Some(from_arrow(rows)?).filter(|rows| rows.rows > 0);
        Ok(self)
    }

    /// Sets the number of rows for `answers/many`.
    #[must_use]
    pub fn many(mut self, rows: u32) -> Self {
        self.many = rows;
        self
    }

    /// Selects checks by name, or by group.
    ///
    /// # Errors
    /// The first name that is neither a check nor a group.
    pub fn only(mut self, names: &[String]) -> Result<Self, String> {
        let is = |check: &Check, name: &str| {
            check.name == name || check.name.split('/').next() == Some(name)
        };
        if let Some(unknown) = names.iter().find(|name| !CHECKS.iter().any(|it| is(it, name))) {
            return Err(unknown.clone());
        }
        if !names.is_empty() {
            self.wanted.retain(|check| names.iter().any(|name| is(check, name)));
        }
        Ok(self)
    }

    /// Runs the checks.
    pub async fn run(self) -> Report {
        let mut ended: HashMap<&'static str, Result<Kept, Breach>> = HashMap::new();
        let config = serde_json::from_str(&self.setup.config).unwrap_or_default();
        let samples = Batch { rows: 0, columns: Vec::new() };
        let mut subject = Subject::new(self.plugin, self.setup, config, samples, self.many);
        let handler = introduce(&subject).await;
        match inputs(&mut subject, self.samples).await {
            Err(breach) => subject.note(breach),
            Ok(()) => {
                for check in &self.wanted {
                    let end = (check.scenario)(&subject).await;
                    if let Err(breach) = &end {
                        subject.note(breach.clone());
                    }
                    ended.insert(check.name, end);
                }
            }
        }
        let found = subject.found();
        let stopped = found.first().map_or("config/accepts", |breach| breach.check);
        let outcome = |check: &'static Check| {
            if let Some(breach) = found.iter().find(|breach| breach.check == check.name) {
                return Some(CheckOutcome::Failed(breach.clone()));
            }
            if self.wanted.iter().all(|wanted| wanted.name != check.name) {
                return None;
            }
            Some(match ended.remove(check.name) {
                Some(Ok(Kept::Yes)) => CheckOutcome::Passed,
                Some(Ok(Kept::NotApplicable(why))) => CheckOutcome::NotApplicable(why),
                Some(Err(breach)) => CheckOutcome::NotLookedAt(breach.check),
                None => CheckOutcome::NotLookedAt(stopped),
            })
        };
        let mut outcome = outcome;
        let checks = CHECKS.iter().filter_map(|check| Some((check, outcome(check)?)));
        Report { handler, checks: checks.collect() }
    }
}

/// The handler's name and version, for the report.
async fn introduce(subject: &Subject) -> String {
    let description = async {
        let mut session = Session::new(subject, "describe/name", None).await?;
        session.describe().await
    };
    match description.await {
        Ok(it) => subject.redact(format!("{} {}", it.name, it.version)),
        Err(_) => subject.plugin.name().to_owned(),
    }
}

/// Asks which fields the handler reads, and prepares columns for them if the author gave no rows.
async fn inputs(subject: &mut Subject, samples: Option<Batch>) -> Result<(), Breach> {
    let (mut session, handler) = Session::ready(subject, "config/accepts", None).await?;
    let inputs = session.inputs(handler).await?;
    drop(session);
    let texts = |name: &String| Column {
        name: name.clone(),
        values: Values::Strings([""; 0].into_iter().collect()),
        nulls: Vec::new(),
    };
    subject.inputs = inputs;
    let names = subject.input_names();
    subject.samples =
        samples.unwrap_or_else(|| Batch { rows: 0, columns: names.iter().map(texts).collect() });
    Ok(())
}
