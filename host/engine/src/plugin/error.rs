//! What can go wrong with a handler itself, not with a row.

use super::answer::HandlerError;
use beamlet_config::Problem;
use std::time::Duration;

/// A handler failed. After any of these but [`Config`](PluginError::Config), the instance is
/// finished: a bundle that was on its way has to be given to a fresh one.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The configuration is wrong.
    #[error("the configuration has {}: {}", problems(.0.len()), lines(.0))]
    Config(Vec<Problem>),
    /// No instance could be made.
    #[error("the handler could not be instantiated: {0}")]
    Instantiate(String),
    /// The handler stopped in the middle of a call.
    #[error("the handler trapped in {call}: {why}{}", told(.stderr))]
    Trap {
        /// The function of the contract that was called.
        call: &'static str,
        /// The trap.
        why: String,
        /// What the handler had written to its standard error.
        stderr: String,
    },
    /// A call took longer than it may.
    #[error("the handler took longer than {} ms in {call}; `sandbox.deadline_ms` sets how long it may{}", .after.as_millis(), told(.stderr))]
    Deadline {
        /// The function of the contract that was called.
        call: &'static str,
        /// How long it was given.
        after: Duration,
        /// What the handler had written to its standard error.
        stderr: String,
    },
    /// The handler answered what the contract does not allow.
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

fn told(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!("; it wrote: {stderr}") }
}

fn problems(count: usize) -> String {
    if count == 1 { "a problem".to_owned() } else { format!("{count} problems") }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
