//! The life of a handler through the library, as an embedder uses it: load, describe, validate, set
//! up, bundles, counters, tear down.

use crate::support::library::{bundle, counts, evil, evil_config, setup, tailnums, tecton};
use crate::support::server::{PAUSE, Server, answer};
use crate::support::store::{Store, config};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use beamlet::plugin::{ErrorKind, Input, Instance, PluginError, Validation};
use beamlet::sandbox::Permissions;
use serde_json::json;
use std::time::Duration;
use tecton_emulator::{DataType, Emulator, FeatureService, FeatureView, Repository, Workspace};
use tecton_emulator::{FaultAnswer, StatusFault};

/// Tail numbers of which the store knows the first and the last.
const SOME: [Option<&str>; 4] = [Some("N10156"), Some("N0"), None, Some("N102UW")];

/// An instance that asks the store.
async fn instance(store: &Store) -> Instance {
    let plugin = tecton();
    let setup = setup(&plugin, &config(&store.url())).await;
    Instance::set_up(&plugin, &setup).await.unwrap()
}

/// The years of the planes, over all answers.
fn years(answers: &[beamlet::plugin::Enriched]) -> Vec<Option<i64>> {
    let column = |answer: &beamlet::plugin::Enriched| {
        let years = answer.features.column_by_name("planes.year").unwrap();
        years.as_primitive::<Int64Type>().iter().collect::<Vec<_>>()
    };
    answers.iter().flat_map(column).collect()
}

#[tokio::test]
async fn a_handler_can_be_described_without_a_configuration() {
    let description = tecton().describe(&Permissions::default()).await.unwrap();
    assert_eq!(description.name, "tecton");
    assert_eq!(description.version, env!("CARGO_PKG_VERSION"));
    let secret = "/$defs/Connection/properties/api_key/writeOnly";
    assert_eq!(description.config_schema.pointer(secret), Some(&true.into()));
}

#[tokio::test]
async fn a_configuration_is_validated_without_a_store() {
    let good = crate::support::library::valid_tecton_json("http://127.0.0.1:1");
    let validation = tecton().validate(&good, &Permissions::default()).await.unwrap();
    assert_eq!(validation, Validation::default());
    let mut bad = good;
    bad["connection"]["url"] = "planes".into();
    bad["retrieval"]["entity_id"] = 5.into();
    let problems = tecton().validate(&bad, &Permissions::default()).await.unwrap().problems;
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["/connection/url", "/retrieval/entity_id"]);
}

