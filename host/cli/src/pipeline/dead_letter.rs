//! Writes rows that failed, each with its reason, as one JSON object on each line.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use beamlet::enrich::RowFailure;
use beamlet_formats::{BadRow, Origin, Original, Output, Rows, RowsError, Spooled, Target};
use serde::Serialize;
use serde_json::value::RawValue;
use std::io;
use std::time::SystemTime;

/// The error kind of a faulty row.
pub(super) const INVALID: &str = "invalid-input";

/// The number of bytes to encode as base64 at a time: a multiple of three, so that the texts can be
/// joined.
const CHUNK: usize = 48 << 10;

/// The output for rows that failed.
///
/// `jq -c .row` turns it into an input again.
pub(crate) struct DeadLetters {
    output: Output,
    kept_on_failure: bool,
}

impl DeadLetters {
    /// Opens the file. It appears under its name when the run has ended. `kept_on_failure` says
    /// whether it also appears if the run fails: if the enriched rows go to a pipe, they are
    /// already written.
    ///
    /// # Errors
    /// It cannot be created.
    pub(crate) fn create(target: Target, kept_on_failure: bool) -> Result<Self, RowsError> {
        Ok(DeadLetters { output: target.create()?, kept_on_failure })
    }

    /// Ends the file of a failed run.
    pub(super) fn fail(self) -> Result<(), RowsError> {
        if self.kept_on_failure { self.finish() } else { Ok(()) }
    }

    pub(super) fn write(&mut self, letters: &Letters) -> Result<(), RowsError> {
        letters.0.iter().try_for_each(|(_, letter)| letter.write(&mut self.output))
    }

    pub(super) fn finish(self) -> Result<(), RowsError> {
        self.output.finish().map(drop)
    }
}

/// Why a row failed.
pub(super) enum Why<'a> {
    /// It could not be passed to the handler.
    Unreadable(&'a RowsError),
    /// The handler could not enrich it.
    Failed(&'a RowFailure),
}

/// The dead letters of some rows.
#[derive(Default)]
pub(super) struct Letters(Vec<(u64, Letter)>);

impl Letters {
    /// Adds a letter for one of `rows`.
    pub(super) fn push(&mut self, rows: &Rows, row: usize, why: &Why<'_>) {
        let origin = rows.origin(row);
        let (kind, message, attempts) = match why {
            Why::Unreadable(error) => (INVALID.to_owned(), error.to_string(), 0),
            Why::Failed(RowFailure { error, attempts, .. }) => {
                (error.kind.to_string(), error.message.clone(), *attempts)
            }
        };
        let mut json = Vec::new();
        let original = match (rows.json(row, &mut json), String::from_utf8(json)) {
            (Ok(()), Ok(json)) => OriginalRow::Json(json),
            // It is not JSON, so it is kept as text.
            _ => OriginalRow::Text(rows.text(row).unwrap_or_default()),
        };
        self.0.push((origin.line, Letter::new(original, &kind, &message, attempts, &origin)));
    }

    /// Adds a letter for a row that was set aside.
    pub(super) fn push_bad(&mut self, row: &BadRow) {
        let BadRow { error, origin, original } = row;
        let original = match original {
            Original::Json(json) => OriginalRow::Json(json.clone()),
            Original::Text(text) => OriginalRow::Text(text),
            Original::Bytes(bytes) => OriginalRow::Bytes(BASE64.encode(bytes)),
            Original::Spooled(spooled) => OriginalRow::Spooled(spooled),
            _ => OriginalRow::Text(""),
        };
        let letter = Letter::new(original, INVALID, &error.to_string(), 0, origin);
        self.0.push((origin.line, letter));
    }

    /// Sorts them in the order of their rows, which come from one file.
    pub(super) fn sort(&mut self) {
        self.0.sort_by_key(|(line, _)| *line);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The original row of a letter.
enum OriginalRow<'a> {
    Json(String),
    Text(&'a str),
    /// Base64 of bytes that are not text.
    Bytes(String),
    Spooled(&'a Spooled),
}

/// A line of the file.
#[derive(Serialize)]
struct Line<'a> {
    /// The original row: JSON, or its text as a string; `null` if it is not text.
    row: &'a RawValue,
    /// Its bytes, if it is not text or too long for memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    row_base64: Option<String>,
    /// The kind of error, as the contract names it.
    kind: &'a str,
    message: &'a str,
    /// The number of requests for it; 0 if it could not be requested.
    attempts: u32,
    /// When it failed; RFC 3339, UTC.
    time: String,
    /// Where it was in the input.
    source: String,
}

/// A line as it is written.
struct Letter {
    text: String,
    /// Bytes to insert, as base64, at a position in the text.
    spooled: Option<(usize, Spooled)>,
}

impl Letter {
    fn new(
        original: OriginalRow<'_>,
        kind: &str,
        message: &str,
        attempts: u32,
        origin: &Origin,
    ) -> Self {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let (row, row_base64, spooled) = match original {
            OriginalRow::Json(json) => (json, None, None),
            OriginalRow::Text(row) => (text(row), None, None),
            OriginalRow::Bytes(base64) => ("null".to_owned(), Some(base64), None),
            OriginalRow::Spooled(spooled) => {
                ("null".to_owned(), Some(String::new()), Some(spooled))
            }
        };
        let row = RawValue::from_string(row.clone()).or_else(|_| RawValue::from_string(text(&row)));
        let line = Line {
            row: row.as_deref().unwrap_or(RawValue::NULL),
            row_base64,
            kind,
            message,
            attempts,
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            source: origin.to_string(),
        };
        // Serialising texts and numbers into memory cannot fail.
        let text = serde_json::to_string(&line).unwrap_or_default() + "\n";
        let spooled = spooled.map(|it| (SPOOLED.len(), it.clone()));
        Letter { text, spooled }
    }

    fn write(&self, output: &mut Output) -> Result<(), RowsError> {
        let Some((at, spooled)) = &self.spooled else { return output.write(self.text.as_bytes()) };
        let (begin, end) = self.text.split_at(*at);
        output.write(begin.as_bytes())?;
        spooled
            .chunks(CHUNK, |bytes| {
                output.write(BASE64.encode(bytes).as_bytes()).map_err(WriteError::Rows)
            })
            .map_err(|error| match error {
                WriteError::Rows(error) => error,
                WriteError::Io(cause) => RowsError::Write { name: "dead letters".into(), cause },
            })?;
        output.write(end.as_bytes())
    }
}

/// The start of a letter with spooled bytes.
const SPOOLED: &str = r#"{"row":null,"row_base64":""#;

enum WriteError {
    Rows(RowsError),
    Io(io::Error),
}

impl From<io::Error> for WriteError {
    fn from(cause: io::Error) -> Self {
        WriteError::Io(cause)
    }
}
