//! Errors of the contract, and what they are made of: a transport that failed, or a store that
//! answered with another status than 200.

use crate::contract;
use crate::transport::{Method, Target};
use crate::{Error, ErrorKind, Response, TransportError};
use serde::Deserialize;
use std::time::SystemTime;

impl Error {
    /// An error that is not retryable.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            retryable: false,
            retry_after_ms: None,
            http_status: None,
        }
    }

    /// The same error, but retryable.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The error of a request to `target` that got no answer.
    pub fn no_answer(method: Method, target: &Target, why: &TransportError) -> Self {
        match why {
            TransportError::Denied => Error::new(
                ErrorKind::Denied,
                format!(
                    "{method} {target}: the host has not granted this destination to the handler"
                ),
            ),
            TransportError::Unreachable(why) => {
                Error::new(ErrorKind::Unavailable, format!("{method} {target}: {why}")).retryable()
            }
            TransportError::TimedOut(why) => {
                Error::new(ErrorKind::TimedOut, format!("{method} {target}: {why}")).retryable()
            }
            TransportError::Broken(why) => {
                Error::new(ErrorKind::BadResponse, format!("{method} {target}: {why}")).retryable()
            }
            TransportError::Encoded(encoding) => Error::new(
                ErrorKind::BadResponse,
                format!(
                    "{method} {target}: the answer is encoded as {encoding}, which was not asked for \
                     and is not understood; is a proxy in between?"
                ),
            ),
            TransportError::TooLarge(limit) => Error::new(
                ErrorKind::BadResponse,
                format!("{method} {target}: the answer is larger than {} MiB", limit >> 20),
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

/// The longest part of a server's own text in a message, in characters.
const LONGEST: usize = 300;

/// How much of a body that is not JSON is read, in bytes.
const LOOKED_AT: usize = 16 << 10;

impl Response {
    /// Parses the body as JSON.
    ///
    /// # Errors
    /// It is not JSON, or has another form. The error is retryable.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let what = match error.classify() {
                serde_json::error::Category::Data => "is not of the form that was asked for",
                serde_json::error::Category::Eof => "breaks off",
                _ => "is not JSON",
            };
            let message = format!("the feature store's answer {what}, at {line}:{column}");
            Error::new(ErrorKind::BadResponse, message).retryable()
        })
    }

    /// The error of an answer with another status than 200. Its message has the server's own:
    /// `message`, where the handler found one in the body, or else the body's text.
    pub fn refusal(&self, message: Option<&str>) -> Error {
        let (kind, retryable) = meaning(self.status);
        let wait = self.retry_after.as_deref();
        let retry_after_ms = wait.and_then(|value| retry_after(value, SystemTime::now()));
        let answer = server_message(self, message);
        let mut message = format!("the feature store answered {}: {answer}", self.status);
        if let Some(ms) = retry_after_ms {
            message.push_str(&format!("; it asks to wait {} s", ms.div_ceil(1000)));
        }
        Error { kind, message, retryable, retry_after_ms, http_status: Some(self.status) }
    }

    /// The error of an answer with another status than 200 whose body may be a [`GrpcError`]. Where
    /// the status is 400 or 500, which gateways use for anything, the gRPC code decides what kind
    /// of error it is.
    pub fn grpc_refusal(&self) -> Error {
        let body = GrpcError::of(self);
        let error = self.refusal(body.as_ref().and_then(GrpcError::message));
        match body.and_then(|body| body.code).and_then(grpc_meaning) {
            Some((kind, retryable)) if matches!(self.status, 400 | 500) => {
                Error { kind, retryable, ..error }
            }
            _ => error,
        }
    }
}

/// The body of an error as gRPC gateways send it: `{"code": 5, "message": "…"}`.
#[derive(Debug, Deserialize)]
pub struct GrpcError {
    message: Option<String>,
    error: Option<String>,
    /// The gRPC status code.
    pub code: Option<i64>,
}

impl GrpcError {
    /// The body of an answer, where it has this form.
    pub fn of(response: &Response) -> Option<Self> {
        serde_json::from_slice(&response.body).ok()
    }

    /// The server's message: the member `message`, or else `error`.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref().or(self.error.as_deref())
    }
}

/// What an answer that is an error says of the rows that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// All rows of the request fail. Others may not.
    Request,
    /// One row of the request makes it fail: the request is split until that row is alone. Costs at
    /// most twice as many requests as there are rows.
    OneRow,
    /// Every row would fail in the same way: the bundle ends.
    Bundle,
}

