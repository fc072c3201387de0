//! Making errors of the contract.

use crate::transport::Target;
use crate::{Error, ErrorKind, TransportError};

impl Error {
    /// An error that the same rows will meet again.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            retryable: false,
            retry_after_ms: None,
            http_status: None,
        }
    }

    /// The same error, but one that may pass.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// What it means that `target` gave no answer.
    pub fn no_answer(target: &Target, why: &TransportError) -> Self {
        match why {
            TransportError::Denied => Error::new(
                ErrorKind::Denied,
                format!("POST {target}: the host has not granted this destination to the handler"),
            ),
            TransportError::Unreachable(why) => {
                Error::new(ErrorKind::Unavailable, format!("POST {target}: {why}")).retryable()
            }
            TransportError::TimedOut(why) => {
                Error::new(ErrorKind::TimedOut, format!("POST {target}: {why}")).retryable()
            }
            TransportError::Broken(why) => {
                Error::new(ErrorKind::BadResponse, format!("POST {target}: {why}")).retryable()
            }
            TransportError::Encoded(encoding) => Error::new(
                ErrorKind::BadResponse,
                format!(
                    "POST {target}: the answer is encoded as {encoding}, which was not asked for \
                     and is not understood; is a proxy in between?"
                ),
            ),
            TransportError::TooLarge(limit) => Error::new(
                ErrorKind::BadResponse,
                format!("POST {target}: the answer is larger than {} MiB", limit >> 20),
            ),
        }
    }
}

impl ErrorKind {
    /// The kind's name in kebab-case, as the contract spells it.
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
