//! Why a handler cannot be loaded or set up.

use crate::config::{ConfigError, Document};
use crate::enrich::EnrichError;
use crate::plugin::{self, PluginError, Problem};
use crate::sandbox::RuntimeError;
use std::convert::Infallible;
use std::fmt;

/// A handler cannot be loaded, or its configuration is not valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The configuration cannot be read, or is neither TOML nor JSON.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration has problems.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The component cannot be read, or is no handler.
    #[error(transparent)]
    Component(#[from] plugin::LoadError),
    /// The component cannot be pulled from its registry.
    #[error("{source}")]
    Registry {
        /// Whether the user has to change something, as another attempt would fail, too.
        is_usage: bool,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The library is built without the cargo feature that the handler needs.
    #[error(
        "{handler}: this program is built without the feature `{feature}`; name a component's file"
    )]
    NotBuiltIn {
        /// The handler's name.
        handler: String,
        /// The feature.
        feature: &'static str,
    },
    /// The machine cannot run components.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The handler failed.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The handler, or the cache, cannot be set up.
    #[error(transparent)]
    SetUp(#[from] EnrichError),
}

impl LoadError {
    #[cfg(feature = "registry")]
    pub(super) fn registry(error: impl Into<beamlet_registry::RegistryError>) -> Self {
        let error = error.into();
        LoadError::Registry { is_usage: error.is_usage(), source: Box::new(error) }
    }

    /// Whether the user has to change something: another attempt would fail in the same way.
    pub fn is_usage(&self) -> bool {
        match self {
            LoadError::Config(_)
            | LoadError::Invalid(_)
            | LoadError::Component(_)
            | LoadError::NotBuiltIn { .. } => true,
            LoadError::Registry { is_usage, .. } => *is_usage,
            LoadError::Plugin(error) => matches!(error, PluginError::Config(_)),
            LoadError::SetUp(EnrichError::Plugin(error)) => matches!(error, PluginError::Config(_)),
            LoadError::SetUp(error) => matches!(error, EnrichError::Cache(_)),
            LoadError::Runtime(_) => false,
        }
    }
}

impl From<Infallible> for LoadError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A configuration with problems: all of them, with their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    pub(super) problems: Vec<(Problem, String)>,
}

impl Invalid {
    pub(super) fn new(document: &Document, problems: Vec<Problem>) -> Self {
        let located = |problem: Problem| {
            let line = document.locate(&problem);
            (problem, line)
        };
        Invalid { problems: problems.into_iter().map(located).collect() }
    }

    /// The problems: a JSON Pointer and a message each.
    pub fn problems(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.problems.iter().map(|(problem, _)| problem)
    }

    /// The problems as lines: file, line where it is known, pointer, message.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &str> {
        self.problems.iter().map(|(_, line)| line.as_str())
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not valid")?;
        self.lines().try_for_each(|line| write!(f, "\n{line}"))
    }
}

impl std::error::Error for Invalid {}
