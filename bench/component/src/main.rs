//! One measurement of the Tecton handler as a component in the host.

use anyhow::Result;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use beamlet::plugin::{Enriched, Instance, Plugin, Setup};
use beamlet::sandbox::{Egress, Permissions, Runtime, RuntimeOptions};
use beamlet_bench_workload::{Bundles, Clock, Options, config};
use beamlet_egress::{Allowed, Destination, Secrets, Timeouts};
use clap::Parser;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let bundles = Arc::new(Bundles::new(&options)?);
    let runtime = Runtime::new(&RuntimeOptions::default())?;
    let plugin = Plugin::tecton(&runtime)?;
    let allowed: Allowed = Destination::of_text(&options.url).into_iter().collect();
    let egress = Arc::new(Egress::new(allowed, Secrets::default(), Timeouts::default()));
    let config = config(&options).to_string().into();
    let setup = Setup { config, permissions: Permissions::default(), egress };
    let mut instances = Vec::new();
    for _ in 0..options.bundles {
        instances.push(Instance::set_up(&plugin, &setup).await?);
    }
    let clock = Clock::start();
    let workers: Vec<_> = instances
        .into_iter()
        .map(|instance| tokio::spawn(work(instance, bundles.clone())))
        .collect();
    let (mut rows, mut enriched) = (0, 0);
    for worker in workers {
        let (answered, found) = worker.await??;
        rows += answered;
        enriched += found;
    }
    clock.stop(&options, rows, enriched)
}

async fn work(mut instance: Instance, bundles: Arc<Bundles>) -> Result<(u64, u64)> {
    let (mut rows, mut enriched) = (0, 0);
    while let Some(keys) = bundles.next() {
        let keys: ArrayRef = Arc::new(StringArray::from(keys));
        let batch = RecordBatch::try_from_iter([("tailnum", keys)])?;
        let mut bundle = instance.start_bundle().await?;
        let mut answers = bundle.process(&batch).await?;
        answers.extend(bundle.finish().await?);
        rows += answers.iter().map(Enriched::rows).sum::<usize>() as u64;
        enriched += answers.iter().map(Enriched::enriched).sum::<usize>() as u64;
    }
    Ok((rows, enriched))
}
