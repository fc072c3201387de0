//! `beamlet check` as a process: its findings from the store, and its exit codes.

use crate::support::beamlet::{Beamlet, Ended, Folder};
use crate::support::redacted;
use crate::support::server::{Server, answer, closed_port};
use crate::support::store::{KEY, Store, config, folder_of, planes, serving, shop};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::time::Duration;
use tecton_emulator::{DataType, FaultAnswer, FeatureService, FeatureView, StatusFault};

/// What a check says of a `beamlet.toml`.
fn check(config: &str) -> Ended {
    Beamlet::new(&folder_of(config), "check --config beamlet.toml").end()
}

/// What it says of a configuration for the shop, with this as `retrieval`.
fn check_shop(retrieval: Value) -> Ended {
    let store = Store::of(shop());
    let mut config = json!({
        "connection": { "url": store.url(), "api_key": KEY, "default_workspace_name": "prod" },
        "retrieval": { "feature_service_name": "shop" },
    });
    for (name, value) in retrieval.as_object().unwrap() {
        config["retrieval"][name] = value.clone();
    }
    let folder = Folder::new();
    folder.write("beamlet.json", config.to_string());
    Beamlet::new(&folder, "check --config beamlet.json").end()
}

/// All the request context that the shop needs.
fn context() -> Value {
    json!({
        "amount": 12.5, "c0": "7", "c1": 0.5, "c2": true, "c3": "text",
        "c4": "2025-01-01T00:00:00Z", "c5": [1, 2], "c6": { "a": 1 }, "c7": { "k": 1 },
    })
}

macro_rules! report {
    ($ended:expr, @$snapshot:literal) => {
        redacted(|| assert_snapshot!($ended, @$snapshot))
    };
}

// It fits.

