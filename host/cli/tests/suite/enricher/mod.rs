//! An enricher answers each row once, and correctly, whatever happens to requests, instances and
//! the store.

mod arrow;
mod cache;
mod changed;
mod coalesce;
mod gather;
mod limits;
mod redis;
mod retry;

use crate::support::library::{evil, evil_config, setup, tailnums, tecton};
use crate::support::rows::Table;
use crate::support::store::config;
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use beamlet::enrich::{Answers, EnrichOptions, Enricher, Outcome, RetryOptions};
use beamlet::sandbox::Limits;
use std::sync::Arc;
use std::time::Duration;

/// Waits that a test has the time for.
fn fast_retry() -> RetryOptions {
    RetryOptions::default().backoff(Duration::from_millis(5)).max_backoff(Duration::from_millis(20))
}

fn with_retry(retry: RetryOptions) -> EnrichOptions {
    EnrichOptions::default().retry(retry)
}

/// An enricher with the Tecton handler, for the store at a URL.
async fn enricher(url: &str, options: EnrichOptions) -> Enricher {
    limited(url, "", options, &Limits::default()).await
}

/// The same, with more of a configuration, and limits.
async fn limited(url: &str, more: &str, options: EnrichOptions, limits: &Limits) -> Enricher {
    let plugin = tecton();
    let mut setup = setup(&plugin, &format!("{}\n{more}", config(url))).await;
    let egress = Arc::into_inner(setup.egress).unwrap();
    setup.egress = Arc::new(egress.limited(limits));
    Enricher::set_up(plugin, setup, options).await.unwrap()
}

/// An enricher with a handler that misbehaves.
async fn with_evil(behaviour: &str, more: &str, options: EnrichOptions) -> Enricher {
    let plugin = evil();
    let setup = setup(&plugin, &evil_config(behaviour, more)).await;
    Enricher::set_up(plugin, setup, options).await.unwrap()
}

/// Some planes that the store knows, as rows, with their years.
fn planes(count: usize) -> (RecordBatch, Vec<Option<i64>>) {
    let table = Table::of_data("planes.csv");
    let planes = &table.rows[..count];
    let keys: Vec<Option<&str>> = planes.iter().map(|row| Some(row[0].as_str())).collect();
    (tailnums(&keys), planes.iter().map(|row| row[1].parse().ok()).collect())
}

/// The years of the planes that came out.
fn years(answers: &Answers) -> Vec<Option<i64>> {
    let features = answers.features().unwrap();
    let years = features.column_by_name("planes.year").unwrap();
    years.as_primitive::<Int64Type>().iter().collect()
}

/// How many rows were enriched, are missing, have a null key, have failed.
fn outcomes(answers: &Answers) -> [usize; 4] {
    let mut counts = [0; 4];
    for outcome in answers.outcomes() {
        counts[match outcome {
            Outcome::Enriched => 0,
            Outcome::Missing => 1,
            Outcome::NullKey => 2,
            Outcome::Failed(_) => 3,
        }] += 1;
    }
    counts
}

/// The error of the first row that failed, and the number of attempts.
fn first_failure(answers: &Answers) -> (String, u32) {
    let failure = answers.outcomes().find_map(|outcome| match outcome {
        Outcome::Failed(given_up) => Some((given_up.error.to_string(), given_up.attempts)),
        _ => None,
    });
    failure.expect("a row has failed")
}
