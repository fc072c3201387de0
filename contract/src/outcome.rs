//! The outcomes of rows, and the kinds of errors, by name.

use std::borrow::Cow;
use std::fmt;

/// The outcome of a row. `E` says why it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome<E = ()> {
    /// It came back with an entity's features.
    Enriched,
    /// Its key names no entity that the store knows. Its features are null, but for what the
    /// store reports about it. This is no error.
    Missing,
    /// Its key is null, and the store knows nothing for it. Its features are null. This is no
    /// error.
    NullKey,
    /// It could not be enriched.
    Failed(E),
}

impl Outcome {
    /// Every outcome, in the order in which summaries count them.
    pub const ALL: [Outcome; 4] =
        [Outcome::Enriched, Outcome::Missing, Outcome::NullKey, Outcome::Failed(())];
}

impl<E> Outcome<E> {
    /// The name, in snake case: of metrics, columns and counters.
    pub const fn name(&self) -> &'static str {
        match self {
            Outcome::Enriched => "enriched",
            Outcome::Missing => "missing",
            Outcome::NullKey => "null_key",
            Outcome::Failed(_) => "failed",
        }
    }

    /// Whether the store answered, if only that it knows nothing.
    pub const fn is_answer(&self) -> bool {
        !matches!(self, Outcome::Failed(_))
    }

    /// Why the row failed.
    pub const fn error(&self) -> Option<&E> {
        match self {
            Outcome::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl<E> fmt::Display for Outcome<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kind of an error, by which a runner decides what to do. Written in kebab-case, as in WIT.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The row or the request is wrong; the same will be refused again.
    InvalidInput,
    /// The store does not accept the credentials.
    Unauthenticated,
    /// The credentials are valid, and do not allow this.
    Forbidden,
    /// A feature service, a workspace or a table of that name does not exist.
    NotFound,
    /// The store asks for fewer requests.
    Throttled,
    /// The store could not be reached, or could not serve.
    Unavailable,
    /// No answer came within the time allowed.
    TimedOut,
    /// An answer came, and it is not of the form that the store documents.
    BadResponse,
    /// The sandbox refused the destination, which was not granted to the handler.
    Denied,
    /// Another kind: a short name in kebab-case.
    Other(String),
}

impl ErrorKind {
    /// Every kind that has a name of its own.
    pub const ALL: [ErrorKind; 9] = [
        ErrorKind::InvalidInput,
        ErrorKind::Unauthenticated,
        ErrorKind::Forbidden,
        ErrorKind::NotFound,
        ErrorKind::Throttled,
        ErrorKind::Unavailable,
        ErrorKind::TimedOut,
        ErrorKind::BadResponse,
        ErrorKind::Denied,
    ];

    /// The name.
    pub fn name(&self) -> &str {
        match self {
            ErrorKind::InvalidInput => "invalid-input",
            ErrorKind::Unauthenticated => "unauthenticated",
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::NotFound => "not-found",
            ErrorKind::Throttled => "throttled",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::TimedOut => "timed-out",
            ErrorKind::BadResponse => "bad-response",
            ErrorKind::Denied => "denied",
            ErrorKind::Other(name) => name,
        }
    }
}

impl<'n, N: Into<Cow<'n, str>>> From<N> for ErrorKind {
    /// The kind of that name.
    fn from(name: N) -> Self {
        let name = name.into();
        let known = ErrorKind::ALL.into_iter().find(|kind| kind.name() == name);
        known.unwrap_or_else(|| ErrorKind::Other(name.into_owned()))
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_reads_back_from_its_name() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from(kind.to_string()), kind);
        }
        assert_eq!(ErrorKind::from("quota").to_string(), "quota");
    }
}
