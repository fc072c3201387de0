//! What it means that Tecton answered with another status than 200.

use beamlet_guest::{Error, ErrorKind, Response};
use serde::Deserialize;

/// The body of Tecton's errors.
#[derive(Deserialize)]
pub(crate) struct Body {
    message: Option<String>,
    error: Option<String>,
    /// A gRPC status code.
    pub(crate) code: Option<i64>,
}

impl Body {
    /// The body of an answer that is an error, where it is one of Tecton's.
    pub(crate) fn of(response: &Response) -> Option<Self> {
        serde_json::from_slice(&response.body).ok()
    }

    /// What the server says of it.
    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_deref().or(self.error.as_deref())
    }
}

/// The error that a response means, with the server's own message. Where the status is that of
/// no particular thing, the gRPC code in the body counts.
pub(crate) fn refusal(response: &Response) -> Error {
    let body = Body::of(response);
    let error = response.refusal(body.as_ref().and_then(Body::message));
    match body.and_then(|body| body.code).and_then(meaning) {
        Some((kind, retryable)) if matches!(response.status, 400 | 500) => {
            Error { kind, retryable, ..error }
        }
        _ => error,
    }
}

/// The kind of a gRPC status code, and whether the same request may succeed later; of those codes
/// that say more than 400 or 500.
fn meaning(code: i64) -> Option<(ErrorKind, bool)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Error {
        refusal(&Response { status, retry_after: None, location: None, body: body.into() })
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
    fn json_that_breaks_off_and_a_page_without_text_are_told() {
        assert!(answered(400, r#"{"message":"Miss"#).message.ends_with(r#"{"message":"Miss"#));
        assert!(answered(503, "<html></html>").message.ends_with("an empty body"));
        assert!(answered(200 + 4, "").message.contains("204"));
    }

    #[test]
    fn a_code_in_the_body_says_what_a_400_is() {
        let of = |status: u16, code: i64| {
            let body = serde_json::json!({ "message": "m", "code": code }).to_string();
            let error = answered(status, &body);
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
}
