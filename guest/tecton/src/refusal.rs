//! What it means that the store answered with another status than 200.

use beamlet_guest::{Error, ErrorKind, Response};
use serde::Deserialize;

/// The body of Tecton's errors.
#[derive(Deserialize)]
struct Body {
    message: Option<String>,
    error: Option<String>,
}

/// The longest piece of a server's own text that goes into a message, in characters.
const LONGEST: usize = 300;

/// The error that a response means, with the server's own message.
pub(crate) fn refusal(response: &Response) -> Error {
    let (kind, retryable) = meaning(response.status);
    let said = said(response);
    Error {
        kind,
        message: format!("the feature store answered {}: {said}", response.status),
        retryable,
        retry_after_ms: response.retry_after.as_deref().and_then(retry_after_ms),
        http_status: Some(response.status),
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
fn said(response: &Response) -> String {
    if let Some(location) = &response.location {
        return format!(
            "redirected to {location}; redirects are not followed, set `connection.url`"
        );
    }
    let text = String::from_utf8_lossy(&response.body);
    let body = serde_json::from_str::<Body>(&text).ok();
    match body.and_then(|body| body.message.or(body.error)) {
        Some(message) => shortened(&message),
        None if text.trim().is_empty() => "an empty body".to_owned(),
        None => shortened(&without_tags(&text)),
    }
}

/// The text of a proxy's HTML page; other text as it is.
fn without_tags(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let mut inside = false;
    let kept = text.chars().map(|c| match c {
        '<' => {
            inside = true;
            ' '
        }
        '>' => {
            inside = false;
            ' '
        }
        _ if inside => ' ',
        c => c,
    });
    kept.collect()
}

/// On one line, and not longer than a message should be.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// `Retry-After` in seconds.
fn retry_after_ms(value: &str) -> Option<u64> {
    value.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Error {
        refusal(&Response { status, retry_after: None, location: None, body: body.into() })
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
                (error.kind.name(), error.retryable, error.http_status),
                (kind, retryable, Some(status))
            );
        }
    }

    #[test]
    fn the_servers_own_message_is_kept() {
        let error = answered(
            400,
            r#"{"error":"x","message":"Missing required join key: user_id","code":3}"#,
        );
        assert_eq!(
            error.message,
            "the feature store answered 400: Missing required join key: user_id"
        );
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
    fn an_empty_a_long_and_a_binary_body_are_told_too() {
        assert!(answered(500, "").message.ends_with("an empty body"));
        assert!(answered(500, &"x".repeat(5000)).message.chars().count() < 350);
        let binary =
            Response { status: 500, retry_after: None, location: None, body: vec![0xff, b'a'] };
        assert!(refusal(&binary).message.ends_with("\u{fffd}a"));
    }
}
