//! What a handler found out when it compared its configuration with its store.

use super::error::PluginError;
use super::instance::{Instance, OutputField};
use crate::bindings::beamlet::enrichment::types;
use crate::bindings::exports::beamlet::enrichment::enrichment_handler as wit;
use beamlet_egress::Secrets;
use std::fmt;

/// What a check found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// In the order they were found.
    pub findings: Vec<Diagnostic>,
    /// The fields that the handler adds; none where the store did not tell.
    pub outputs: Vec<OutputField>,
}

/// One thing that a check found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How it bears on a run.
    pub severity: Severity,
    /// What in the configuration it is about, as a JSON Pointer.
    pub path: String,
    /// What was found and, where it is not [`Ok`](Severity::Ok), what to do.
    pub message: String,
}

/// How a diagnostic bears on a run. What is worse is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Ok,
    /// A run works, though perhaps not as meant.
    Warning,
    /// A run would fail, or all of its rows would.
    Problem,
}

/// In lower case, as in the contract.
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Ok => "ok",
            Severity::Warning => "warning",
            Severity::Problem => "problem",
        })
    }
}

impl CheckReport {
    /// The worst that was found.
    pub fn severity(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok)
    }

    /// Takes over a report; no secret survives in its messages.
    fn new(report: wit::Report, secrets: &Secrets) -> Self {
        let finding = |finding: types::Diagnostic| Diagnostic {
            severity: match finding.severity {
                types::Severity::Ok => Severity::Ok,
                types::Severity::Warning => Severity::Warning,
                types::Severity::Problem => Severity::Problem,
            },
            path: finding.path,
            message: secrets.redact(finding.message),
        };
        CheckReport {
            findings: report.findings.into_iter().map(finding).collect(),
            outputs: report.outputs.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<wit::Field> for OutputField {
    fn from(wit::Field { name, type_ }: wit::Field) -> Self {
        OutputField { name, data_type: type_ }
    }
}

impl Instance {
    /// Compares, through the handler, the configuration with what the store tells of itself.
    ///
    /// # Errors
    /// The handler failed, or the store could not tell now: [`PluginError::Refused`], after
    /// which the instance can still be used.
    pub async fn check(&mut self) -> Result<CheckReport, PluginError> {
        let bindings = self.sandboxed.bindings.clone();
        let interface = bindings.beamlet_enrichment_enrichment_handler();
        let handler = self.handler;
        let told = self
            .sandboxed
            .call("handler.check", async |store| {
                interface.handler().call_check(store, handler).await
            })
            .await?;
        let report = told.map_err(|error| self.refused(error))?;
        Ok(CheckReport::new(report, self.egress.secrets()))
    }
}
