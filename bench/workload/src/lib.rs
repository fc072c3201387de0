//! What both sides of the bench do: the same rows in the same bundles, and the same figures.

use anyhow::{Result, ensure};
use clap::Parser;
use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Instant;

/// One measurement.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// Where the emulator listens.
    #[arg(long)]
    pub url: String,
    /// The emulator's online store: its first column is the key.
    #[arg(long)]
    pub keys: PathBuf,
    /// Rows to enrich.
    #[arg(long)]
    pub rows: u64,
    /// Rows of a bundle.
    #[arg(long, default_value_t = 1000)]
    pub bundle_size: u64,
    /// Rows of a request.
    #[arg(long, default_value_t = 10)]
    pub batch_size: u64,
    /// Bundles in flight.
    #[arg(long)]
    pub bundles: usize,
    /// Requests that a bundle has in flight.
    #[arg(long)]
    pub in_flight: usize,
    /// Threads that bundles run on [default: one for each core].
    #[arg(long)]
    pub threads: Option<NonZero<usize>>,
}

impl Options {
    /// Threads that bundles run on: no more than there are bundles.
    pub fn threads(&self) -> usize {
        let cores = || available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.threads.unwrap_or_else(cores).get().min(self.bundles)
    }
}

/// What was measured.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Figures {
    /// Rows enriched.
    pub rows: u64,
    /// Wall time.
    pub seconds: f64,
    /// CPU time of the process, all threads.
    pub cpu_seconds: f64,
}

/// The keys of the store, and one in eight that it does not know.
pub fn keys(options: &Options) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    for record in csv::Reader::from_path(&options.keys)?.records() {
        let key = record?.get(0).unwrap_or_default().to_owned();
        keys.push(if keys.len() % 8 == 7 { format!("{key}?") } else { key });
    }
    ensure!(!keys.is_empty(), "{} holds no keys", options.keys.display());
    Ok(keys)
}

/// The configuration of the Tecton handler.
pub fn config(options: &Options) -> serde_json::Value {
    serde_json::json!({
        "connection": { "url": options.url, "default_workspace_name": "prod", "api_key": "demo-key" },
        "retrieval": { "feature_service_name": "planes_features", "entity_id": "tailnum" },
        "batching": { "max_batch_size": options.batch_size, "max_in_flight": options.in_flight },
    })
}

/// Hands out bundles until all rows are gone.
pub struct Bundles {
    keys: Vec<String>,
    size: u64,
    rows: u64,
    next: AtomicU64,
}

impl Bundles {
    /// The bundles of a measurement.
    pub fn new(options: &Options) -> Result<Self> {
        let size = options.bundle_size;
        Ok(Bundles { keys: keys(options)?, size, rows: options.rows, next: AtomicU64::new(0) })
    }

    /// The keys of the next bundle.
    pub fn next(&self) -> Option<Vec<&str>> {
        let first = self.next.fetch_add(self.size, Ordering::Relaxed);
        let last = (first + self.size).min(self.rows);
        let key = |row: u64| self.keys[(row % self.keys.len() as u64) as usize].as_str();
        (first < self.rows).then(|| (first..last).map(key).collect())
    }
}

/// Measures time on the wall and on the CPUs.
pub struct Clock(Instant, ProcessTime);

impl Clock {
    /// Starts.
    pub fn start() -> Self {
        Clock(Instant::now(), ProcessTime::now())
    }

    /// Stops, and prints the figures as JSON.
    ///
    /// # Errors
    /// Not as many rows were answered as were asked for, or none with features.
    pub fn stop(self, options: &Options, rows: u64, enriched: u64) -> Result<()> {
        let figures = Figures {
            rows,
            seconds: self.0.elapsed().as_secs_f64(),
            cpu_seconds: self.1.elapsed().as_secs_f64(),
        };
        ensure!(rows == options.rows, "{rows} of {} rows were answered", options.rows);
        ensure!(
            enriched * 8 > rows * 6 && enriched < rows,
            "{enriched} of {rows} rows were enriched"
        );
        println!("{}", serde_json::to_string(&figures)?);
        Ok(())
    }
}
