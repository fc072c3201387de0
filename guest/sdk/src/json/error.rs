//! An error of the contract as a JSON object.

use crate::Error;
use serde_json::{Value, json};

/// `kind`, `message` and `retryable`; and, where they are known, `retry_after_ms` and
/// `http_status`.
pub fn error_json(error: &Error) -> Value {
    let mut object = json!({
        "kind": error.kind.name(),
        "message": error.message,
        "retryable": error.retryable,
    });
    if let Some(wait) = error.retry_after_ms {
        object["retry_after_ms"] = wait.into();
    }
    if let Some(status) = error.http_status {
        object["http_status"] = status.into();
    }
    object
}
