//! Rows that are answered from memory: what the runner itself costs.
#![allow(missing_docs, clippy::unwrap_used)]

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use beamlet::enrich::{CacheOptions, EnrichOptions, Enricher};
use beamlet::plugin::{Plugin, Setup};
use beamlet::sandbox::{Destination, Egress, Runtime, RuntimeOptions, Secrets, Timeouts};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use std::sync::Arc;
use tecton_emulator::{Emulator, RepositoryFile};

const BUNDLE: usize = 1000;

/// Bundles of keys that the store knows, one after the other.
fn bundles() -> Vec<RecordBatch> {
    let planes = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/planes.csv");
    let mut planes = csv::Reader::from_path(planes).unwrap();
    let keys: Vec<String> =
        planes.records().map(|record| record.unwrap().get(0).unwrap().to_owned()).collect();
    let bundle = |keys: &[String]| {
        let keys: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
        RecordBatch::try_from_iter([("tailnum", keys)]).unwrap()
    };
    keys.chunks_exact(BUNDLE).map(bundle).collect()
}

async fn enricher(url: &str) -> Enricher {
    let runtime = Runtime::new(&RuntimeOptions::default()).unwrap();
    let plugin = Plugin::tecton(&runtime).unwrap();
    let allowed = Destination::of_text(url).into_iter().collect();
    let egress = Egress::new(allowed, Secrets::default(), Timeouts::default());
    let config = json!({
        "connection": { "url": url, "default_workspace_name": "prod", "api_key": "demo-key" },
        "retrieval": { "feature_service_name": "planes_features", "entity_id": "tailnum" },
    });
    let setup = Setup::new(config.to_string(), Arc::new(egress));
    let options = EnrichOptions::default().cache(Some(CacheOptions::default()));
    Enricher::set_up(plugin, setup, options).await.unwrap()
}

fn cached(criterion: &mut Criterion) {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/tecton-repository.toml");
    let store = Emulator::of_file(RepositoryFile::read(repository).unwrap());
    let store = store.start_blocking().unwrap();
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let enricher = tokio.block_on(enricher(&store.url()));
    let bundles = bundles();
    for bundle in &bundles {
        tokio.block_on(enricher.enrich(bundle)).unwrap();
    }
    let asked = enricher.metrics().asked.get();

    let mut group = criterion.benchmark_group("cache");
    group.throughput(Throughput::Elements(BUNDLE as u64));
    let mut next = bundles.iter().cycle();
    group.bench_function("memory, one key, eight features, one thread", |bencher| {
        bencher.iter(|| {
            let bundle = next.next().unwrap();
            let answers = tokio.block_on(enricher.enrich(bundle)).unwrap();
            answers.features().unwrap()
        });
    });
    group.finish();
    assert_eq!(enricher.metrics().asked.get(), asked, "rows were asked for that are known");
}

criterion_group!(benches, cached);
criterion_main!(benches);
