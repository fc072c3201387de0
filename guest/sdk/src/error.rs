//! Making errors of the contract.

use crate::contract;
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
    /// The kind's name.
    pub fn name(&self) -> String {
        contract::ErrorKind::from(self).to_string()
    }
}

impl From<&ErrorKind> for contract::ErrorKind {
    fn from(kind: &ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidInput => contract::ErrorKind::InvalidInput,
            ErrorKind::Unauthenticated => contract::ErrorKind::Unauthenticated,
            ErrorKind::Forbidden => contract::ErrorKind::Forbidden,
            ErrorKind::NotFound => contract::ErrorKind::NotFound,
            ErrorKind::Throttled => contract::ErrorKind::Throttled,
            ErrorKind::Unavailable => contract::ErrorKind::Unavailable,
            ErrorKind::TimedOut => contract::ErrorKind::TimedOut,
            ErrorKind::BadResponse => contract::ErrorKind::BadResponse,
            ErrorKind::Denied => contract::ErrorKind::Denied,
            ErrorKind::Other(name) => contract::ErrorKind::Other(name.clone()),
        }
    }
}
