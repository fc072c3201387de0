//! Where the feature store is, and who asks.

use super::name;
use beamlet_guest::BaseUrl;
use beamlet_guest::config::{Section, kind};
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// What a URL looks like.
const URL: &str = "https://example.tecton.ai";

/// Where the feature store is, and who asks.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Connection {
    /// URL of the Tecton instance, http or https. A base path is kept.
    #[schemars(with = "String", url, example = &URL)]
    pub url: BaseUrl,
    /// Workspace of the feature service, where `retrieval.workspace_name` names no other.
    #[schemars(length(min = 1), example = &"prod")]
    pub default_workspace_name: Option<String>,
    /// API key of a service account. A secret.
    #[schemars(length(min = 1), extend("writeOnly" = true))]
    pub api_key: String,
    /// Further options of the connection. One that is not known has no effect, and is told in a
    /// warning.
    #[schemars(default, with = "ConnectionOptions")]
    pub kwargs: ConnectionOptions,
}

/// Further options of the connection.
#[derive(Default, JsonSchema)]
pub struct ConnectionOptions {
    /// Headers to send with each request, by name. Their values are taken for secrets.
    #[schemars(schema_with = "headers_schema")]
    pub headers: Vec<(String, Vec<u8>)>,
    /// How long to wait for an answer to begin, and then between two parts of it, in
    /// milliseconds. Where it is not set, the host decides.
    #[schemars(range(min = 1, max = 600_000), example = 2000)]
    pub timeout_ms: Option<u64>,
    /// How long to wait for a connection, in milliseconds. Where it is not set, the host
    /// decides.
    #[schemars(range(min = 1, max = 600_000), example = 500)]
    pub connect_timeout_ms: Option<u64>,
}

impl serde::Serialize for ConnectionOptions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        super::none_set(serializer)
    }
}

fn headers_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "description": "Headers to send with each request, by name. Their values are taken for secrets.",
        "type": "object",
        "additionalProperties": { "type": "string", "writeOnly": true },
        "default": {},
        "examples": [{ "x-request-source": "beamlet" }],
    })
}

/// Headers that are not a user's to set, with what to do instead.
const RESERVED: [(&str, &str); 6] = [
    ("authorization", "the handler makes it from `api_key`"),
    ("content-type", "the handler sets it"),
    ("content-length", "the handler sets it"),
    ("host", "it comes from `url`"),
    ("connection", "the host sets it"),
    ("transfer-encoding", "the host sets it"),
];

impl Connection {
    pub(super) fn read(section: Section<'_>) -> Option<Self> {
        let url = section.required_text("url").and_then(|url| match BaseUrl::parse(url, URL) {
            Ok(url) => Some(url),
            Err(why) => {
                section.problem("url", why);
                None
            }
        });
        let default_workspace_name = name(&section, "default_workspace_name");
        let api_key = section.required_text("api_key").map(str::to_owned);
        if api_key.as_deref().is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            section.problem("api_key", "must be printable ASCII, without spaces or line ends");
        }
        let kwargs = ConnectionOptions::read(section.section("kwargs", false));
        section.close();
        Some(Connection { url: url?, default_workspace_name, api_key: api_key?, kwargs })
    }
}

impl ConnectionOptions {
    fn read(section: Section<'_>) -> Self {
        let ms = |name| section.integer(name, 1..=600_000).map(|ms| ms as u64);
        let (timeout_ms, connect_timeout_ms) = (ms("timeout_ms"), ms("connect_timeout_ms"));
        let headers = headers(&section.section("headers", false));
        section.close_leniently();
        ConnectionOptions { headers, timeout_ms, connect_timeout_ms }
    }
}

fn headers(section: &Section<'_>) -> Vec<(String, Vec<u8>)> {
    let mut headers = BTreeMap::new();
    for (key, value) in section.entries() {
        let Ok(name) = key.parse::<HeaderName>() else {
            section.problem(key, "is no name of a header");
            continue;
        };
        if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| *reserved == name.as_str()) {
            section.problem(key, format!("cannot be set here: {why}"));
            continue;
        }
        let Some(value) = value.as_str() else {
            section.problem(key, format!("must be a string, is {}", kind(value)));
            continue;
        };
        match HeaderValue::from_str(value) {
            Ok(_) if value.is_ascii() => {
                if headers.insert(name.as_str().to_owned(), value.as_bytes().to_vec()).is_some() {
                    section.problem(key, "is there twice, in another case");
                }
            }
            _ => section.problem(key, "must be printable ASCII, on one line"),
        }
    }
    headers.into_iter().collect()
}
