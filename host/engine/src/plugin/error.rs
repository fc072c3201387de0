//! What can go wrong: with a row, [`HandlerError`]; with a handler itself, [`PluginError`].

use crate::bindings::beamlet::enrichment::types as wit;
use beamlet_config::Problem;
use beamlet_contract::ErrorKind;
use beamlet_egress::Secrets;
use std::fmt;
use std::time::Duration;

/// An error of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandlerError {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// What happened, for a person.
    pub message: String,
    /// Whether the same rows may succeed later.
    pub retryable: bool,
    /// How long the store asks to wait before that.
    pub retry_after: Option<Duration>,
    /// The HTTP status, where the store answered with one.
    pub http_status: Option<u16>,
}

/// The kind first, then the message.
impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

/// The kind by its name in the contract.
pub fn error_kind(kind: wit::ErrorKind) -> ErrorKind {
    match kind {
        wit::ErrorKind::InvalidInput => ErrorKind::InvalidInput,
        wit::ErrorKind::Unauthenticated => ErrorKind::Unauthenticated,
        wit::ErrorKind::Forbidden => ErrorKind::Forbidden,
        wit::ErrorKind::NotFound => ErrorKind::NotFound,
        wit::ErrorKind::Throttled => ErrorKind::Throttled,
        wit::ErrorKind::Unavailable => ErrorKind::Unavailable,
        wit::ErrorKind::TimedOut => ErrorKind::TimedOut,
        wit::ErrorKind::BadResponse => ErrorKind::BadResponse,
        wit::ErrorKind::Denied => ErrorKind::Denied,
        wit::ErrorKind::Other(name) => ErrorKind::Other(name),
    }
}

impl HandlerError {
    /// Takes over an error of a handler, without the secrets in its texts.
    pub(crate) fn new(error: wit::Error, secrets: &Secrets) -> Self {
        HandlerError {
            kind: match error_kind(error.kind) {
                ErrorKind::Other(name) => ErrorKind::Other(bounded(name, secrets)),
                kind => kind,
            },
            message: bounded(error.message, secrets),
            retryable: error.retryable,
            retry_after: error.retry_after_ms.map(Duration::from_millis),
            http_status: error.http_status,
        }
    }
}

/// The longest text of a handler that is passed on, in characters.
const LONGEST: usize = 4000;

/// A text of a handler, without secrets and of limited length.
fn bounded(text: String, secrets: &Secrets) -> String {
    let text = secrets.redact(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A handler failed. After any of these but [`Config`](PluginError::Config), the instance is finished:
/// its bundle has to be given to a fresh one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// The configuration is wrong.
    #[error("the configuration has {}: {}", problems(.0.len()), lines(.0))]
    Config(Vec<Problem>),
    /// No instance could be made.
    #[error("the handler could not be instantiated: {why}")]
    Instantiate {
        /// The cause, with the causes behind it.
        why: String,
        /// The error of the WebAssembly runtime, where there is one.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The handler stopped in the middle of a call.
    #[error("the handler trapped in {call}: {why}{}", wrote(.stderr))]
    Trap {
        /// The function of the contract that was called.
        call: &'static str,
        /// The trap.
        why: String,
        /// The error of the WebAssembly runtime, with the backtrace through the component.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What the handler had written to its standard error.
        stderr: String,
    },
    /// A call took longer than it may.
    #[error("the handler took longer than {} ms in {call}; `sandbox.deadline_ms` sets how long it may{}", .after.as_millis(), wrote(.stderr))]
    Deadline {
        /// The function of the contract that was called.
        call: &'static str,
        /// How long it was given.
        after: Duration,
        /// What the handler had written to its standard error.
        stderr: String,
    },
    /// The handler's answer is not one that the contract allows: which call, and what is wrong.
    #[error("the handler is faulty, tell its author: {0}")]
    BrokenPromise(String),
    /// The handler refused the whole bundle.
    #[error("the handler refused the bundle: {0}")]
    Refused(HandlerError),
    /// The instance had failed before.
    #[error("the instance has failed before and is finished; set up a new one")]
    Finished,
    /// The rows cannot cross into the component.
    #[error(transparent)]
    Columns(#[from] crate::columns::ColumnError),
}

fn wrote(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!("; it wrote: {stderr}") }
}

fn problems(count: usize) -> String {
    if count == 1 { "a problem".to_owned() } else { format!("{count} problems") }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
