//! One measurement of the Tecton handler as a component in the host, with all that the runner
//! puts around it.

use anyhow::{Result, ensure};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use beamlet::enrich::{EnrichOptions, Enricher, Outcome};
use beamlet::plugin::{Plugin, Setup};
use beamlet::sandbox::{
    Allowed, BreakerOptions, Destination, Egress, Limits, Runtime, RuntimeOptions, Secrets,
    ThrottleOptions, Timeouts,
};
use beamlet_bench_workload::{Bundles, Clock, Options, config};
use clap::Parser;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<()> {
    let ComponentOptions { options, count_fuel } = ComponentOptions::parse();
    let bundles = Arc::new(Bundles::new(&options)?);
    let runtime = Runtime::new(&RuntimeOptions::default().count_fuel(count_fuel))?;
    let plugin = Plugin::tecton(&runtime)?;
    let allowed: Allowed = Destination::of_text(&options.url).into_iter().collect();
    let egress = Egress::new(allowed, Secrets::default(), Timeouts::default());
    let limits = Limits::default()
        .throttle(Some(ThrottleOptions::default()))
        .breaker(Some(BreakerOptions::default()));
    let egress = Arc::new(egress.limited(&limits));
    let setup = Setup::new(config(&options).to_string(), egress);
    let enrich = EnrichOptions::default().in_flight(options.bundles).threads(options.threads);
    let enricher = Arc::new(Enricher::set_up(plugin, setup, enrich).await?);
    let clock = Clock::start();
    let workers: Vec<_> = (0..options.bundles)
        .map(|_| tokio::spawn(work(enricher.clone(), bundles.clone())))
        .collect();
    let (mut rows, mut enriched) = (0, 0);
    for worker in workers {
        let (answered, found) = worker.await??;
        rows += answered;
        enriched += found;
    }
    let asked = enricher.metrics().asked.get();
    ensure!(asked == rows, "{asked} of {rows} rows were asked for: equal ones were in flight");
    if count_fuel {
        println!("{{\"rows\":{rows},\"fuel\":{}}}", runtime.fuel());
        return Ok(());
    }
    clock.stop(&options, rows, enriched)
}

/// How the component is run.
#[derive(Parser)]
struct ComponentOptions {
    #[command(flatten)]
    options: Options,
    /// Count the component's fuel, and print that instead of times.
    #[arg(long)]
    count_fuel: bool,
}

async fn work(enricher: Arc<Enricher>, bundles: Arc<Bundles>) -> Result<(u64, u64)> {
    let (mut rows, mut enriched) = (0, 0);
    while let Some(keys) = bundles.next() {
        let keys: ArrayRef = Arc::new(StringArray::from(keys));
        let batch = RecordBatch::try_from_iter([("tailnum", keys)])?;
        let answers = enricher.enrich(&batch).await?;
        let features = answers.features().map_err(anyhow::Error::msg)?;
        rows += features.num_rows() as u64;
        enriched +=
            answers.outcomes().filter(|outcome| **outcome == Outcome::Enriched).count() as u64;
    }
    Ok((rows, enriched))
}
