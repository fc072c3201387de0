//! What it means that Tecton answered with another status than 200.

use beamlet_guest::{Error, Response};
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

/// The error that a response means, with the server's own message.
pub(crate) fn refusal(response: &Response) -> Error {
    response.refusal(Body::of(response).as_ref().and_then(Body::message))
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
}
