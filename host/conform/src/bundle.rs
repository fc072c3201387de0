//! Running a bundle, and counting its answers as they come.

use super::answer::{Answered, read};
use super::breach::Breach;
use super::session::Session;
use beamlet::raw::beamlet::enrichment::types::{Batch, Error};
use wasmtime::component::ResourceAny;

/// How a bundle ended.
pub(super) enum Ran {
    /// With an answer for each row.
    Answered(Vec<Answered>),
    /// With an error for all of them.
    Refused(Error),
}

/// A bundle on its way.
pub(super) struct Running {
    bundle: ResourceAny,
    given: usize,
    answers: Vec<Answered>,
}

impl Session<'_> {
    /// Notes a breach, with the call in which it came.
    pub(super) fn note(
        &self,
        call: &str,
        check: &'static str,
        expected: impl Into<String>,
        came: impl Into<String>,
    ) {
        self.subject.note(self.broken(call, check, expected, came));
    }

    /// A breach, with the call in which it came.
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

    /// Starts a bundle.
    pub(super) async fn begin(&mut self, handler: ResourceAny) -> Result<Running, Breach> {
        Ok(Running { bundle: self.start(handler).await?, given: 0, answers: Vec::new() })
    }

    /// Gives rows to a bundle; an error is the bundle's.
    pub(super) async fn give(
        &mut self,
        running: &mut Running,
        rows: &Batch,
    ) -> Result<Result<(), Error>, Breach> {
        running.given += rows.rows as usize;
        let answers = match self.process(running.bundle, rows).await? {
            Ok(answers) => answers,
            Err(error) => return Ok(Err(error)),
        };
        running.answers.extend(read(self, "bundle.process", answers)?);
        let (answered, given) = (running.answers.len(), running.given);
        if answered > given {
            let came = format!("{answered} rows were answered of {given} given");
            let expected = "never more answers than rows were given";
            return Err(self.broken("bundle.process", "answers/not-ahead", expected, came));
        }
        Ok(Ok(()))
    }

    /// Ends a bundle.
    pub(super) async fn end(&mut self, mut running: Running) -> Result<Ran, Breach> {
        let answers = match self.finish(running.bundle).await? {
            Ok(answers) => answers,
            Err(error) => return Ok(Ran::Refused(error)),
        };
        running.answers.extend(read(self, "bundle.finish", answers)?);
        let (answered, given) = (running.answers.len(), running.given);
        if answered != given {
            let came = format!("{answered} of {given} rows were answered");
            let expected = "each row that was given has been answered exactly once";
            return Err(self.broken("bundle.finish", self.counted, expected, came));
        }
        Ok(Ran::Answered(running.answers))
    }

    /// Runs a bundle with a `process` call for each batch.
    pub(super) async fn bundle(
        &mut self,
        handler: ResourceAny,
        calls: &[Batch],
    ) -> Result<Ran, Breach> {
        let mut running = self.begin(handler).await?;
        for rows in calls {
            if let Err(error) = self.give(&mut running, rows).await? {
                self.drop(running.bundle).await?;
                return Ok(Ran::Refused(error));
            }
        }
        self.end(running).await
    }

    /// The same, where an error for the whole bundle is a breach of `check`.
    pub(super) async fn answers(
        &mut self,
        check: &'static str,
        handler: ResourceAny,
        calls: &[Batch],
    ) -> Result<Vec<Answered>, Breach> {
        let ran = self.bundle(handler, calls).await?;
        self.answered(check, ran)
    }

    /// The answers of a bundle that must have some.
    pub(super) fn answered(&self, check: &'static str, ran: Ran) -> Result<Vec<Answered>, Breach> {
        match ran {
            Ran::Answered(rows) => Ok(rows),
            Ran::Refused(error) => {
                let told = format!("{}: {}", super::answer::kind(&error), error.message);
                let expected = "answers, as these rows got before";
                Err(self.breach(check, expected, format!("the bundle failed: {told}")))
            }
        }
    }

    /// Drops a bundle that has not been finished.
    pub(super) async fn abandon(&mut self, running: Running) -> Result<(), Breach> {
        self.drop(running.bundle).await
    }
}
