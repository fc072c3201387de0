//! The error table: each row's HTTP status, gRPC code and exact message.

use std::borrow::Cow;

use crate::data_type::{DataType, Field};
use crate::json::quote;

/// An answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: u8,
    pub(crate) message: Cow<'static, str>,
}

const INVALID_ARGUMENT: u8 = 3;
const DEADLINE_EXCEEDED: u8 = 4;
const NOT_FOUND: u8 = 5;
const PERMISSION_DENIED: u8 = 7;
const RESOURCE_EXHAUSTED: u8 = 8;
const UNIMPLEMENTED: u8 = 12;
const INTERNAL: u8 = 13;
const UNAVAILABLE: u8 = 14;
const UNAUTHENTICATED: u8 = 16;

impl ApiError {
    /// The body: the message twice, and the gRPC code.
    pub(crate) fn body(&self) -> String {
        let message = quote(&self.message);
        let code = self.code;
        format!(r#"{{"error":{message},"message":{message},"code":{code}}}"#)
    }

    /// An error with a status, and Tecton's message for it or another one.
    pub(crate) fn of_status(status: u16, message: Option<&str>) -> Self {
        let message = match message {
            Some(message) => Cow::Owned(message.to_owned()),
            None => Cow::Borrowed(default_message(status)),
        };
        Self { status, code: code_of_status(status), message }
    }

    fn invalid(message: String) -> Self {
        Self::of_status(400, Some(&message))
    }

    pub(crate) fn missing_join_key(name: &str) -> Self {
        Self::invalid(format!("Missing required join key: {name}"))
    }

    pub(crate) fn unknown_join_key(name: &str, expected: &[Field]) -> Self {
        let expected = names(expected);
        Self::invalid(format!("Unknown join key: {name}, expected one of: [{expected}]"))
    }

    pub(crate) fn missing_context_key(name: &str) -> Self {
        Self::invalid(format!("Expected key not found: [{name}] in requestContextMap"))
    }

    pub(crate) fn unknown_context_key(name: &str, expected: &[Field]) -> Self {
        let expected = names(expected);
        Self::invalid(format!("Unknown request context key: {name}, expected one of: [{expected}]"))
    }

    pub(crate) fn unexpected_type(name: &str, map: &str, expected: &DataType) -> Self {
        Self::invalid(format!(
            "Unexpected JSON type for {name} in {map}. Expected {expected} or null."
        ))
    }

    pub(crate) fn batch_size(size: usize, maximum: usize) -> Self {
        Self::invalid(format!("Batch size {size} exceeds maximum of {maximum}."))
    }

    pub(crate) fn empty_batch() -> Self {
        Self::invalid("requestData must not be empty".to_owned())
    }

    pub(crate) fn missing_field(name: &str) -> Self {
        Self::invalid(format!("Missing required field: {name}"))
    }

    pub(crate) fn unknown_field(path: &str) -> Self {
        Self::invalid(format!("Unknown field: {path}"))
    }

    pub(crate) fn malformed(problem: &str) -> Self {
        Self::invalid(format!("Malformed request: {problem}"))
    }

    pub(crate) fn failed_feature(name: &str, problem: &str) -> Self {
        Self::invalid(format!("Failed to compute feature {name}: {problem}"))
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::of_status(401, None)
    }

    pub(crate) fn not_authorized() -> Self {
        Self::of_status(403, None)
    }

    pub(crate) fn unable_to_query(service: &str, workspace: &str) -> Self {
        let message = format!(
            "Unable to query FeatureService `{service}` for workspace `{workspace}`. Newly \
             created feature services may take up to 60 seconds to query. Also, ensure that the \
             workspace is a live workspace."
        );
        Self::of_status(404, Some(&message))
    }

    pub(crate) fn unknown_service(service: &str, workspace: &str) -> Self {
        let message = format!("Unknown feature_service_name: {service} for workspace: {workspace}");
        Self::of_status(404, Some(&message))
    }

    pub(crate) fn not_materialized(view: &str) -> Self {
        let message = format!(
            "Cannot retrieve features. FeatureView: {view} has no materialized data in the online \
             store."
        );
        Self::of_status(404, Some(&message))
    }

    pub(crate) fn no_such_path() -> Self {
        Self::of_status(404, None)
    }

    pub(crate) fn no_such_method() -> Self {
        Self::of_status(405, None)
    }

    pub(crate) fn too_large(maximum: usize) -> Self {
        let message = format!("Request payload exceeds maximum of {maximum} bytes.");
        Self::of_status(413, Some(&message))
    }

    pub(crate) fn too_many_requests() -> Self {
        Self::of_status(429, None)
    }

    pub(crate) fn timed_out() -> Self {
        Self::of_status(504, None)
    }
}

/// `a b c`, as Tecton's messages list names in brackets.
fn names(fields: &[Field]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.join(" ")
}

fn code_of_status(status: u16) -> u8 {
    match status {
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => NOT_FOUND,
        405 => UNIMPLEMENTED,
        413 | 429 => RESOURCE_EXHAUSTED,
        400..=499 => INVALID_ARGUMENT,
        503 => UNAVAILABLE,
        504 => DEADLINE_EXCEEDED,
        _ => INTERNAL,
    }
}

/// Tecton's message for a status, otherwise the name of the status.
pub(crate) fn default_message(status: u16) -> &'static str {
    match status {
        401 => {
            "invalid 'Tecton-key' authorization header. Note that newly created credentials may \
             take up to 60 seconds to be usable."
        }
        403 => {
            "Not Authorized. Note that access control changes may take up to 60 seconds to apply."
        }
        429 => "GetFeatures exceeded the concurrent request limit, please retry later",
        503 => "503 Service Temporarily Unavailable",
        504 => "Timed out",
        other => http::StatusCode::from_u16(other)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Unknown Status"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_message_twice_and_the_code() {
        assert_eq!(
            ApiError::missing_join_key("a\"b").body(),
            r#"{"error":"Missing required join key: a\"b","message":"Missing required join key: a\"b","code":3}"#
        );
    }
}
