//! What to ask for.

use super::name;
use super::options::{MetadataOptions, RequestOptions};
use beamlet_guest::config::{Section, camel_case};
use beamlet_guest::expression::Expression;
use beamlet_guest::slots::{read_constants, read_expressions};
use schemars::JsonSchema;
use serde_json::{Map, Value};

/// What to ask for.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("anyOf" = [
    { "required": ["entity_id"] },
    { "required": ["entity_row_fn"] },
]))]
pub struct Retrieval {
    /// The feature service to query.
    #[schemars(length(min = 1), example = &"fraud_detection:v2")]
    pub feature_service_name: String,
    /// The entity's name: both the join key and the field of the row that holds its value.
    /// Either this or `entity_row_fn` is set.
    #[schemars(with = "String", default, example = &"user_id")]
    pub entity_id: String,
    /// Join key → expression in CEL over `row`; empty for a service without join keys.
    #[schemars(default, schema_with = "entity_row_fn_schema")]
    pub entity_row_fn: Vec<(String, Expression)>,
    /// Request context parameter → constant that is sent with every row.
    #[schemars(with = "Map<String, Value>", default, example = serde_json::json!({ "channel": "web" }))]
    pub request_context_map: Map<String, Value>,
    /// Request context parameter → expression in CEL over `row`, evaluated for each row.
    #[schemars(default, schema_with = "request_context_fn_schema")]
    pub request_context_fn: Vec<(String, Expression)>,
    /// Workspace of the feature service; overrides `connection.default_workspace_name`.
    #[schemars(length(min = 1), example = &"prod")]
    pub workspace_name: Option<String>,
    /// Whether a row may be enriched although some of its features cannot be computed: those
    /// are null then. Needs `batching.max_batch_size` = 1.
    #[schemars(default)]
    pub allow_partial_results: bool,
    /// How the feature server is to treat a request.
    #[schemars(default)]
    pub request_options: RequestOptions,
    /// What is asked for in addition to the features' values.
    #[schemars(default)]
    pub metadata_options: MetadataOptions,
    /// Further parameters of a request, sent in its `params` as they are. What the handler sets
    /// itself cannot be set here.
    #[schemars(with = "Map<String, Value>", default)]
    pub kwargs: Map<String, Value>,
}

fn entity_row_fn_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "description": "Join key → expression in CEL over `row`. Either this or `entity_id` is set.",
        "type": "object",
        "additionalProperties": { "type": "string", "minLength": 1 },
        "examples": [{
            "user_id": "row.user_id",
            "store": "row.country.lowerAscii() + \"-\" + string(row.store)",
        }],
    })
}

fn request_context_fn_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "description": "Request context parameter → expression in CEL over `row`, evaluated for each row.",
        "type": "object",
        "additionalProperties": { "type": "string", "minLength": 1 },
        "default": {},
        "examples": [{ "amount": "double(row.cents) / 100.0" }],
    })
}

/// Parameters of a request that have a place of their own in the configuration.
const RESERVED: [(&str, &str); 8] = [
    ("workspace_name", "use `retrieval.workspace_name`"),
    ("feature_service_name", "use `retrieval.feature_service_name`"),
    ("join_key_map", "use `retrieval.entity_id` or `retrieval.entity_row_fn`"),
    ("request_context_map", "use `retrieval.request_context_map`"),
    ("request_data", "the handler makes it of the rows"),
    ("allow_partial_results", "use `retrieval.allow_partial_results`"),
    ("request_options", "use `retrieval.request_options`"),
    ("metadata_options", "use `retrieval.metadata_options`"),
];

impl Retrieval {
    /// Whether statuses are asked for: the user wants them, or there is a latency budget. With a
    /// budget, a feature may be null because it came too late, and only its status says so.
    pub(crate) fn asks_for_statuses(&self) -> bool {
        self.metadata_options.include_serving_status
            || self.request_options.latency_budget_ms.is_some()
    }

    pub(super) fn read(section: Section<'_>) -> Option<Self> {
        let feature_service_name = section.required_text("feature_service_name").map(str::to_owned);
        let request_context_map = read_constants(&section.section("request_context_map", false));
        let context = section.section("request_context_fn", false);
        let request_context_fn = read_expressions(&context);
        for (name, _) in &request_context_fn {
            if request_context_map.contains_key(name) {
                context.problem(name, "is in `request_context_map` too; keep one of them");
            }
        }
        let no_context = request_context_map.is_empty() && context.entries().next().is_none();
        let (entity_id, entity_row_fn) = keys(&section, no_context);
        let workspace_name = name(&section, "workspace_name");
        let allow_partial_results = section.boolean("allow_partial_results").unwrap_or(false);
        let request_options = RequestOptions::read(section.section("request_options", false));
        let metadata_options = MetadataOptions::read(section.section("metadata_options", false));
        let kwargs = kwargs(&section.section("kwargs", false));
        section.close();
        Some(Retrieval {
            feature_service_name: feature_service_name?,
            entity_id,
            entity_row_fn,
            request_context_map,
            request_context_fn,
            workspace_name,
            allow_partial_results,
            request_options,
            metadata_options,
            kwargs,
        })
    }
}

/// Reads `entity_id` and `entity_row_fn`, of which one must be there.
fn keys(section: &Section<'_>, no_context: bool) -> (String, Vec<(String, Expression)>) {
    let entity_id = section.text("entity_id").unwrap_or_default();
    let is_there = section.value("entity_row_fn").is_some();
    let computed = section.section("entity_row_fn", false);
    let is_empty = computed.is_there() && computed.entries().next().is_none();
    if !entity_id.is_empty() && is_there {
        section.problem("entity_row_fn", "is set beside `entity_id`; keep one of them");
    } else if is_empty && no_context {
        section.problem(
            "entity_row_fn",
            "names no join key, and there is no request context: one of both must be there",
        );
    } else if section.is_there() && !is_there && is_empty_or_absent(section.value("entity_id")) {
        section.problem(
            "entity_id",
            "is required, as `entity_row_fn` is not set either; one of them names the join keys",
        );
    }
    (entity_id.to_owned(), read_expressions(&computed))
}

fn kwargs(section: &Section<'_>) -> Map<String, Value> {
    let mut read = Map::new();
    for (key, value) in section.entries() {
        match RESERVED.iter().find(|(name, _)| key == *name || key == camel_case(name)) {
            Some((_, instead)) => section.problem(key, format!("cannot be set here: {instead}")),
            None => drop(read.insert(key.to_owned(), value.clone())),
        }
    }
    read
}

/// A value of another type has been reported already.
fn is_empty_or_absent(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value == "")
}