impl Blame {
    /// What a refusal says of the rows, whatever the store is: wrong credentials and a resource that
    /// is not there concern every row, and of a request that is too large one row may be the cause.
    /// Anything else concerns the request.
    pub fn of(response: &Response, error: &Error) -> Self {
        match error.kind {
            ErrorKind::Unauthenticated | ErrorKind::Forbidden | ErrorKind::NotFound => {
                Blame::Bundle
            }
            _ if response.status == 413 => Blame::OneRow,
            _ => Blame::Request,
        }
    }
}

/// The kind of a status, and whether the same request may succeed later.
fn meaning(status: u16) -> (ErrorKind, bool) {
    match status {
        400 | 413 | 422 => (ErrorKind::InvalidInput, false),
        401 => (ErrorKind::Unauthenticated, false),
        403 => (ErrorKind::Forbidden, false),
        404 => (ErrorKind::NotFound, false),
        408 | 504 => (ErrorKind::TimedOut, true),
        429 => (ErrorKind::Throttled, true),
        500..=599 => (ErrorKind::Unavailable, true),
        _ => (ErrorKind::BadResponse, false),
    }
}

/// The kind of a gRPC status code, and whether the same request may succeed later. Only of codes
/// that say more than the statuses 400 and 500.
fn grpc_meaning(code: i64) -> Option<(ErrorKind, bool)> {
    Some(match code {
        4 => (ErrorKind::TimedOut, true),
        5 => (ErrorKind::NotFound, false),
        7 => (ErrorKind::Forbidden, false),
        8 => (ErrorKind::Throttled, true),
        14 => (ErrorKind::Unavailable, true),
        16 => (ErrorKind::Unauthenticated, false),
        _ => return None,
    })
}

/// The server's message, whatever its body is.
fn server_message(response: &Response, message: Option<&str>) -> String {
    if let Some(location) = &response.location {
        return format!(
            "redirected to {location}; redirects are not followed, set `connection.url`"
        );
    }
    if let Some(message) = message {
        return shortened(message);
    }
    let start = &response.body[..response.body.len().min(LOOKED_AT)];
    let text = shortened(&without_tags(&String::from_utf8_lossy(start)));
    if text.is_empty() { "an empty body".to_owned() } else { text }
}

/// The text of a proxy's HTML page, without a heading that repeats its title; other text as it is.
fn without_tags(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let pieces = text.split('<').filter_map(|tag| tag.split_once('>').map(|(_, text)| text.trim()));
    let mut pieces: Vec<&str> = pieces.filter(|piece| !piece.is_empty()).collect();
    pieces.dedup();
    pieces.join(" ")
}