#[tokio::test]
async fn a_handler_is_not_set_up_with_a_configuration_that_has_problems() {
    let plugin = tecton();
    let mut wrong = setup(&plugin, &config("http://127.0.0.1:1")).await;
    wrong.config = "{}".into();
    let Err(PluginError::Config(problems)) = Instance::set_up(&plugin, &wrong).await else {
        panic!("it has been set up");
    };
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[tokio::test]
async fn set_up_makes_no_request_and_returns_the_input_fields() {
    let store = Store::start();
    let instance = instance(&store).await;
    assert_eq!(instance.inputs()[..], [Input::required("tailnum")]);
    assert_eq!(store.requests(), 0);
}

#[tokio::test]
async fn outputs_are_the_features_of_the_store_with_their_types() {
    let view = FeatureView::of_csv("v", "k,a,b,c,d,e,f,g,h,i\n")
        .feature("a", DataType::Int64)
        .feature("b", DataType::Float32)
        .feature("c", DataType::Float64)
        .feature("d", DataType::Boolean)
        .feature("e", DataType::String)
        .feature("f", DataType::Timestamp)
        .feature("g", "array<string>".parse().unwrap())
        .feature("h", "struct<x: int64, y: array<float64>>".parse().unwrap())
        .feature("i", "map<string, int64>".parse().unwrap());
    let service = FeatureService::new("planes_features").join_key("k", DataType::String).view(view);
    let repository = Repository::new()
        .api_key(crate::support::store::KEY)
        .workspace(Workspace::live("prod").service(service));
    let emulator = Emulator::builder(repository).start_blocking().unwrap();
    let plugin = tecton();
    let setup = setup(&plugin, &config(&emulator.url())).await;
    let outputs = Instance::set_up(&plugin, &setup).await.unwrap().outputs().await.unwrap();
    let lines: Vec<String> =
        outputs.iter().map(|field| format!("{}: {}", field.name, field.data_type)).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    v.a: int64
    v.b: float32
    v.c: float64
    v.d: boolean
    v.e: string
    v.f: timestamp
    v.g: array<string>
    v.h: struct<x: int64, y: array<float64>>
    v.i: map<string, int64>
    ");
}

#[tokio::test]
async fn an_instance_survives_an_error_from_outputs() {
    let store = Store::start();
    let plugin = tecton();
    let other = config(&store.url()).replace("planes_features", "trains_features");
    let setup = setup(&plugin, &other).await;
    let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
    let Err(PluginError::Refused(error)) = instance.outputs().await else {
        panic!("it knows the trains");
    };
    assert_eq!((error.kind, error.http_status), (ErrorKind::NotFound, Some(404)));
    assert!(instance.is_alive());
}

/// The handler writes down each call, and traps at its end with the list.
#[tokio::test]
async fn a_handler_lives_as_a_dofn_does() {
    let plugin = evil();
    let setup = setup(&plugin, &evil_config("diary", "")).await;
    let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
    for calls in [&[2, 1][..], &[], &[3]] {
        let mut bundle = instance.start_bundle().await.unwrap();
        for rows in calls {
            bundle.process(&tailnums(&SOME[..*rows])).await.unwrap();
        }
        bundle.finish().await.unwrap();
    }
    let ended = instance.tear_down().await.unwrap_err();
    let PluginError::Trap { call: "teardown", stderr, .. } = ended else { panic!("{ended}") };
    let diary: Vec<&str> = stderr.lines().collect();
    assert_eq!(
        diary,
        [
            "setup",
            "start-bundle",
            "process 2",
            "process 1",
            "finish",
            "start-bundle",
            "finish",
            "start-bundle",
            "process 3",
            "finish",
            "teardown",
        ]
    );
}

#[tokio::test]
async fn one_instance_serves_bundle_after_bundle_and_counts_them_all() {
    let store = Store::start();
    let mut instance = instance(&store).await;
    for _ in 0..3 {
        let answers = bundle(&mut instance, &tailnums(&SOME)).await.unwrap();
        assert_eq!(counts(&answers), [2, 1, 1, 0]);
        assert_eq!(years(&answers), [Some(2004), None, None, Some(1998)]);
    }
    let counters = instance.counters().await.unwrap();
    let counter = |name: &str, value| (name.to_owned(), value);
    assert_eq!(
        counters,
        [
            counter("features_retrieved", 6),
            counter("feature_retrieval_requests", 3),
            counter("feature_retrieval_errors", 0),
        ]
    );
    instance.tear_down().await.unwrap();
}

#[tokio::test]
async fn calls_of_any_size_give_the_same_answers_in_the_same_order() {
    let store = Store::start();
    let mut instance = instance(&store).await;
    let planes = crate::support::rows::Table::of_data("planes.csv");
    let planes = &planes.rows[..97];
    let keys: Vec<Option<&str>> = planes.iter().map(|row| Some(row[0].as_str())).collect();
    let expected: Vec<Option<i64>> = planes.iter().map(|row| row[1].parse().ok()).collect();
    let mut bundle = instance.start_bundle().await.unwrap();
    let (mut answers, mut given) = (Vec::new(), 0);
    for size in [0, 1, 25, 0, 9, 10, 11, 41, 0] {
        let rows = tailnums(&keys[given..given + size]);
        answers.extend(bundle.process(&rows).await.unwrap());
        given += size;
        assert!(years(&answers).len() <= given);
    }
    answers.extend(bundle.finish().await.unwrap());
    assert_eq!((given, years(&answers)), (97, expected));
    assert_eq!(store.requests(), 10);
}

#[tokio::test]
async fn a_bundle_without_rows_makes_no_request() {
    let store = Store::start();
    let mut instance = instance(&store).await;
    let bundle = instance.start_bundle().await.unwrap();
    assert!(bundle.finish().await.unwrap().is_empty());
    assert!(instance.is_alive());
    assert_eq!(store.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_side_by_side_answer_each_its_own_rows() {
    let store = Store::start();
    let plugin = tecton();
    let setup = setup(&plugin, &config(&store.url())).await;
    let planes = crate::support::rows::Table::of_data("planes.csv");
    let mut running = tokio::task::JoinSet::new();
    for chunk in planes.rows.chunks(100).map(<[_]>::to_vec) {
        let (plugin, setup) = (plugin.clone(), setup.clone());
        running.spawn(async move {
            let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
            let keys: Vec<Option<&str>> = chunk.iter().map(|row| Some(row[0].as_str())).collect();
            let expected: Vec<Option<i64>> = chunk.iter().map(|row| row[1].parse().ok()).collect();
            let answers = bundle(&mut instance, &tailnums(&keys)).await.unwrap();
            assert_eq!(years(&answers), expected);
            instance.tear_down().await.unwrap();
        });
    }
    assert_eq!(running.join_all().await.len(), 34);
    assert_eq!(setup.egress.requests(), store.requests());
}

#[tokio::test]
async fn a_bundle_that_is_dropped_early_ends_its_instance() {
    let store = Store::start();
    let mut instance = instance(&store).await;
    let mut bundle = instance.start_bundle().await.unwrap();
    bundle.process(&tailnums(&SOME)).await.unwrap();
    drop(bundle);
    assert!(!instance.is_alive());
    assert!(matches!(instance.start_bundle().await.err(), Some(PluginError::Finished)));
    assert!(matches!(instance.counters().await, Err(PluginError::Finished)));
}

#[tokio::test]
async fn a_call_that_is_cancelled_halfway_ends_its_instance() {
    let store = Store::that_answers(FaultAnswer::Hang(Duration::from_secs(3600)));
    let mut instance = instance(&store).await;
    let mut bundle = instance.start_bundle().await.unwrap();
    bundle.process(&tailnums(&SOME)).await.unwrap();
    let finishing = bundle.finish();
    let asked = async {
        while store.requests() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = finishing => panic!("the store has answered"),
        () = asked => {}
    }
    assert!(!instance.is_alive());
}

#[tokio::test]
async fn retry_information_of_the_store_reaches_the_embedder() {
    let store = Store::that_answers(StatusFault::new(429).retry_after("7"));
    let mut instance = instance(&store).await;
    let answers = bundle(&mut instance, &tailnums(&SOME)).await.unwrap();
    assert_eq!(counts(&answers), [0, 0, 0, 4]);
    let error = &answers[0].failures[0].error;
    assert_eq!(
        (&error.kind, error.retryable, error.retry_after, error.http_status),
        (&ErrorKind::Throttled, true, Some(Duration::from_secs(7)), Some(429))
    );
    assert!(instance.is_alive());
    assert_eq!(instance.counters().await.unwrap()[2].1, 1);
}

#[tokio::test]
async fn an_answer_that_comes_in_pieces_is_read_whole() {
    let body = json!({
        "result": [{ "features": [PAUSE, "b"] }],
        "metadata": { "features": [
            { "name": "v.text", "dataType": { "type": "string" } },
            { "name": "v.more", "dataType": { "type": "string" } },
        ] },
    });
    // serde_json escapes the mark.
    let body = format!("{PAUSE}{}", body.to_string().replace("\\f", PAUSE));
    let server = Server::that_answers(move |_| answer("200 OK", &body));
    let plugin = tecton();
    let setup = setup(&plugin, &config(&server.url())).await;
    let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
    for _ in 0..3 {
        let answers = bundle(&mut instance, &tailnums(&[Some("N1")])).await.unwrap();
        let texts = answers[0].features.column_by_name("v.more").unwrap();
        assert_eq!(texts.as_string::<i32>().value(0), "b");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_fails_rows_and_not_the_instance() {
    let plugin = tecton();
    let setup = setup(&plugin, &config(&crate::support::server::closed_port())).await;
    let mut instance = Instance::set_up(&plugin, &setup).await.unwrap();
    let answers = bundle(&mut instance, &tailnums(&SOME)).await.unwrap();
    let error = &answers[0].failures[0].error;
    assert_eq!((&error.kind, error.retryable), (&ErrorKind::Unavailable, true));
    assert!(instance.is_alive());
}

#[tokio::test]
async fn rows_without_the_column_that_is_read_are_refused() {
    let store = Store::start();
    let mut instance = instance(&store).await;
    let other: RecordBatch = tailnums(&SOME).project(&[]).unwrap();
    let Err(PluginError::Refused(error)) = bundle(&mut instance, &other).await else {
        panic!("it has taken rows without a key");
    };
    insta::assert_snapshot!(error, @"invalid-input: the rows have no field `tailnum`, which is the entity_id");
    assert!(!instance.is_alive());
}
