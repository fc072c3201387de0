//! What embedders rely on: types that threads share, calls without a runtime, cancellation by drop.

use crate::config::{Config, Document};
use crate::enrich::{
    Answers, CacheOptions, EnrichError, EnrichOptions, Enricher, FeaturesError, JoinError, Metrics,
    Outcome, RowFailure,
};
use crate::load::{Configured, Handler, LoadError, LoadOptions, Loaded};
use crate::plugin::{HandlerError, Instance, Plugin, PluginError, Setup};
use crate::sandbox::{Egress, Permissions, Runtime, RuntimeOptions, Secrets};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use tecton_emulator::{
    Background, Builder, Emulator, Endpoint, Fault, FaultAnswer, RepositoryFile,
};
use tokio::time::{sleep, timeout};

const LONG: Duration = Duration::from_secs(60);

fn store() -> Builder {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/tecton-repository.toml");
    Emulator::of_file(RepositoryFile::read(repository).unwrap())
}

/// A configuration for the store at a URL, with the table `run`.
fn config(url: &str, run: &Value) -> Value {
    json!({
        "connection": { "url": url, "default_workspace_name": "prod", "api_key": "demo-key" },
        "retrieval": { "feature_service_name": "planes_features", "entity_id": "tailnum" },
        "run": run,
    })
}

fn planes() -> RecordBatch {
    let tailnums: ArrayRef = Arc::new(StringArray::from(vec!["N10156", "N0", "N102UW"]));
    RecordBatch::try_from_iter([("tailnum", tailnums)]).unwrap()
}

fn assert_right(answers: &Answers) {
    let outcomes: Vec<_> = answers.outcomes().map(Outcome::name).collect();
    assert_eq!(outcomes, ["enriched", "missing", "enriched"]);
}

#[test]
fn threads_can_share_every_public_type() {
    fn shared<T: Send + Sync + 'static>() {}
    fn moved<T: Send + 'static>() {}
    fn sent<T: Send>(_: &T) {}
    shared::<Enricher>();
    shared::<(Answers, Outcome, RowFailure, Metrics, EnrichOptions, CacheOptions)>();
    shared::<(EnrichError, LoadError, PluginError, HandlerError, FeaturesError, JoinError)>();
    shared::<(Config, Document, Configured, Handler, LoadOptions, Loaded)>();
    shared::<(Plugin, Setup)>();
    // An instance serves one bundle at a time, wherever it is.
    moved::<Instance>();
    shared::<(Egress, Permissions, Runtime, RuntimeOptions, Secrets)>();
    // Never called: a runner's tasks may be moved between threads.
    let _ = |enricher: &Enricher, rows: &RecordBatch| {
        sent(&enricher.enrich(rows));
        sent(&enricher.tear_down());
        sent(&Enricher::from_config("handler = 'tecton'"));
    };
}

/// Its code is run as doctests, so that an embedder compiles with this crate alone.
#[test]
fn the_guide_for_embedders_names_no_crate_below_this_one() {
    let guide = include_str!("../../../docs/guide/embedding.md");
    assert!(!guide.contains("beamlet_"));
}

#[test]
fn without_a_runtime_any_number_of_threads_enrich() {
    // The first attempt fails, so that a retry needs a timer.
    let busy = Fault::first(1, FaultAnswer::status(503)).on(Endpoint::GetFeaturesBatch);
    let store = store().fault(busy).start_blocking().unwrap();
    let enricher = Enricher::from_config_blocking(config(&store.url(), &json!({}))).unwrap();
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| assert_right(&enricher.enrich_blocking(&planes()).unwrap()));
        }
    });
    let counters = enricher.tear_down_blocking().unwrap();
    assert!(counters["features_retrieved"] >= 2, "{counters:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn on_a_multi_threaded_runtime_waiting_does_not_stop_other_tasks() {
    let store = store().start_blocking().unwrap();
    let config = config(&store.url(), &json!({}));
    let enricher = Arc::new(Enricher::from_config(config).await.unwrap());
    let tasks = [0, 1].map(|_| {
        let enricher = enricher.clone();
        tokio::spawn(async move { enricher.enrich_blocking(&planes()).unwrap() })
    });
    for task in tasks {
        assert_right(&timeout(LONG, task).await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn on_a_current_thread_runtime_waiting_is_an_error_and_awaiting_works() {
    let store = store().start_blocking().unwrap();
    let config = config(&store.url(), &json!({}));
    let refused = Enricher::from_config_blocking(config.clone()).err().unwrap();
    assert!(matches!(refused, LoadError::SetUp(EnrichError::CannotBlock)), "{refused}");
    let enricher = Enricher::from_config(config).await.unwrap();
    let refused = enricher.enrich_blocking(&planes()).unwrap_err();
    assert!(matches!(refused, EnrichError::CannotBlock), "{refused}");
    assert_right(&enricher.enrich(&planes()).await.unwrap());
}

#[tokio::test]
async fn a_dropped_call_ends_its_request_and_makes_room_for_the_next() {
    let hang = FaultAnswer::Hang(Duration::from_secs(3600));
    let hang = Fault::first(1, hang).on(Endpoint::GetFeaturesBatch);
    let store = store().fault(hang).start_blocking().unwrap();
    let relay = Relay::to(store.address());
    // One bundle, one request: nothing else can go on before the first one has made room.
    let one = json!({ "in_flight": 1, "threads": 1, "throttle": { "max_requests": 1 } });
    let enricher = Enricher::from_config(config(&relay.url, &one)).await.unwrap();
    let (rows, asked) = (planes(), store.stats().requests);
    tokio::select! {
        answers = enricher.enrich(&rows) => panic!("the store hangs: {answers:?}"),
        () = more_than(asked, &store) => {}
    }
    let ended = async {
        while relay.closed.load(Ordering::Relaxed) == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), ended).await.expect("the connection is closed");
    let answers = timeout(LONG, enricher.enrich(&rows)).await.expect("there is room again");
    assert_right(&answers.unwrap());
    assert_eq!(enricher.metrics().instances.get(), 2, "the first one is discarded");
}

async fn more_than(requests: u64, store: &Background) {
    while store.stats().requests <= requests {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Stands between an enricher and its store, and counts the connections that the enricher closes.
struct Relay {
    url: String,
    closed: Arc<AtomicUsize>,
}

impl Relay {
    fn to(store: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let closed = Arc::new(AtomicUsize::new(0));
        let count = closed.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(store).unwrap());
                let (back, front) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || pass(back, front));
                let count = count.clone();
                thread::spawn(move || {
                    pass(client, server);
                    count.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Relay { url, closed }
    }
}

/// Passes bytes on until there are no more.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
