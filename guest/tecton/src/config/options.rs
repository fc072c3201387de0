//! Options of a request to the feature server: how it treats the request, and what it sends in
//! addition to the features' values.

use super::none_set;
use beamlet_guest::config::{Section, camel_case};
use beamlet_guest::contract::time::is_timestamp;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

/// How the feature server is to treat a request: Tecton's RequestOptions. What is not set is
/// not sent. Each key may also be written in camelCase.
#[derive(Default, JsonSchema, serde::Serialize)]
#[schemars(deny_unknown_fields)]
pub struct RequestOptions {
    /// Whether features may come from the cache. Tecton's default: true.
    #[schemars(example = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_from_cache: Option<bool>,
    /// Whether features are put into the cache. Tecton's default: true.
    #[schemars(example = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_to_cache: Option<bool>,
    /// Whether fields of a struct of the request context that are not known are ignored,
    /// instead of refused.
    #[schemars(example = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_extra_request_context_fields: Option<bool>,
    /// After this many milliseconds the server answers with what it has; 100 to 2000 make
    /// sense. Statuses are asked for with it: a feature that came too late is null, and only its
    /// status distinguishes it from one that is missing.
    #[schemars(range(min = 100, max = 2_147_483_647), example = 500)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_budget_ms: Option<i64>,
    /// Whether counts that are null come as 0.
    #[schemars(example = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coerce_null_counts_to_zero: Option<bool>,
    /// What the newest end of an aggregation's window is.
    #[schemars(regex(pattern = r"^AGGREGATION_MODE_[A-Z_]+$"), example = &"AGGREGATION_MODE_WALL_CLOCK_TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregation_leading_edge: Option<String>,
    /// The time up to which data counts, as an RFC 3339 timestamp.
    #[schemars(extend("format" = "date-time"), example = &"2025-01-01T00:00:00Z")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_watermark_override: Option<String>,
}

/// Tecton's own time-out, in milliseconds.
const SERVER_TIMEOUT_MS: i64 = 2000;

impl RequestOptions {
    pub(super) fn read(section: Section<'_>) -> Self {
        let section = section.in_either_case();
        let text = |name| section.text(name).map(str::to_owned);
        let options = RequestOptions {
            read_from_cache: section.boolean("read_from_cache"),
            write_to_cache: section.boolean("write_to_cache"),
            ignore_extra_request_context_fields: section
                .boolean("ignore_extra_request_context_fields"),
            latency_budget_ms: section.integer("latency_budget_ms", 100..=i64::from(i32::MAX)),
            coerce_null_counts_to_zero: section.boolean("coerce_null_counts_to_zero"),
            aggregation_leading_edge: text("aggregation_leading_edge"),
            high_watermark_override: text("high_watermark_override"),
        };
        if options.latency_budget_ms.is_some_and(|ms| ms > SERVER_TIMEOUT_MS) {
            section.warn(
                "latency_budget_ms",
                format!("is above {SERVER_TIMEOUT_MS}, the time-out that Tecton has without it"),
            );
        }
        let edge = options.aggregation_leading_edge.as_deref();
        let mode = edge.map(|edge| edge.strip_prefix("AGGREGATION_MODE_").unwrap_or_default());
        let is_name = |mode: &str| {
            !mode.is_empty() && mode.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        if mode.is_some_and(|mode| !is_name(mode)) {
            section.problem(
                "aggregation_leading_edge",
                "must be one of Tecton's modes, such as `AGGREGATION_MODE_WALL_CLOCK_TIME`",
            );
        }
        let watermark = options.high_watermark_override.as_deref();
        if watermark.is_some_and(|at| !is_timestamp(at)) {
            section.problem(
                "high_watermark_override",
                "must be an RFC 3339 timestamp, such as `2025-01-01T00:00:00Z`",
            );
        }
        section.close();
        options
    }

    /// As it goes into a request: only what is set.
    pub(crate) fn to_wire(&self) -> Option<Value> {
        let Ok(Value::Object(set)) = serde_json::to_value(self) else { return None };
        let wire: Map<String, Value> =
            set.into_iter().map(|(name, value)| (camel_case(&name), value)).collect();
        (!wire.is_empty()).then_some(Value::Object(wire))
    }
}

/// What is asked for in addition to the features' values: Tecton's MetadataOptions. Each key may also
/// be written in camelCase.
#[derive(Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MetadataOptions {
    /// The names of the features. They are always asked for: without them no row could be
    /// enriched.
    #[schemars(default = "yes")]
    pub include_names: bool,
    /// The data types of the features. They are always asked for.
    #[schemars(default = "yes")]
    pub include_data_types: bool,
    /// When each feature's value became effective: a field `<feature>.effective_time` of type
    /// timestamp.
    #[schemars(default)]
    pub include_effective_times: bool,
    /// How the request kept to its service level: fields `slo.eligible`,
    /// `slo.ineligibility_reasons`, `slo.server_time_seconds`, `slo.slo_server_time_seconds`,
    /// `slo.store_max_latency` and `slo.store_response_size_bytes`.
    #[schemars(default)]
    pub include_slo_info: bool,
    /// Where each feature's value comes from: a field `<feature>.status` of type string, such
    /// as `PRESENT`, `MISSING_DATA` or `TIME_OUT`.
    #[schemars(default)]
    pub include_serving_status: bool,
    /// Accepted, and not asked for: a description is the same for all rows.
    #[schemars(default)]
    pub include_feature_descriptions: bool,
    /// Accepted, and not asked for: tags are the same for all rows.
    #[schemars(default)]
    pub include_feature_tags: bool,
}

fn yes() -> bool {
    true
}

impl serde::Serialize for MetadataOptions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        none_set(serializer)
    }
}

impl MetadataOptions {
    pub(super) fn read(section: Section<'_>) -> Self {
        let section = section.in_either_case();
        let flag = |name| section.boolean(name);
        for name in ["include_names", "include_data_types"] {
            if flag(name) == Some(false) {
                section.warn(name, "has no effect: names and data types are always asked for");
            }
        }
        for name in ["include_feature_descriptions", "include_feature_tags"] {
            if flag(name) == Some(true) {
                section.warn(
                    name,
                    "has no effect: it is the same for all rows, and not a field of a row",
                );
            }
        }
        let on = |name| flag(name).unwrap_or(false);
        let options = MetadataOptions {
            include_names: true,
            include_data_types: true,
            include_effective_times: on("include_effective_times"),
            include_slo_info: on("include_slo_info"),
            include_serving_status: on("include_serving_status"),
            include_feature_descriptions: false,
            include_feature_tags: false,
        };
        section.close();
        options
    }

    /// As it goes into a request, with statuses or without.
    pub(crate) fn to_wire(&self, statuses: bool) -> Value {
        let mut wire = json!({ "includeNames": true, "includeDataTypes": true });
        for (name, on) in [
            ("includeEffectiveTimes", self.include_effective_times),
            ("includeSloInfo", self.include_slo_info),
            ("includeServingStatus", statuses),
        ] {
            if on {
                wire[name] = true.into();
            }
        }
        wire
    }
}
