//! What it means that a store answered with another status than 200.

use crate::retry_after;
use crate::{Error, ErrorKind, Response};
use std::time::SystemTime;

/// The longest piece of a server's own text that goes into a message, in characters.
const LONGEST: usize = 300;

/// How much of a body that is no JSON is looked at, in bytes.
const LOOKED_AT: usize = 16 << 10;

impl Response {
    /// The error that an answer means whose status is another than 200, with what the server
    /// says: `message`, where the handler found one in the body, or else the body's text.
    pub fn refusal(&self, message: Option<&str>) -> Error {
        let (kind, retryable) = meaning(self.status);
        let wait = self.retry_after.as_deref();
        let retry_after_ms = wait.and_then(|value| retry_after::read(value, SystemTime::now()));
        let said = said(self, message);
        let mut message = format!("the feature store answered {}: {said}", self.status);
        if let Some(ms) = retry_after_ms {
            message.push_str(&format!("; it asks to wait {} s", ms.div_ceil(1000)));
        }
        Error { kind, message, retryable, retry_after_ms, http_status: Some(self.status) }
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

/// The server's message, whatever its body is.
fn said(response: &Response, message: Option<&str>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Error {
        Response { status, retry_after: None, location: None, body: body.into() }.refusal(None)
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
    fn the_wait_that_is_asked_for_is_told() {
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
    fn a_redirect_is_told_with_where_it_leads() {
        let location = Some("https://elsewhere/".to_owned());
        let response = Response { status: 302, retry_after: None, location, body: vec![] };
        assert_eq!(
            response.refusal(None).message,
            "the feature store answered 302: redirected to https://elsewhere/; redirects are not followed, set `connection.url`"
        );
    }

    #[test]
    fn an_empty_a_long_and_a_binary_body_are_told_too() {
        assert!(answered(500, "").message.ends_with("an empty body"));
        assert!(answered(500, &"x".repeat(5000)).message.chars().count() < 350);
        let binary =
            Response { status: 500, retry_after: None, location: None, body: vec![0xff, b'a'] };
        assert!(binary.refusal(None).message.ends_with("\u{fffd}a"));
    }
}
