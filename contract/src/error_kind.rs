//! Kinds of errors, by name.

use std::borrow::Cow;
use std::fmt;

/// What kind of thing went wrong: what a runner decides by. Written in kebab-case, as in WIT.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The row or the request is wrong; the same will be refused again.
    InvalidInput,
    /// The store does not accept the credentials.
    Unauthenticated,
    /// The credentials are good, and do not allow this.
    Forbidden,
    /// What was named (a feature service, a workspace, a table) is not there.
    NotFound,
    /// The store asks for fewer requests.
    Throttled,
    /// The store could not be reached, or could not serve.
    Unavailable,
    /// No answer came within the time allowed.
    TimedOut,
    /// An answer came, and it is not what the store promises.
    BadResponse,
    /// The sandbox refused the destination: it was not granted to the handler.
    Denied,
    /// None of these: a short name in kebab-case.
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
