//! A place in a repository, for error messages.

use std::fmt;
use std::path::Path;

use crate::repository::{Repository, RepositoryError};

/// A path of names from the file down: `repository.toml, workspace `prod`, service `fs``.
#[derive(Clone)]
pub(crate) struct Place<'r> {
    repository: &'r Repository,
    names: String,
}

impl<'r> Place<'r> {
    pub(super) fn of_repository(repository: &'r Repository) -> Self {
        let names = match &repository.origin {
            Some(path) => path.display().to_string(),
            None => "repository".to_owned(),
        };
        Self { repository, names }
    }

    /// A place inside this one.
    pub(super) fn within(&self, kind: &str, name: &str) -> Self {
        Self { repository: self.repository, names: format!("{}, {kind} `{name}`", self.names) }
    }

    pub(super) fn problem(&self, problem: impl Into<String>) -> RepositoryError {
        RepositoryError::Invalid { place: self.names.clone(), problem: problem.into() }
    }

    /// The folder that the repository's paths are relative to.
    pub(super) fn folder(&self) -> &Path {
        let origin = self.repository.origin.as_deref();
        origin.and_then(Path::parent).unwrap_or(Path::new(""))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names)
    }
}
