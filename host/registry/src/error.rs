//! Why a component could not be had.

use crate::{Digest, Reference};
use std::error::Error;

/// A component could not be had from a registry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// It is not named rightly.
    #[error("{text}: {why}")]
    Reference {
        /// What was written.
        text: String,
        /// What is wrong with it, and what to write.
        why: String,
    },
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
    /// The registry answered, and not as it should.
    #[error("{reference}: the registry answered {status}{}", behind(.said))]
    Status {
        /// What was asked for.
        reference: Box<Reference>,
        /// The HTTP status.
        status: u16,
        /// What it said of that; may be empty.
        said: String,
    },
    /// The registry does not have it.
    #[error("{reference}: the registry has no {what}{}", behind(.said))]
    NotFound {
        /// What was asked for.
        reference: Box<Reference>,
        /// What is missing.
        what: &'static str,
        /// What the registry said of that; may be empty.
        said: String,
    },
    /// The registry wants to know who asks.
    #[error("{reference}: {why}")]
    Unauthorized {
        /// What was asked for.
        reference: Box<Reference>,
        /// What it does not accept, and what to do.
        why: String,
    },
    /// What came is not what was asked for.
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
    /// Less or more came than there should be.
    #[error("{reference}: {why}")]
    Incomplete {
        /// What was asked for.
        reference: Box<Reference>,
        /// How much.
        why: String,
    },
    /// It is more than is taken in.
    #[error("{reference}: the {what} is larger than {limit} bytes, and is not taken in")]
    TooLarge {
        /// What was asked for.
        reference: Box<Reference>,
        /// A manifest or a component.
        what: &'static str,
        /// What is taken in at most.
        limit: u64,
    },
    /// It is something else than a component.
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
    /// Whether it is the user's to mend: another try would end in the same way.
    pub fn is_usage(&self) -> bool {
        use RegistryError as E;
        matches!(
            self,
            E::Reference { .. }
                | E::Unpinned { .. }
                | E::NotFound { .. }
                | E::Unauthorized { .. }
                | E::NoComponent { .. }
                | E::TooLarge { .. }
        )
    }

    /// No answer came, or no end of one.
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
