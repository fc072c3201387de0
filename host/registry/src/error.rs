//! Why a component could not be pulled.

use crate::reference::{Digest, Reference, ReferenceError};
use std::error::Error;

/// A component could not be pulled from a registry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The reference cannot be read.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A tag may be another component tomorrow.
    #[error("{reference}: a tag can be moved; the component that it names now is {pinned}")]
    Unpinned {
        /// What was written.
        reference: Box<Reference>,
        /// What to write.
        pinned: Box<Reference>,
    },
    /// The registry gave no answer.
    #[error("{registry}: {why}")]
    Unreachable {
        /// The registry.
        registry: String,
        /// Why.
        why: String,
    },
    /// The registry answered with an unexpected status.
    #[error("{reference}: the registry answered {status}{}", behind(.message))]
    Status {
        /// What was asked for.
        reference: Box<Reference>,
        /// The HTTP status.
        status: u16,
        /// Its own message; may be empty.
        message: String,
    },
    /// The registry does not have it.
    #[error("{reference}: the registry has no {what}{}", behind(.message))]
    NotFound {
        /// What was asked for.
        reference: Box<Reference>,
        /// What is missing.
        what: &'static str,
        /// The registry's own message; may be empty.
        message: String,
    },
    /// The registry does not accept the credentials, or asks for some.
    #[error("{reference}: {why}")]
    Unauthorized {
        /// What was asked for.
        reference: Box<Reference>,
        /// What it does not accept, and what to do.
        why: String,
    },
    /// The bytes have another digest than the one that was asked for.
    #[error("{reference}: the registry gave a {what} of another digest: {got}, not {wanted}")]
    Digest {
        /// What was asked for.
        reference: Box<Reference>,
        /// A manifest or a component.
        what: &'static str,
        /// The digest that was asked for.
        wanted: Digest,
        /// The digest of what came.
        got: Digest,
    },
    /// The component is not complete.
    #[error("{reference}: {why}")]
    Incomplete {
        /// What was asked for.
        reference: Box<Reference>,
        /// How much.
        why: String,
    },
    /// It is larger than the limit.
    #[error("{reference}: the {what} is larger than the {limit} bytes that are accepted")]
    TooLarge {
        /// What was asked for.
        reference: Box<Reference>,
        /// A manifest or a component.
        what: &'static str,
        /// The limit, in bytes.
        limit: u64,
    },
    /// It is no component.
    #[error("{reference}: {why}")]
    NoComponent {
        /// What was asked for.
        reference: Box<Reference>,
        /// What it is instead.
        why: String,
    },
    /// The client could not be made.
    #[error("a client for registries could not be made: {0}")]
    Client(String),
}

impl RegistryError {
    /// Whether the user has to change something: another attempt would fail in the same way.
    pub fn is_usage(&self) -> bool {
        use RegistryError as E;
        matches!(
            self,
            E::Reference(_)
                | E::Unpinned { .. }
                | E::NotFound { .. }
                | E::Unauthorized { .. }
                | E::NoComponent { .. }
                | E::TooLarge { .. }
        )
    }

    /// No complete answer came.
    pub(crate) fn unreachable(registry: &str, error: &reqwest::Error) -> Self {
        // The innermost cause says it; the outer ones repeat the URL, which may hold a token.
        let causes = std::iter::successors(error.source(), |&error| error.source());
        let texts: Vec<String> = causes.map(ToString::to_string).collect();
        let cause = texts.last().cloned().unwrap_or_default();
        let why = match () {
            () if texts.iter().any(|text| text == "dns error") => {
                format!("the host name could not be resolved: {cause}")
            }
            () if error.is_timeout() => "no answer within the time allowed".to_owned(),
            () if error.is_connect() => format!("the registry could not be reached: {cause}"),
            () => format!("the answer broke off: {cause}"),
        };
        RegistryError::Unreachable { registry: registry.to_owned(), why }
    }
}

fn behind(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
