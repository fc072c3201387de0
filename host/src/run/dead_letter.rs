//! Rows that failed, each with why: one JSON object on each line.

use crate::enrich::GivenUp;
use beamlet_rows::{Output, Rows, RowsError, Target};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::time::SystemTime;

/// Where rows go that could not be enriched.
///
/// `jq -c .row` makes an input of it again.
pub struct DeadLetters {
    output: Output,
    kept_on_failure: bool,
}

impl DeadLetters {
    /// Opens the file; it appears under its name when the run has ended. `kept_on_failure` says
    /// whether also when that failed: where the rows go to a pipe, they have gone.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(target: Target, kept_on_failure: bool) -> Result<Self, RowsError> {
        Ok(DeadLetters { output: target.create()?, kept_on_failure })
    }

    /// The run has failed.
    pub(super) fn fail(self) -> Result<(), RowsError> {
        if self.kept_on_failure { self.finish() } else { Ok(()) }
    }

    pub(super) fn write(&mut self, letters: &[u8]) -> Result<(), RowsError> {
        self.output.write(letters)
    }

    pub(super) fn finish(self) -> Result<(), RowsError> {
        self.output.finish().map(drop)
    }
}

/// A line of the file.
#[derive(Serialize)]
struct Letter<'a> {
    /// The row as it was; as text, where it is no JSON.
    row: Cow<'a, RawValue>,
    /// The kind of error, as the contract names it.
    kind: &'a str,
    message: &'a str,
    /// How often it was asked for; 0 where it could not be.
    attempts: u32,
    /// When it was given up; RFC 3339, UTC.
    time: String,
    /// Where it stood.
    source: String,
}

/// Why a row failed.
pub(super) enum Why<'a> {
    /// It could not be shown to the handler.
    Unreadable(&'a RowsError),
    /// The handler could not enrich it.
    GivenUp(&'a GivenUp),
}

/// Appends a letter for a row.
pub(super) fn letter(rows: &Rows, row: usize, why: &Why<'_>, letters: &mut Vec<u8>) {
    let (kind, message, attempts) = match why {
        Why::Unreadable(error) => ("invalid-input".to_owned(), error.to_string(), 0),
        Why::GivenUp(GivenUp { error, attempts }) => {
            (error.kind.to_string(), error.message.clone(), *attempts)
        }
    };
    let letter = Letter {
        row: Cow::Owned(original(rows, row)),
        kind: &kind,
        message: &message,
        attempts,
        time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        source: rows.origin(row).to_string(),
    };
    // Texts and numbers into memory: there is nothing that could fail.
    if serde_json::to_writer(&mut *letters, &letter).is_ok() {
        letters.push(b'\n');
    }
}

/// The row as one JSON value.
fn original(rows: &Rows, row: usize) -> Box<RawValue> {
    let mut text = Vec::new();
    let json = match rows.json(row, &mut text) {
        Ok(()) => String::from_utf8_lossy(&text).into_owned(),
        // It is no JSON: then it is a text, and nothing of it is lost.
        Err(_) => serde_json::Value::from(rows.text(row).unwrap_or_default()).to_string(),
    };
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
