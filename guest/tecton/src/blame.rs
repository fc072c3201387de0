//! What Tecton's messages say of the rows that a refused request asked for.

use beamlet_guest::{Blame, Error, ErrorKind, GrpcError, Response};

/// gRPC's INVALID_ARGUMENT.
const INVALID_ARGUMENT: i64 = 3;

/// What a refusal says of the rows that were asked for. `context` has the names of the request
/// context parameters that are sent.
pub(crate) fn blame(response: &Response, error: &Error, context: &[String]) -> Blame {
    match (Blame::of(response, error), response.status, &error.kind) {
        (Blame::Request, 400 | 422, ErrorKind::InvalidInput) => match GrpcError::of(response) {
            Some(body) if body.code == Some(INVALID_ARGUMENT) => {
                of_message(body.message().unwrap_or_default(), context)
            }
            _ => Blame::Request,
        },
        (blame, ..) => blame,
    }
}

/// How many entities the store takes in one request, where it refused one with more.
pub(crate) fn most_entities(response: &Response) -> Option<usize> {
    let body = GrpcError::of(response).filter(|_| response.status == 400)?;
    let (_, most) =
        body.message()?.strip_prefix("Batch size ")?.split_once("exceeds maximum of ")?;
    most.trim_end_matches('.').parse().ok().filter(|most| *most > 0)
}

/// All rows have the same keys: a key that is missing or unknown is missing or unknown in every row.
fn of_message(message: &str, context: &[String]) -> Blame {
    if ["Missing required join key", "Unknown join key"].iter().any(|it| message.starts_with(it)) {
        return Blame::Bundle;
    }
    if let Some(rest) = message.strip_prefix("Expected key not found: [") {
        // A parameter that is sent lacks a member, perhaps in this row only.
        let sent = context.iter().any(|name| rest.starts_with(&format!("{name}]")));
        return if sent { Blame::OneRow } else { Blame::Bundle };
    }
    Blame::OneRow
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blamed(status: u16, body: &str) -> Blame {
        let response = Response { status, retry_after: None, location: None, body: body.into() };
        blame(&response, &response.grpc_refusal(), &["amount".to_owned()])
    }

    fn refused(message: &str) -> Blame {
        blamed(400, &serde_json::json!({ "message": message, "code": 3 }).to_string())
    }

    #[test]
    fn what_is_wrong_with_the_configuration_ends_the_bundle() {
        for status in [401, 403, 404] {
            assert_eq!(blamed(status, "<html>"), Blame::Bundle);
        }
        assert_eq!(refused("Missing required join key: user_id"), Blame::Bundle);
        let unknown = "Unknown join key: x, expected one of: [user_id ad_id]";
        assert_eq!(refused(unknown), Blame::Bundle);
        let no_key = "Expected key not found: [currency] in requestContextMap";
        assert_eq!(refused(no_key), Blame::Bundle);
    }

    #[test]
    fn a_value_of_another_type_is_one_rows_fault() {
        let other = "Unexpected JSON type for content_id in joinKeyMap. Expected int64 or null.";
        assert_eq!(refused(other), Blame::OneRow);
        let inside = "Expected key not found: [amount] in requestContextMap";
        assert_eq!(refused(inside), Blame::OneRow);
    }

    #[test]
    fn anything_else_is_about_the_request_alone() {
        assert_eq!(blamed(400, "<html>"), Blame::Request);
        assert_eq!(blamed(400, r#"{"message":"x","code":9}"#), Blame::Request);
        for status in [302, 429, 500, 503, 504] {
            assert_eq!(blamed(status, r#"{"message":"x","code":3}"#), Blame::Request);
        }
    }

    #[test]
    fn a_service_that_is_not_there_ends_the_bundle_whatever_the_status() {
        let body = r#"{"message":"Unable to query FeatureService `fs`","code":5}"#;
        assert_eq!(blamed(400, body), Blame::Bundle);
        assert_eq!(blamed(400, r#"{"message":"Not Authorized","code":7}"#), Blame::Bundle);
        assert_eq!(blamed(400, r#"{"message":"invalid header","code":16}"#), Blame::Bundle);
    }

    #[test]
    fn a_request_that_is_too_large_is_split() {
        assert_eq!(blamed(413, "<html>"), Blame::OneRow);
        assert_eq!(refused("Batch size 10 exceeds maximum of 5."), Blame::OneRow);
    }

    #[test]
    fn the_number_of_entities_that_the_store_takes_is_read_from_its_message() {
        let most = |status, message: &str| {
            let body = serde_json::json!({ "message": message, "code": 3 }).to_string();
            let body = body.into_bytes();
            most_entities(&Response { status, retry_after: None, location: None, body })
        };
        assert_eq!(most(400, "Batch size 10 exceeds maximum of 5."), Some(5));
        assert_eq!(most(400, "Batch size 10 exceeds maximum of 0."), None);
        assert_eq!(most(400, "Batch size 10 is too large"), None);
        assert_eq!(most(500, "Batch size 10 exceeds maximum of 5."), None);
    }
}
