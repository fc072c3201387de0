//! Settings with defaults, for what Tecton's documentation leaves open and what tests vary. In a
//! repository file they are the fields of `[settings]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::faults::Fault;

/// How the emulator answers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long every answer takes at least; text such as `"5ms"` in a file. Default 0.
    #[serde(deserialize_with = "duration")]
    pub latency: Duration,
    /// The longest that an answer may take; the request's `latencyBudgetMs` overrides it. Default
    /// 2 s, as Tecton's.
    #[serde(deserialize_with = "duration")]
    pub server_timeout: Duration,
    /// What a request is answered, after the longest time, when the latency is longer than that.
    /// Default: 504.
    pub late_answer: LateAnswer,
    /// The entities that one batch may hold. Default 10, as Tecton's.
    pub max_batch_size: usize,
    /// More requests at once than this are answered with 429. Default: no limit.
    pub max_concurrent_requests: Option<u64>,
    /// A longer request is answered with 413. Default 4 MiB, as Tecton's.
    pub max_request_bytes: usize,
    /// Fields of a request that the API does not have. Default: ignored.
    pub unknown_fields: UnknownFields,
    /// Context keys that the service does not have, where the request does not give
    /// `ignoreExtraRequestContextFields`. Default: refused.
    pub extra_request_context: UnknownFields,
    /// Members that a struct's type does not have, in the request context. Default: as the keys
    /// of the context that the service does not have.
    pub extra_struct_members: StructMembers,
    /// The answer's metadata where `metadataOptions` asks for nothing. Default: absent.
    pub empty_metadata_options: EmptyMetadataOptions,
    /// A batch without entities. Default: refused.
    pub empty_request_data: EmptyRequestData,
    /// Requests that are answered wrongly on purpose; the `[[fault]]` tables of a file.
    #[serde(skip)]
    pub faults: Vec<Fault>,
}

/// How unknown fields are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownFields {
    /// It is passed over.
    Ignore,
    /// The request is answered with 400.
    Refuse,
}

/// What becomes of a struct's members that its type does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructMembers {
    /// What becomes of context keys that the service does not have:
    /// `ignoreExtraRequestContextFields` holds for both.
    AsContextKeys,
    /// They are passed over, whatever the request says.
    Ignore,
    /// The request is answered with 400, whatever it says.
    Refuse,
}

/// What an answer that would take too long is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateAnswer {
    /// 504.
    GatewayTimeout,
    /// 200, with nulls of status `TIME_OUT` in the place of stored features; what is computed of
    /// the request alone is there.
    TimedOutFeatures,
}

/// What `metadataOptions` that asks for nothing (`{}`) is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyMetadataOptions {
    /// No `metadata`, as without `metadataOptions`.
    Absent,
    /// `"metadata":{}`.
    EmptyObject,
    /// As if names and data types had been asked for.
    NamesAndDataTypes,
}

/// What an empty `requestData` is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyRequestData {
    /// 400.
    Refuse,
    /// 200 with an empty `result`.
    Answer,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            server_timeout: Duration::from_secs(2),
            late_answer: LateAnswer::GatewayTimeout,
            max_batch_size: 10,
            max_concurrent_requests: None,
            max_request_bytes: 4 * 1024 * 1024,
            unknown_fields: UnknownFields::Ignore,
            extra_request_context: UnknownFields::Refuse,
            extra_struct_members: StructMembers::AsContextKeys,
            empty_metadata_options: EmptyMetadataOptions::Absent,
            empty_request_data: EmptyRequestData::Refuse,
            faults: Vec::new(),
        }
    }
}

impl Settings {
    /// Whether the latency is longer than an answer to a request with this budget may take.
    pub(crate) fn is_late(&self, latency_budget: Option<Duration>) -> bool {
        self.latency > self.longest(latency_budget)
    }

    /// The longest that an answer to a request with this budget may take.
    pub(crate) fn longest(&self, latency_budget: Option<Duration>) -> Duration {
        latency_budget.unwrap_or(self.server_timeout)
    }
}

/// A duration with its unit: `5ms`, `1s 500ms`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!("`{text}` is no duration such as \"5ms\": {error}"))
    })
}
