//! `metadataOptions` and `requestOptions`.

use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::catalog::Described;
use crate::json::Json;
use crate::settings::EmptyMetadataOptions;

/// The metadata that the answer is to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MetadataOptions {
    #[serde(alias = "include_names", deserialize_with = "null_as_default")]
    pub(super) include_names: bool,
    #[serde(alias = "include_data_types", deserialize_with = "null_as_default")]
    pub(super) include_data_types: bool,
    #[serde(alias = "include_effective_times", deserialize_with = "null_as_default")]
    pub(super) include_effective_times: bool,
    #[serde(alias = "include_slo_info", deserialize_with = "null_as_default")]
    pub(super) include_slo_info: bool,
    #[serde(alias = "include_serving_status", deserialize_with = "null_as_default")]
    pub(super) include_serving_status: bool,
    #[serde(alias = "include_feature_descriptions", deserialize_with = "null_as_default")]
    pub(super) include_feature_descriptions: bool,
    #[serde(alias = "include_feature_tags", deserialize_with = "null_as_default")]
    pub(super) include_feature_tags: bool,
}

impl MetadataOptions {
    /// The effective options; `None` if the answer has no metadata.
    pub(super) fn resolve(options: Option<Self>, empty: EmptyMetadataOptions) -> Option<Self> {
        let options = options?;
        if options != Self::default() {
            return Some(options);
        }
        match empty {
            EmptyMetadataOptions::Absent => None,
            EmptyMetadataOptions::EmptyObject => Some(options),
            EmptyMetadataOptions::NamesAndDataTypes => {
                Some(Self { include_names: true, include_data_types: true, ..options })
            }
        }
    }

    /// The members that are the same for every entity.
    pub(super) fn described(self) -> Described {
        Described {
            names: self.include_names,
            data_types: self.include_data_types,
            descriptions: self.include_feature_descriptions,
            tags: self.include_feature_tags,
        }
    }
}

/// How the request is to be served. Options without effect here are still checked for their type.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RequestOptions {
    #[serde(alias = "read_from_cache")]
    pub(super) read_from_cache: Option<bool>,
    #[serde(alias = "write_to_cache")]
    write_to_cache: Option<bool>,
    #[serde(alias = "ignore_extra_request_context_fields")]
    pub(super) ignore_extra_request_context_fields: Option<bool>,
    #[serde(alias = "latency_budget_ms", deserialize_with = "latency_budget")]
    pub(super) latency_budget_ms: Option<Duration>,
    #[serde(alias = "coerce_null_counts_to_zero")]
    coerce_null_counts_to_zero: Option<bool>,
    #[serde(alias = "aggregation_leading_edge")]
    aggregation_leading_edge: Option<Text>,
    #[serde(alias = "high_watermark_override")]
    high_watermark_override: Option<Text>,
}

/// A string that is checked and dropped.
#[derive(Debug, PartialEq)]
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(_) => Ok(Self),
            _ => Err(D::Error::custom("expected a string")),
        }
    }
}

/// An int32, as protobuf's JSON allows it: a number or a decimal string.
fn latency_budget<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let json = match Json::deserialize(deserializer)? {
        Json::Null => return Ok(None),
        json => json,
    };
    let milliseconds = crate::value::read_int64(&json)
        .ok()
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| D::Error::custom("latencyBudgetMs is no int32"))?;
    // Zero is protobuf's unset.
    Ok(u64::try_from(milliseconds)
        .ok()
        .filter(|milliseconds| *milliseconds > 0)
        .map(Duration::from_millis))
}

/// Reads null as the default value.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(text: &str) -> Result<Option<Duration>, serde_json::Error> {
        let options: RequestOptions = serde_json::from_str(text)?;
        Ok(options.latency_budget_ms)
    }

    #[test]
    fn a_latency_budget_is_a_number_or_a_string() {
        let half = Some(Duration::from_millis(500));
        assert_eq!(budget(r#"{"latencyBudgetMs":500}"#).unwrap(), half);
        assert_eq!(budget(r#"{"latency_budget_ms":"500"}"#).unwrap(), half);
        assert!(budget(r#"{"latencyBudgetMs":2147483648}"#).is_err());
        assert!(budget(r#"{"latencyBudgetMs":"soon"}"#).is_err());
    }

    #[test]
    fn an_option_without_effect_is_still_checked() {
        assert!(budget(r#"{"writeToCache":"yes"}"#).is_err());
        assert!(budget(r#"{"aggregationLeadingEdge":1}"#).is_err());
        assert!(budget(r#"{"coerceNullCountsToZero":true,"unheard_of":1}"#).is_ok());
    }

    #[test]
    fn options_that_ask_for_nothing_follow_the_setting() {
        let resolve = |setting| MetadataOptions::resolve(Some(MetadataOptions::default()), setting);
        assert_eq!(resolve(EmptyMetadataOptions::Absent), None);
        assert!(resolve(EmptyMetadataOptions::EmptyObject).is_some());
        let named = resolve(EmptyMetadataOptions::NamesAndDataTypes).unwrap();
        assert!(named.include_names && named.include_data_types);
    }
}
