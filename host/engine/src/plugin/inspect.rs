//! What a handler says of itself: its name and schema, the fields that it reads and adds, and what is wrong
//! with a configuration.

use super::component::Plugin;
use super::error::PluginError;
use super::sandboxed::Sandboxed;
use crate::bindings::beamlet::enrichment::types as wit_types;
use crate::bindings::exports::beamlet::enrichment::enrichment_handler as wit;
use crate::sandbox::{Egress, Permissions};
use beamlet_config::Problem;
use beamlet_egress::Secrets;
use std::fmt;
use std::sync::Arc;

/// What a handler says it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Description {
    /// A short name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What its configuration may hold, as a JSON Schema.
    pub config_schema: serde_json::Value,
}

/// What a handler says of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validation {
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// What is accepted, and most likely not meant.
    pub warnings: Vec<Problem>,
}

impl Validation {
    /// Of the diagnostics of a handler, in its order. Those that say "ok" are left out.
    pub(super) fn of(found: Vec<wit_types::Diagnostic>) -> Self {
        let mut validation = Validation::default();
        for wit_types::Diagnostic { severity, path, message } in found {
            let problem = Problem { path, message };
            match severity {
                wit_types::Severity::Problem => validation.problems.push(problem),
                wit_types::Severity::Warning => validation.warnings.push(problem),
                wit_types::Severity::Ok => {}
            }
        }
        validation
    }
}

impl Plugin {
    /// Asks the handler what it is.
    ///
    /// # Errors
    /// The handler trapped, took too long, or returned a schema that is no JSON.
    pub async fn describe(&self, permissions: &Permissions) -> Result<Description, PluginError> {
        let mut sandboxed = self.isolated(permissions).await?;
        let interface = sandboxed.bindings.beamlet_enrichment_enrichment_handler().clone();
        let described =
            sandboxed.call("describe", async |store| interface.call_describe(store).await).await?;
        let config_schema = serde_json::from_str(&described.config_schema).map_err(|error| {
            PluginError::BrokenPromise(format!(
                "describe: the configuration's schema is no JSON: {error}"
            ))
        })?;
        Ok(Description { name: described.name, version: described.version, config_schema })
    }

    /// Asks the handler what is wrong with a configuration.
    ///
    /// # Errors
    /// The handler trapped, or took too long.
    pub async fn validate(
        &self,
        config: &serde_json::Value,
        permissions: &Permissions,
    ) -> Result<Validation, PluginError> {
        let config = config.to_string();
        let mut sandboxed = self.isolated(permissions).await?;
        let interface = sandboxed.bindings.beamlet_enrichment_enrichment_handler().clone();
        let found = sandboxed
            .call("validate", async |store| interface.call_validate(store, &config).await)
            .await?;
        Ok(Validation::of(found))
    }

    /// An instance that reaches nothing.
    async fn isolated(&self, permissions: &Permissions) -> Result<Sandboxed, PluginError> {
        let nowhere = Egress::new(Default::default(), Default::default(), Default::default());
        Sandboxed::new(self, permissions, Arc::new(nowhere)).await
    }
}

/// A field that a handler reads from each row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Whether a row without it is refused.
    pub required: bool,
}

impl Input {
    /// A field that each row must have.
    pub fn required(name: impl Into<String>) -> Self {
        Input { name: name.into(), required: true }
    }

    /// A field that a row may lack.
    pub fn optional(name: impl Into<String>) -> Self {
        Input { name: name.into(), required: false }
    }
}

/// A field that a handler adds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutputField {
    /// Its name.
    pub name: String,
    /// Its type, as the contract writes it.
    pub data_type: String,
}

/// What a handler found when it compared its configuration with its store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// In the order they were found.
    pub findings: Vec<Diagnostic>,
    /// The fields that the handler adds; none where the store did not name them.
    pub outputs: Vec<OutputField>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How it bears on a run.
    pub severity: Severity,
    /// What in the configuration it is about, as a JSON Pointer.
    pub path: String,
    /// What was found and, where it is not [`Ok`](Severity::Ok), what to do.
    pub message: String,
}

/// How a diagnostic bears on a run; a worse one is greater.
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

    /// Takes over a report, without the secrets in its messages.
    pub(super) fn new(report: wit::Report, secrets: &Secrets) -> Self {
        let finding = |finding: wit_types::Diagnostic| Diagnostic {
            severity: match finding.severity {
                wit_types::Severity::Ok => Severity::Ok,
                wit_types::Severity::Warning => Severity::Warning,
                wit_types::Severity::Problem => Severity::Problem,
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