#[test]
fn a_valid_configuration_is_reported_with_the_fields_that_will_be_added() {
    let store = Store::start();
    report!(check(&config(&store.url())), @"
    ok       beamlet.toml:2: /connection/url: the feature store was reached
    ok       beamlet.toml:4: /connection/api_key: the key is accepted
    ok       beamlet.toml:7: /retrieval/feature_service_name: `planes_features` is in workspace `prod` and has 8 features
    ok       beamlet.toml:8: /retrieval/entity_id: the join keys are those of the service: tailnum

    8 fields will be added:
      planes.year          int64
      planes.type          string
      planes.manufacturer  string
      planes.model         string
      planes.engines       int64
      planes.seats         int64
      planes.speed         int64
      planes.engine        string
    exit code 0
    ");
}

#[test]
fn several_keys_and_a_valid_request_context_are_reported() {
    report!(check_shop(json!({
        "entity_row_fn": { "user_id": "row.user", "ad_id": "int(row.ad)" },
        "request_context_map": context(),
    })), @"
    ok       beamlet.json:1: /connection/url: the feature store was reached
    ok       beamlet.json:1: /connection/api_key: the key is accepted
    ok       beamlet.json:1: /retrieval/feature_service_name: `shop` is in workspace `prod` and has 4 features
    ok       beamlet.json:1: /retrieval/entity_row_fn: the join keys are those of the service: user_id, ad_id
    ok       beamlet.json:1: /retrieval/request_context_map: the request context has all that the service needs: amount, c0, c1, c2, c3, c4, c5, c6, c7

    4 fields will be added:
      users.visits     int64
      users.name       string
      clicks.count     int64
      amount.is_large  boolean
    exit code 0
    ");
}

#[test]
fn features_of_every_type_are_listed_with_it() {
    let types = [
        "int64",
        "float32",
        "float64",
        "boolean",
        "string",
        "timestamp",
        "array<float64>",
        "array<struct<a: int64, b: string>>",
        "struct<a: int64, b: array<string>>",
        "map<string, float32>",
    ];
    let columns: Vec<String> = (0..types.len()).map(|at| format!("f{at}")).collect();
    let mut view = FeatureView::of_csv("v", format!("k,{}\n", columns.join(",")));
    for (name, of) in columns.iter().zip(types) {
        view = view.feature(name, of.parse().unwrap());
    }
    let service = FeatureService::new("s").join_key("k", DataType::Int64).view(view);
    let store = Store::of(serving(service));
    let config = config(&store.url()).replace("planes_features", "s").replace("tailnum", "k");
    let report = check(&config).to_string();
    assert_snapshot!(report.split_once("\n\n").unwrap().1, @"
    10 fields will be added:
      v.f0  int64
      v.f1  float32
      v.f2  float64
      v.f3  boolean
      v.f4  string
      v.f5  timestamp
      v.f6  array<float64>
      v.f7  array<struct<a: int64, b: string>>
      v.f8  struct<a: int64, b: array<string>>
      v.f9  map<string, float32>
    exit code 0
    ");
}

#[test]
fn fields_beside_the_features_are_listed_where_they_are_asked_for() {
    let store = Store::start();
    let asked = config(&store.url())
        + "metadata_options = { include_serving_status = true, include_slo_info = true }\n";
    let report = check(&asked).to_string();
    let fields: Vec<&str> =
        report.lines().filter(|line| line.contains("year") || line.contains("slo")).collect();
    assert_snapshot!(fields.join("\n"), @"
    planes.year                    int64
    planes.year.status             string
    slo.eligible                   boolean
    slo.ineligibility_reasons      array<string>
    slo.server_time_seconds        float64
    slo.slo_server_time_seconds    float64
    slo.store_max_latency          float64
    slo.store_response_size_bytes  int64
    ");
}

#[test]
fn an_option_without_effect_is_a_warning() {
    let store = Store::start();
    let more = config(&store.url()) + "request_context_map = { channel = 'web' }\n";
    let ended = check(&more.replace("[retrieval]", "kwargs.timeout = 5\n\n[retrieval]"));
    assert_eq!(ended.code, Some(0));
    report!(ended, @"
    ok       beamlet.toml:2: /connection/url: the feature store was reached
    ok       beamlet.toml:4: /connection/api_key: the key is accepted
    ok       beamlet.toml:9: /retrieval/feature_service_name: `planes_features` is in workspace `prod` and has 8 features
    ok       beamlet.toml:10: /retrieval/entity_id: the join keys are those of the service: tailnum
    warning  beamlet.toml:11: /retrieval/request_context_map/channel: the service has no request context parameter `channel`; it has none

    8 fields will be added:
      planes.year          int64
      planes.type          string
      planes.manufacturer  string
      planes.model         string
      planes.engines       int64
      planes.seats         int64
      planes.speed         int64
      planes.engine        string
    warning: beamlet.toml:6: /connection/kwargs/timeout: unknown key `timeout` has no effect; did you mean `timeout_ms`?
    exit code 0
    ");
}

// It does not fit.

#[test]
fn a_key_that_the_store_refuses_is_a_problem_of_the_key() {
    let store = Store::start();
    report!(check(&config(&store.url()).replace(KEY, "another-key")), @"
    ok       beamlet.toml:2: /connection/url: the feature store was reached
    problem  beamlet.toml:4: /connection/api_key: the feature store answered 401: invalid 'Tecton-key' authorization header. Note that newly created credentials may take up to 60 seconds to be usable.
    exit code 2
    ");
}

#[test]
fn a_key_without_access_to_the_workspace_is_reported() {
    let service = FeatureService::new("planes_features").join_key("tailnum", DataType::String);
    let store = Store::of(serving(service));
    report!(check(&config(&store.url()).replace(KEY, "key-to-nothing")), @"
    ok       beamlet.toml:2: /connection/url: the feature store was reached
    ok       beamlet.toml:4: /connection/api_key: the key is known
    problem  beamlet.toml:7: /retrieval/feature_service_name: the feature store answered 403: Not Authorized. Note that access control changes may take up to 60 seconds to apply.
    exit code 2
    ");
}

#[test]
fn a_workspace_that_is_not_there_is_named() {
    let store = Store::start();
    report!(check(&config(&store.url()).replace("'prod'", "'production'")), @"
    ok       beamlet.toml:2: /connection/url: the feature store was reached
    ok       beamlet.toml:4: /connection/api_key: the key is known
    problem  beamlet.toml:7: /retrieval/feature_service_name: the feature store answered 404: Unknown feature_service_name: planes_features for workspace: production
    exit code 2
    ");
}

#[test]
fn an_unknown_feature_service_is_named() {
    let store = Store::start();
    report!(check(&config(&store.url()).replace("planes_features", "trains_features")), @"
    ok       beamlet.toml:2: /connection/url: the feature store was reached
    ok       beamlet.toml:4: /connection/api_key: the key is known
    problem  beamlet.toml:7: /retrieval/feature_service_name: the feature store answered 404: Unknown feature_service_name: trains_features for workspace: prod
    exit code 2
    ");
}

#[test]
fn an_unknown_join_key_is_reported_with_the_nearest_known_one() {
    let store = Store::start();
    report!(check(&config(&store.url()).replace("'tailnum'", "'tail_num'")), @"
    ok       beamlet.toml:2: /connection/url: the feature store was reached
    ok       beamlet.toml:4: /connection/api_key: the key is accepted
    ok       beamlet.toml:7: /retrieval/feature_service_name: `planes_features` is in workspace `prod` and has 8 features
    problem  beamlet.toml:8: /retrieval/entity_id: the service needs the join key `tailnum` (string), which is not sent
    problem  beamlet.toml:8: /retrieval/entity_id: the service has no join key `tail_num`; did you mean `tailnum`?

    8 fields will be added:
      planes.year          int64
      planes.type          string
      planes.manufacturer  string
      planes.model         string
      planes.engines       int64
      planes.seats         int64
      planes.speed         int64
      planes.engine        string
    exit code 2
    ");
}

#[test]
fn missing_superfluous_and_mistyped_join_keys_are_reported_at_once() {
    let ended = check_shop(json!({
        "entity_row_fn": { "user": "row.user", "ad_id": "'5417a'" },
        "request_context_map": context(),
    }));
    report!(ended, @"
    ok       beamlet.json:1: /connection/url: the feature store was reached
    ok       beamlet.json:1: /connection/api_key: the key is accepted
    ok       beamlet.json:1: /retrieval/feature_service_name: `shop` is in workspace `prod` and has 4 features
    problem  beamlet.json:1: /retrieval/entity_row_fn: the service needs the join key `user_id` (string), which is not sent
    problem  beamlet.json:1: /retrieval/entity_row_fn/user: the service has no join key `user`; did you mean `user_id`?
    problem  beamlet.json:1: /retrieval/entity_row_fn/ad_id: `ad_id` must be int64, is a string
    ok       beamlet.json:1: /retrieval/request_context_map: the request context has all that the service needs: amount, c0, c1, c2, c3, c4, c5, c6, c7

    4 fields will be added:
      users.visits     int64
      users.name       string
      clicks.count     int64
      amount.is_large  boolean
    exit code 2
    ");
}

#[test]
fn missing_unknown_and_mistyped_request_context_is_reported_at_once() {
    let mut context = context();
    context.as_object_mut().unwrap().remove("amount");
    context["amout"] = json!(12.5);
    context["c0"] = json!("many");
    context["c5"] = json!(["x"]);
    let ended = check_shop(json!({
        "entity_row_fn": { "user_id": "row.user", "ad_id": "row.ad" },
        "request_context_map": context,
    }));
    report!(ended, @"
    ok       beamlet.json:1: /connection/url: the feature store was reached
    ok       beamlet.json:1: /connection/api_key: the key is accepted
    ok       beamlet.json:1: /retrieval/feature_service_name: `shop` is in workspace `prod` and has 4 features
    ok       beamlet.json:1: /retrieval/entity_row_fn: the join keys are those of the service: user_id, ad_id
    problem  beamlet.json:1: /retrieval/request_context_map: the service needs the request context parameter `amount` (float64), which is not sent; set it here, or in `request_context_fn`
    problem  beamlet.json:1: /retrieval/request_context_map/c0: `c0` must be int64, is a string that is not such a number
    problem  beamlet.json:1: /retrieval/request_context_map/c5: `c5` must be array<int64>, is an array with an element of another type
    warning  beamlet.json:1: /retrieval/request_context_map/amout: the service has no request context parameter `amout`; did you mean `amount`?

    4 fields will be added:
      users.visits     int64
      users.name       string
      clicks.count     int64
      amount.is_large  boolean
    exit code 2
    ");
}

#[test]
fn an_invalid_configuration_is_not_checked_with_the_store() {
    let store = Store::start();
    let ended = check(&config(&store.url()).replace("entity_id", "entity_ids"));
    assert_eq!(store.requests(), 0);
    report!(ended, @"
    error: the configuration is not valid
    beamlet.toml:6: /retrieval/entity_id: is required, as `entity_row_fn` is not set either; one of them names the join keys
    beamlet.toml:8: /retrieval/entity_ids: unknown key `entity_ids`; did you mean `entity_id`?
    exit code 2
    ");
}

// The store does not tell.

#[test]
fn a_url_at_which_nothing_listens_is_a_problem() {
    report!(check(&config(&closed_port())), @"
    problem  beamlet.toml:2: /connection/url: POST http://[store]/api/v1/feature-service/metadata: connection refused
    exit code 2
    ");
}

#[test]
fn a_store_that_hangs_is_a_problem_of_the_url() {
    let hang = FaultAnswer::Hang(Duration::from_secs(3600));
    let store = Store::of_metadata_that_answers(hang);
    report!(check(&(config(&store.url()) + "[sandbox]\nfirst_byte_timeout_ms = 50\n")), @"
    problem  beamlet.toml:2: /connection/url: POST http://[store]/api/v1/feature-service/metadata: no answer within the time allowed
    exit code 2
    ");
}

#[test]
fn a_store_that_is_unavailable_is_a_failure_and_not_a_problem_of_the_configuration() {
    let store = Store::of_metadata_that_answers(StatusFault::new(503));
    let ended = check(&config(&store.url()));
    assert_eq!(ended.code, Some(1));
    report!(ended, @"
    error: the store cannot be checked now: unavailable: the feature store answered 503: 503 Service Temporarily Unavailable
    exit code 1
    ");
    let store = Store::of_metadata_that_answers(StatusFault::new(429).retry_after("7"));
    report!(check(&config(&store.url())), @"
    error: the store cannot be checked now: throttled: the feature store answered 429: GetFeatures exceeded the concurrent request limit, please retry later; it asks to wait 7 s
    exit code 1
    ");
}

#[test]
fn an_answer_that_is_not_tectons_questions_the_url() {
    let page = "<html><head><title>Welcome</title></head><h1>Welcome</h1></html>";
    let server = Server::that_answers(move |_| answer("200 OK", page));
    report!(check(&config(&server.url())), @"
    problem  beamlet.toml:2: /connection/url: the metadata is not what Tecton promises: expected value at line 1 column 1; is this Tecton?
    exit code 2
    ");
    let server = Server::that_answers(move |_| answer("404 Not Found", page));
    report!(check(&config(&server.url())), @"
    problem  beamlet.toml:2: /connection/url: the feature store answered 404: Welcome; is this Tecton?
    exit code 2
    ");
}

#[test]
fn a_check_asks_for_metadata_once_and_for_no_features() {
    let emulator = planes().start_blocking().unwrap();
    assert_eq!(check(&config(&emulator.url())).code, Some(0));
    let stats = emulator.stats();
    assert_eq!((stats.requests, stats.entities), (1, 0));
}