/// On one line, and not longer than a message should be.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// The wait in milliseconds, of seconds or of a date: all of it, as whoever retries has a deadline
/// of its own.
fn retry_after(value: &str, now: SystemTime) -> Option<u64> {
    let value = value.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        // So many digits that they are no number are a long time, too.
        return Some(value.parse().unwrap_or(u64::MAX).saturating_mul(1000));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let wait = at.duration_since(now).unwrap_or_default();
    Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Error {
        Response { status, retry_after: None, location: None, body: body.into() }.refusal(None)
    }

    /// The error of an answer that may have a gRPC code.
    fn refused(status: u16, body: &str) -> Error {
        Response { status, retry_after: None, location: None, body: body.into() }.grpc_refusal()
    }

    #[test]
    fn a_status_becomes_a_kind_and_says_whether_to_try_again() {
        let cases = [
            (400, "invalid-input", false),
            (401, "unauthenticated", false),
            (403, "forbidden", false),
            (404, "not-found", false),
            (429, "throttled", true),
            (500, "unavailable", true),
            (503, "unavailable", true),
            (504, "timed-out", true),
            (302, "bad-response", false),
        ];
        for (status, kind, retryable) in cases {
            let error = answered(status, "{}");
            assert_eq!(
                (error.kind.name().as_str(), error.retryable, error.http_status),
                (kind, retryable, Some(status))
            );
        }
    }

    #[test]
    fn a_proxys_html_page_becomes_its_text() {
        let error = answered(503, "<html><h1>503 Service\nTemporarily Unavailable</h1></html>");
        assert_eq!(
            error.message,
            "the feature store answered 503: 503 Service Temporarily Unavailable"
        );
    }

    #[test]
    fn a_proxys_html_page_whose_heading_is_its_title_says_it_once() {
        let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
            <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center></body></html>";
        let message = answered(502, page).message;
        assert_eq!(message, "the feature store answered 502: 502 Bad Gateway nginx");
    }

    #[test]
    fn the_wait_that_is_asked_for_is_in_the_message() {
        let answered = |wait: &str| {
            let retry_after = Some(wait.to_owned());
            let body = b"busy".to_vec();
            Response { status: 429, retry_after, location: None, body }.refusal(None)
        };
        let error = answered("3");
        assert_eq!(error.retry_after_ms, Some(3000));
        assert_eq!(error.message, "the feature store answered 429: busy; it asks to wait 3 s");
        let error = answered("soon");
        assert_eq!(error.message, "the feature store answered 429: busy");
    }

    #[test]
    fn a_redirect_says_where_it_leads() {
        let location = Some("https://elsewhere/".to_owned());
        let response = Response { status: 302, retry_after: None, location, body: vec![] };
        assert_eq!(
            response.refusal(None).message,
            "the feature store answered 302: redirected to https://elsewhere/; redirects are not followed, set `connection.url`"
        );
    }

    #[test]
    fn an_empty_a_long_and_a_binary_body_have_a_message() {
        assert!(answered(500, "").message.ends_with("an empty body"));
        assert!(answered(500, &"x".repeat(5000)).message.chars().count() < 350);
        let binary =
            Response { status: 500, retry_after: None, location: None, body: vec![0xff, b'a'] };
        assert!(binary.refusal(None).message.ends_with("\u{fffd}a"));
    }

    #[test]
    fn the_servers_own_message_is_kept() {
        let error = refused(
            400,
            r#"{"error":"x","message":"Missing required join key: user_id","code":3}"#,
        );
        assert_eq!(
            error.message,
            "the feature store answered 400: Missing required join key: user_id"
        );
    }

    #[test]
    fn json_that_breaks_off_and_a_page_without_text_have_a_message() {
        assert!(refused(400, r#"{"message":"Miss"#).message.ends_with(r#"{"message":"Miss"#));
        assert!(refused(503, "<html></html>").message.ends_with("an empty body"));
        assert!(refused(200 + 4, "").message.contains("204"));
    }

    #[test]
    fn a_code_in_the_body_says_what_a_400_is() {
        let of = |status: u16, code: i64| {
            let body = serde_json::json!({ "message": "m", "code": code }).to_string();
            let error = refused(status, &body);
            (error.kind.name(), error.retryable)
        };
        assert_eq!(of(400, 3), ("invalid-input".to_owned(), false));
        assert_eq!(of(400, 5), ("not-found".to_owned(), false));
        assert_eq!(of(400, 7), ("forbidden".to_owned(), false));
        assert_eq!(of(400, 8), ("throttled".to_owned(), true));
        assert_eq!(of(400, 16), ("unauthenticated".to_owned(), false));
        assert_eq!(of(500, 5), ("not-found".to_owned(), false));
        assert_eq!(of(500, 13), ("unavailable".to_owned(), true));
        assert_eq!(of(503, 5), ("unavailable".to_owned(), true));
    }

    #[test]
    fn seconds_and_dates_are_understood_however_long_the_wait_is() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let cases = [
            ("0", Some(0)),
            (" 7 ", Some(7_000)),
            ("3600", Some(3_600_000)),
            ("86400", Some(86_400_000)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(3_155_757_023_000)),
            ("-3", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ];
        for (value, wait) in cases {
            assert_eq!(super::retry_after(value, now), wait, "{value}");
        }
    }

    #[test]
    fn wrong_credentials_and_what_is_not_there_concern_every_row() {
        let blame = |status: u16, body: &str| {
            let response =
                Response { status, retry_after: None, location: None, body: body.into() };
            Blame::of(&response, &response.grpc_refusal())
        };
        for status in [401, 403, 404] {
            assert_eq!(blame(status, ""), Blame::Bundle);
        }
        assert_eq!(blame(400, r#"{"code": 5, "message": "no such service"}"#), Blame::Bundle);
        assert_eq!(blame(413, ""), Blame::OneRow);
        for status in [302, 400, 422, 429, 500, 503] {
            assert_eq!(blame(status, ""), Blame::Request);
        }
    }
}
