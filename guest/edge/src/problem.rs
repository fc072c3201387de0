//! Errors as RFC 9457 describes them: `application/problem+json`.

use beamlet_guest::json::error_json;
use beamlet_guest::{Error, ErrorKind};
use serde_json::{Value, json};

/// The `content-type` of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// The most rows that a problem lists.
pub const MAX_ROWS: usize = 100;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// Headers in addition to `content-type`.
    pub headers: Vec<(&'static str, String)>,
    /// The document.
    pub body: Value,
}

impl Problem {
    /// A problem with this status; `detail` says what is wrong.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        let body = json!({ "title": title(status), "status": status, "detail": detail.into() });
        Problem { status, headers: Vec::new(), body }
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.body[name] = value;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Rows that cannot be enriched, by number and with what is wrong. The store was not asked for any
    /// row of the body.
    pub fn of_rows(rows: &[(usize, String)]) -> Self {
        let what = match rows {
            [(row, what)] => format!("row {row} {what}"),
            _ => format!("{} rows cannot be enriched", rows.len()),
        };
        let list: Value = rows
            .iter()
            .take(MAX_ROWS)
            .map(|(row, what)| json!({ "row": row, "message": what }))
            .collect();
        Problem::new(400, format!("{what}; no row was asked for")).with("rows", list)
    }

    /// Problems of the configuration, each with a JSON Pointer into it.
    pub fn of_configuration(problems: &[beamlet_guest::config::Problem]) -> Self {
        let list: Value = problems
            .iter()
            .map(|problem| json!({ "path": problem.path, "message": problem.message }))
            .collect();
        Problem::new(503, "the configuration in BEAMLET_CONFIG is not valid").with("problems", list)
    }

    /// The error that every row failed with.
    pub fn of_store(error: &Error) -> Self {
        let status = status(error);
        let mut problem = Problem::new(status, error.message.clone());
        if let Value::Object(members) = error_json(error) {
            let members = members.into_iter().filter(|(name, _)| name != "message");
            members.for_each(|(name, value)| problem.body[&name] = value);
        }
        if let Some(ms) = error.retry_after_ms.filter(|_| matches!(status, 429 | 503)) {
            problem = problem.header("retry-after", ms.div_ceil(1000).to_string());
        }
        problem
    }
}

/// The status for an error of the store.
fn status(error: &Error) -> u16 {
    match (&error.kind, error.http_status) {
        (ErrorKind::InvalidInput, _) => 400,
        (ErrorKind::Throttled, _) | (ErrorKind::Unavailable, Some(503)) => 503,
        (ErrorKind::TimedOut, _) => 504,
        // The key, the name of the feature service, the network: the client cannot change them.
        _ => 502,
    }
}

/// The phrase of a status.
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn error(kind: ErrorKind, http_status: Option<u16>) -> Error {
        let message = "the feature store answered".to_owned();
        Error { kind, message, retryable: true, retry_after_ms: Some(1200), http_status }
    }

    #[test]
    fn an_error_of_the_store_has_the_status_of_a_gateway() {
        let status_of = |kind, http| Problem::of_store(&error(kind, http)).status;
        assert_eq!(status_of(ErrorKind::InvalidInput, Some(400)), 400);
        assert_eq!(status_of(ErrorKind::Unauthenticated, Some(401)), 502);
        assert_eq!(status_of(ErrorKind::Forbidden, Some(403)), 502);
        assert_eq!(status_of(ErrorKind::NotFound, Some(404)), 502);
        assert_eq!(status_of(ErrorKind::Throttled, Some(429)), 503);
        assert_eq!(status_of(ErrorKind::Unavailable, Some(503)), 503);
        assert_eq!(status_of(ErrorKind::Unavailable, Some(500)), 502);
        assert_eq!(status_of(ErrorKind::Unavailable, None), 502);
        assert_eq!(status_of(ErrorKind::TimedOut, None), 504);
        assert_eq!(status_of(ErrorKind::BadResponse, Some(200)), 502);
        assert_eq!(status_of(ErrorKind::Other("odd".to_owned()), None), 502);
    }

    #[test]
    fn how_long_the_store_asks_to_wait_is_a_header_in_whole_seconds() {
        let problem = Problem::of_store(&error(ErrorKind::Throttled, Some(429)));
        assert_eq!(problem.headers, [("retry-after", "2".to_owned())]);
        assert_snapshot!(problem.body, @r#"{"title":"Service Unavailable","status":503,"detail":"the feature store answered","kind":"throttled","retryable":true,"retry_after_ms":1200,"http_status":429}"#);
    }

    #[test]
    fn rows_are_listed_by_number_and_no_more_of_them_than_a_person_reads() {
        let one = Problem::of_rows(&[(3, "has no field `key`".to_owned())]);
        assert_snapshot!(one.body, @r#"{"title":"Bad Request","status":400,"detail":"row 3 has no field `key`; no row was asked for","rows":[{"row":3,"message":"has no field `key`"}]}"#);
        let rows: Vec<_> = (0..1000).map(|row| (row, String::new())).collect();
        let many = Problem::of_rows(&rows);
        assert_eq!(many.body["rows"].as_array().unwrap().len(), MAX_ROWS);
        assert_eq!(many.body["detail"], "1000 rows cannot be enriched; no row was asked for");
    }
}
