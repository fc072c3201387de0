//! The requests' bodies, borrowed from their text. Every field is accepted in camelCase and in
//! snake_case, and null means absent.

use std::borrow::Cow;

use serde::Deserialize;

use super::error::ApiError;
use super::options::{MetadataOptions, RequestOptions, null_as_default};
use crate::json::Object;
use crate::settings::UnknownFields;

#[derive(Deserialize)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
struct Body<P> {
    params: P,
}

/// `params` of one entity.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Single<'a> {
    #[serde(borrow, default, rename = "workspaceName", alias = "workspace_name")]
    pub(super) workspace: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "featureServiceName", alias = "feature_service_name")]
    pub(super) service: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "join_key_map")]
    pub(super) join_key_map: Object<'a>,
    #[serde(borrow, default, alias = "request_context_map")]
    pub(super) request_context_map: Object<'a>,
    #[serde(default, alias = "allow_partial_results", deserialize_with = "null_as_default")]
    pub(super) allow_partial_results: bool,
    #[serde(default, alias = "metadata_options")]
    pub(super) metadata_options: Option<MetadataOptions>,
    #[serde(default, alias = "request_options", deserialize_with = "null_as_default")]
    pub(super) request_options: RequestOptions,
}

/// `params` of several entities.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Batch<'a> {
    #[serde(borrow, default, rename = "workspaceName", alias = "workspace_name")]
    pub(super) workspace: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "featureServiceName", alias = "feature_service_name")]
    pub(super) service: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "request_data", deserialize_with = "null_as_default")]
    pub(super) request_data: Vec<EntityData<'a>>,
    #[serde(default, alias = "metadata_options")]
    pub(super) metadata_options: Option<MetadataOptions>,
    #[serde(default, alias = "request_options", deserialize_with = "null_as_default")]
    pub(super) request_options: RequestOptions,
}

/// One entity of a batch.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntityData<'a> {
    #[serde(borrow, default, alias = "join_key_map")]
    pub(super) join_key_map: Object<'a>,
    #[serde(borrow, default, alias = "request_context_map")]
    pub(super) request_context_map: Object<'a>,
}

/// `params` of the metadata endpoint.
#[derive(Deserialize)]
pub(super) struct Describe<'a> {
    #[serde(borrow, default, rename = "workspaceName", alias = "workspace_name")]
    pub(super) workspace: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "featureServiceName", alias = "feature_service_name")]
    pub(super) service: Option<Cow<'a, str>>,
}

/// Reads `{"params":…}`.
pub(super) fn read<'a, P: Deserialize<'a>>(
    text: &'a str,
    unknown_fields: UnknownFields,
) -> Result<P, ApiError> {
    let malformed = |error: serde_json::Error| ApiError::malformed(&error.to_string());
    if unknown_fields == UnknownFields::Ignore {
        let body: Body<P> = serde_json::from_str(text).map_err(malformed)?;
        return Ok(body.params);
    }
    let mut unknown = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let body: Body<P> = serde_ignored::deserialize(&mut reader, |path| {
        // An optional field shows in the path as a step of its own.
        unknown.get_or_insert_with(|| path.to_string().replace(".?", ""));
    })
    .map_err(malformed)?;
    reader.end().map_err(malformed)?;
    match unknown {
        Some(path) => Err(ApiError::unknown_field(&path)),
        None => Ok(body.params),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    fn batch(text: &str) -> Result<Batch<'_>, ApiError> {
        read(text, UnknownFields::Ignore)
    }

    #[test]
    fn both_spellings_are_one() {
        let camel = batch(
            r#"{"params":{"workspaceName":"w","featureServiceName":"s","requestData":[{"joinKeyMap":{"k":"v"}}],"metadataOptions":{"includeNames":true}}}"#,
        )
        .unwrap();
        let snake = batch(
            r#"{"params":{"workspace_name":"w","feature_service_name":"s","request_data":[{"join_key_map":{"k":"v"}}],"metadata_options":{"include_names":true}}}"#,
        )
        .unwrap();
        assert_eq!(camel.workspace, snake.workspace);
        assert_eq!(camel.service, snake.service);
        assert_eq!(camel.metadata_options, snake.metadata_options);
        assert_eq!(camel.request_data[0].join_key_map, snake.request_data[0].join_key_map);
    }

    #[test]
    fn a_plain_request_is_borrowed() {
        let batch = batch(r#"{"params":{"requestData":[{"joinKeyMap":{"k":"v"}}]}}"#).unwrap();
        let (name, value) = &batch.request_data[0].join_key_map.0[0];
        assert!(matches!(name, Cow::Borrowed("k")));
        assert!(matches!(value, Json::String(Cow::Borrowed("v"))));
    }

    #[test]
    fn null_stands_for_absent() {
        let batch = batch(
            r#"{"params":{"workspaceName":null,"requestData":null,"metadataOptions":null,"requestOptions":null}}"#,
        )
        .unwrap();
        assert!(batch.workspace.is_none());
        assert!(batch.request_data.is_empty());
        assert!(batch.metadata_options.is_none());
    }

    #[test]
    fn an_unknown_field_is_ignored_or_refused() {
        let text = r#"{"params":{"workspaceName":"w","color":1}}"#;
        assert!(read::<Describe<'_>>(text, UnknownFields::Ignore).is_ok());
        let error = read::<Describe<'_>>(text, UnknownFields::Refuse).err().unwrap();
        assert_eq!(error.message, "Unknown field: params.color");
    }
}
