//! What came back for some rows of a bundle, checked.

use crate::bindings::beamlet::enrichment::types as wit;
use crate::columns;
use arrow_array::RecordBatch;
use beamlet_contract::ErrorKind;
use beamlet_egress::Secrets;
use std::fmt;
use std::time::Duration;

/// The answer for the next rows of a bundle, in the order they were given.
#[derive(Clone, Debug)]
pub struct Enriched {
    /// The features, a row each: null for a row in one of the lists below.
    pub features: RecordBatch,
    /// Ascending positions of rows whose key names no entity that the store knows.
    pub missing: Vec<u32>,
    /// Ascending positions of rows whose key is null.
    pub null_keys: Vec<u32>,
    /// Rows that could not be enriched, in ascending order.
    pub failures: Vec<Failure>,
}

/// One row that could not be enriched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its position.
    pub row: u32,
    /// Why.
    pub error: HandlerError,
}

/// An error of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Takes over an error of a handler; no secret survives in its texts.
    pub(crate) fn new(error: wit::Error, secrets: &Secrets) -> Self {
        HandlerError {
            kind: match error_kind(error.kind) {
                ErrorKind::Other(name) => ErrorKind::Other(told(name, secrets)),
                kind => kind,
            },
            message: told(error.message, secrets),
            retryable: error.retryable,
            retry_after: error.retry_after_ms.map(Duration::from_millis),
            http_status: error.http_status,
        }
    }
}

/// The longest text of a handler that is passed on, in characters.
const LONGEST: usize = 4000;

/// A handler's own words: no secret in them, and not more than a person reads.
fn told(text: String, secrets: &Secrets) -> String {
    let text = secrets.redact(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl Enriched {
    /// Takes over an answer; the error says which promise it breaks.
    pub(crate) fn check(answer: wit::Enriched, secrets: &Secrets) -> Result<Self, String> {
        let rows = answer.fields.rows;
        ascending("missing", &answer.missing, rows)?;
        ascending("null-keys", &answer.null_keys, rows)?;
        let failed: Vec<u32> = answer.failures.iter().map(|failure| failure.row).collect();
        ascending("failures", &failed, rows)?;
        let mut all: Vec<u32> = [answer.missing.as_slice(), &answer.null_keys, &failed].concat();
        all.sort_unstable();
        if let Some(pair) = all.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!(
                "row {} is in two of `missing`, `null-keys` and `failures`",
                pair[0]
            ));
        }
        let failures = answer.failures.into_iter();
        Ok(Enriched {
            missing: answer.missing,
            null_keys: answer.null_keys,
            failures: failures
                .map(|wit::RowFailure { row, error }| Failure {
                    row,
                    error: HandlerError::new(error, secrets),
                })
                .collect(),
            features: columns::to_arrow(answer.fields)?,
        })
    }

    /// How many rows the answer is for.
    pub fn rows(&self) -> usize {
        self.features.num_rows()
    }

    /// How many of them came back with an entity's features.
    pub fn enriched(&self) -> usize {
        self.rows() - self.missing.len() - self.null_keys.len() - self.failures.len()
    }
}

/// Checks that positions ascend, and are positions of rows.
fn ascending(list: &str, positions: &[u32], rows: u32) -> Result<(), String> {
    if let Some(pair) = positions.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!("`{list}` does not ascend: {} stands before {}", pair[0], pair[1]));
    }
    match positions.last() {
        Some(last) if *last >= rows => Err(format!("`{list}` names row {last} of {rows}")),
        _ => Ok(()),
    }
}
