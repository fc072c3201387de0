//! What is asked for beside the features' values.

use beamlet_guest::config::Section;
use schemars::JsonSchema;
use serde_json::{Value, json};

/// What is asked for beside the features' values: Tecton's MetadataOptions. Each key may also
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
        super::none_set(serializer)
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
                section
                    .warn(name, "has no effect: it is the same for all rows, and no field of them");
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
