//! Which handler a user names.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The handler that is built in.
const TECTON: &str = "tecton";
/// What the name of one in a registry begins with.
const REGISTRY: &str = "oci://";

/// Which handler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handler {
    /// Tecton's, which is built in.
    #[default]
    Tecton,
    /// A component's file.
    File(PathBuf),
    /// One in a registry, `oci://REGISTRY/NAME@sha256:…`.
    Registry(String),
}

impl Handler {
    /// The same, where a file's path is relative to a directory.
    #[must_use]
    pub fn relative_to(self, directory: &Path) -> Self {
        match self {
            Handler::File(path) => Handler::File(directory.join(path)),
            other => other,
        }
    }
}

/// Of `tecton`, `oci://…`, or the path of a file.
impl FromStr for Handler {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            TECTON => Handler::Tecton,
            name if name.starts_with(REGISTRY) => Handler::Registry(name.to_owned()),
            file => Handler::File(PathBuf::from(file)),
        })
    }
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Handler::Tecton => f.write_str(TECTON),
            Handler::File(path) => write!(f, "{}", path.display()),
            Handler::Registry(name) => f.write_str(name),
        }
    }
}
