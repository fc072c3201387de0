//! The line from reader to writer: one thread reads, bundles are enriched beside each other,
//! one thread writes in the order of the input. Every place between them is bounded, so that
//! a slow writer slows the reader.

use super::bundle::{Done, enrich};
use super::error::{RunError, RunFailure};
use super::instances::Instances;
use super::summary::Summary;
use crate::config::RunOptions;
use crate::plugin::{Plugin, Setup};
use beamlet_rows::{Reader, Rows, Writer};
use futures_util::{Stream, StreamExt, stream};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle, spawn_blocking};

/// All that a run needs.
pub struct Job {
    /// The handler.
    pub plugin: Plugin,
    /// What its instances share.
    pub setup: Setup,
    /// Where rows come from.
    pub reader: Reader,
    /// Where enriched rows go.
    pub writer: Writer,
    /// How many of what.
    pub options: RunOptions,
}

/// Runs a job to its end: every row of the input is in the output, in order, or the run fails
/// and the output is not there.
///
/// # Errors
/// The first thing that went wrong, with how far the run had come.
pub async fn run(job: Job) -> Result<Summary, RunFailure> {
    let started = Instant::now();
    let egress = job.setup.egress.clone();
    let mut summary = Summary::default();
    let instances = match Instances::set_up(job.plugin, job.setup).await {
        Ok(instances) => Arc::new(instances),
        Err(error) => return Err(RunFailure { error: RunError::SetUp(error), summary }),
    };
    let asked_before = egress.requests();
    let ended = pump(job.reader, job.writer, job.options, &instances, &mut summary).await;
    summary.counters = instances.tear_down().await;
    summary.requests = egress.requests() - asked_before;
    summary.seconds = started.elapsed().as_secs_f64();
    summary.rows_per_second = summary.rows as f64 / summary.seconds.max(f64::MIN_POSITIVE);
    match ended {
        Ok(()) => {
            summary.complete = true;
            Ok(summary)
        }
        Err(error) => Err(RunFailure { error, summary }),
    }
}

async fn pump(
    reader: Reader,
    writer: Writer,
    options: RunOptions,
    instances: &Arc<Instances>,
    summary: &mut Summary,
) -> Result<(), RunError> {
    let bundles = read(reader, options.bundle_size);
    let mut done = bundles
        .map(|rows| {
            let bundle = rows.map(|rows| Bundle::start(instances.clone(), rows));
            async move { bundle?.join().await }
        })
        .buffered(options.in_flight);
    let (to_writer, writing) = write(writer);
    let mut failed = None;
    while let Some(bundle) = done.next().await {
        let bundle = match bundle {
            Ok(bundle) => bundle,
            Err(error) => {
                failed = Some(error);
                break;
            }
        };
        summary.rows += bundle.rows.len() as u64;
        summary.enriched += bundle.enriched;
        summary.missing += bundle.missing;
        summary.null_keys += bundle.null_keys;
        if let Some((error, rows)) = bundle.failed {
            summary.failed += rows;
            failed = Some(error);
            break;
        }
        // A writer that has stopped says why when it is joined.
        if to_writer.send(Message::Write(bundle.rows, bundle.features)).await.is_err() {
            break;
        }
    }
    drop(done);
    let end = if failed.is_none() { Message::Finish } else { Message::Drop };
    let _ = to_writer.send(end).await;
    drop(to_writer);
    let written = joined(writing.await);
    match failed {
        Some(error) => Err(error),
        None => written,
    }
}

/// A bundle that is being enriched on a task of its own; dropped, it is given up.
struct Bundle(JoinHandle<Result<Done, RunError>>, AbortHandle);

impl Bundle {
    fn start(instances: Arc<Instances>, rows: Rows) -> Self {
        let task = tokio::spawn(enrich(instances, rows));
        let abort = task.abort_handle();
        Bundle(task, abort)
    }

    async fn join(mut self) -> Result<Done, RunError> {
        joined((&mut self.0).await)
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        self.1.abort();
    }
}

/// Reads bundles on a thread of its own, two ahead.
fn read(mut reader: Reader, rows: usize) -> impl Stream<Item = Result<Rows, RunError>> + Unpin {
    let (sender, receiver) = mpsc::channel(2);
    spawn_blocking(move || {
        while let Some(next) = reader.next(rows).transpose() {
            let last = next.is_err();
            if sender.blocking_send(next.map_err(RunError::from)).is_err() || last {
                break;
            }
        }
    });
    Box::pin(stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|rows| (rows, receiver))
    }))
}

/// What the writer's thread is told.
#[expect(clippy::large_enum_variant, reason = "no more than three are ever kept")]
enum Message {
    Write(Rows, arrow_array::RecordBatch),
    /// Put the output under its name.
    Finish,
    /// Leave nothing behind.
    Drop,
}

/// Writes on a thread of its own.
fn write(mut writer: Writer) -> (mpsc::Sender<Message>, JoinHandle<Result<(), RunError>>) {
    let (sender, mut receiver) = mpsc::channel(2);
    let writing = spawn_blocking(move || {
        loop {
            match receiver.blocking_recv() {
                Some(Message::Write(rows, features)) => writer.write(&rows, Some(&features))?,
                Some(Message::Finish) => return Ok(writer.finish().map(drop)?),
                Some(Message::Drop) | None => return Ok(()),
            }
        }
    });
    (sender, writing)
}

fn joined<T>(task: Result<Result<T, RunError>, tokio::task::JoinError>) -> Result<T, RunError> {
    task.unwrap_or_else(|error| Err(RunError::Panic(error.to_string())))
}
