//! The pipeline from reader to writer: one thread reads, bundles are enriched concurrently, and one
//! thread writes. Every queue between them is bounded, so that a slow writer slows the reader.

use super::bundle::{Bundles, Done};
use super::dead_letter::{DeadLetters, Letters};
use super::error::{RunError, RunFailure};
use super::metrics::RunMetrics;
use super::summary::Summary;
use super::telemetry::Telemetry;
use beamlet::config::{FailurePolicy, MaxFailures, RunOptions};
use beamlet::enrich::{EnrichError, Enricher};
use beamlet::plugin::{OutputField, Plugin, Setup};
use beamlet_formats::{Patience, Reader, Rows, Writer};
use futures_util::{Stream, StreamExt, stream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, info, info_span};

/// Everything that a run needs.
pub(crate) struct Job {
    /// The handler.
    pub(crate) plugin: Plugin,
    /// What the handler's instances share.
    pub(crate) setup: Setup,
    /// Where rows come from.
    pub(crate) reader: Reader,
    /// Where enriched rows go.
    pub(crate) writer: Writer,
    /// Where rows that fail are written, if the policy says so.
    pub(crate) dead_letters: Option<DeadLetters>,
    /// Sizes, limits and policies.
    pub(crate) options: RunOptions,
    /// The counts of the run.
    pub(crate) metrics: Arc<RunMetrics>,
    /// Stops the run before its input ends.
    pub(crate) stop: Stop,
    /// What happens to the output then.
    pub(crate) on_stop: OnStop,
    /// The reader's patience, to make the reader end with the rows that it has read. Without it,
    /// rows that the reader has not returned yet are dropped when the run is stopped.
    pub(crate) patience: Option<Patience>,
}

/// Runs a job to its end: every row of the input is in the output or in the dead letters, or the
/// run fails and the output does not exist.
///
/// # Errors
/// The first error, with the summary until then.
pub(crate) async fn run(job: Job) -> Result<Summary, RunFailure> {
    let started = Instant::now();
    let egress = job.setup.egress.clone();
    let enrich = job.options.enrich.clone();
    let enricher = match Enricher::set_up(job.plugin, job.setup, enrich).await {
        Ok(enricher) => enricher,
        Err(error) => {
            let error = RunError::SetUp(error);
            return Err(RunFailure { error, summary: Summary::default() });
        }
    };
    info!(
        inputs = enricher.inputs().len(),
        outputs = enricher.outputs().len(),
        bundle_size = job.options.bundle_size,
        in_flight = job.options.enrich.in_flight,
        "the handler is set up: rows are read"
    );
    let asked_before = egress.requests();
    let enricher = Arc::new(enricher);
    let telemetry = Telemetry::new(&job.metrics, &enricher);
    let (metrics, policy) = (job.metrics.clone(), job.options.on_failure);
    let bundles = Arc::new(Bundles::new(enricher, metrics, telemetry, policy));
    let outputs = Outputs {
        rows: job.writer,
        dead_letters: job.dead_letters,
        on_stop: job.on_stop,
        metrics: job.metrics.clone(),
        max_failures: job.options.max_failures(),
        without_rows: None,
        written: false,
    };
    let stopping = Stopping { stop: job.stop.clone(), patience: job.patience };
    let ended = pump(job.reader, outputs, &job.options, &bundles, &stopping).await;
    let counters = bundles.enricher.tear_down().await;
    let requests = egress.requests() - asked_before;
    let mut summary = Summary::of(&job.metrics, bundles.enricher.metrics());
    summary.counters = counters;
    summary.requests = requests;
    summary.stopped = job.stop.is_stopped();
    summary.took(started.elapsed());
    info!(
        rows = summary.rows,
        written = summary.written,
        failed = summary.failed,
        requests = summary.requests,
        seconds = summary.seconds,
        "the run has ended"
    );
    match ended {
        Ok(()) => {
            summary.complete = !summary.stopped || job.on_stop == OnStop::Finish;
            Ok(summary)
        }
        Err(RunError::Rows(error)) if policy == FailurePolicy::Keep && error.is_of_a_row() => {
            Err(RunFailure { error: RunError::NotKept(error), summary })
        }
        Err(error) => Err(RunFailure { error, summary }),
    }
}

async fn pump(
    reader: Reader,
    mut outputs: Outputs,
    options: &RunOptions,
    bundles: &Arc<Bundles>,
    stopping: &Stopping,
) -> Result<(), RunError> {
    let stop = &stopping.stop;
    outputs.declare(bundles.enricher.outputs())?;
    let (rows, reading) = read(reader, options.bundle_size);
    let no_more = stopping.no_more(outputs.on_stop);
    let started = rows.take_until(Box::pin(no_more)).map(|rows| {
        let bundle = rows.map(|rows| start(bundles.clone(), rows));
        async move { joined(bundle?.await) }
    });
    let mut done: Pin<Box<dyn Stream<Item = Result<Done, RunError>> + Send + '_>> =
        if options.ordered {
            Box::pin(started.buffered(options.window()))
        } else {
            Box::pin(started.buffer_unordered(options.window()))
        };
    let (to_writer, writing) = outputs.write();
    let (mut failed, mut read_all) = (None, false);
    loop {
        // A writer that has stopped returns its error when it is joined.
        let bundle = tokio::select! {
            bundle = done.next() => bundle,
            () = to_writer.closed() => break,
        };
        match bundle {
            Some(Ok(bundle)) => {
                failed = too_many(&bundles.metrics, options.max_failures(), false).err();
                if failed.is_some() {
                    break;
                }
                if to_writer.send(Message::Write(bundle)).await.is_err() {
                    break;
                }
            }
            Some(Err(error)) => {
                failed = Some(error);
                break;
            }
            None => {
                read_all = !stop.is_stopped();
                break;
            }
        }
    }
    drop(done);
    // Join the reader only if it has reached the end of its input: otherwise it may be waiting for
    // a pipe.
    if read_all {
        failed = joined(reading.await.map(Ok)).err();
    }
    let end = match (&failed, stop.is_stopped()) {
        (Some(_), _) => Message::Drop,
        (None, true) => Message::Stop,
        (None, false) => Message::Finish,
    };
    let _ = to_writer.send(end).await;
    drop(to_writer);
    let written = joined(writing.await);
    match failed {
        Some(error) => Err(error),
        None => written,
    }
}

/// How a run ends before its input does.
struct Stopping {
    stop: Stop,
    patience: Option<Patience>,
}

impl Stopping {
    /// Waits until no more rows are wanted from the reader.
    async fn no_more(&self, on_stop: OnStop) {
        self.stop.stopped().await;
        if let (Some(patience), OnStop::Finish) = (&self.patience, on_stop) {
            // The reader ends itself after the rows that it has read.
            patience.stop();
            std::future::pending::<()>().await;
        }
    }
}

/// Enriches a bundle in a task of its own.
fn start(bundles: Arc<Bundles>, rows: Rows) -> AbortOnDropHandle<Result<Done, RunError>> {
    let span = info_span!("bundle", rows = rows.len());
    let bundle = async move { bundles.enrich(rows).await };
    AbortOnDropHandle::new(tokio::spawn(bundle.instrument(span)))
}

/// Reads bundles in a thread of its own, two ahead.
fn read(
    mut reader: Reader,
    rows: usize,
) -> (impl Stream<Item = Result<Rows, RunError>> + Unpin + Send, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel(2);
    let reading = spawn_blocking(move || {
        while let Some(next) = reader.next(rows).transpose() {
            let last = next.is_err();
            if sender.blocking_send(next.map_err(RunError::from)).is_err() || last {
                break;
            }
        }
    });
    let rows = stream::unfold(receiver, async |mut receiver: mpsc::Receiver<_>| {
        receiver.recv().await.map(|rows| (rows, receiver))
    });
    (Box::pin(rows), reading)
}

/// The outputs of a run.
struct Outputs {
    rows: Writer,
    dead_letters: Option<DeadLetters>,
    on_stop: OnStop,
    metrics: Arc<RunMetrics>,
    max_failures: Option<MaxFailures>,
    /// The first bundle that has no rows left, until another one is written: an output without rows
    /// still has a header.
    without_rows: Option<Done>,
    written: bool,
}

/// Messages to the writer's thread.
#[expect(clippy::large_enum_variant, reason = "no more than three are ever kept")]
enum Message {
    Write(Done),
    /// Finish the outputs.
    Finish,
    /// Finish the outputs if [`OnStop`] says so.
    Stop,
    /// Discard the outputs.
    Drop,
}

impl Outputs {
    /// Declares the features to the writer, if they are known.
    fn declare(&mut self, features: &[OutputField]) -> Result<(), RunError> {
        if features.is_empty() {
            return Ok(());
        }
        let declared = features.iter().map(|field| (field.name.clone(), field.data_type.clone()));
        Ok(self.rows.declare(declared.collect())?)
    }

    /// Writes in a thread of its own.
    fn write(mut self) -> (mpsc::Sender<Message>, JoinHandle<Result<(), RunError>>) {
        let (sender, mut receiver) = mpsc::channel(2);
        let writing = spawn_blocking(move || {
            loop {
                match receiver.blocking_recv() {
                    Some(Message::Write(done)) => self.take(done)?,
                    Some(Message::Finish) => return self.finish(),
                    Some(Message::Stop) if self.on_stop == OnStop::Finish => return self.finish(),
                    Some(Message::Stop | Message::Drop) | None => return self.drop(),
                }
            }
        });
        (sender, writing)
    }

    fn take(&mut self, done: Done) -> Result<(), RunError> {
        // Dead letters first: if the run is interrupted, a row is in both outputs rather than in
        // neither.
        if let Some(dead_letters) = &mut self.dead_letters
            && !done.letters.is_empty()
        {
            dead_letters.write(&done.letters)?;
        }
        if done.rows.is_empty() && !self.written {
            self.without_rows.get_or_insert(done);
            return Ok(());
        }
        self.written = true;
        self.rows.write(&done.rows, Some(&done.features))?;
        self.set_aside()
    }

    /// Counts the written rows, and turns rows that the writer set aside into dead letters.
    fn set_aside(&mut self) -> Result<(), RunError> {
        let metrics = &self.metrics;
        metrics.written.add(self.rows.rows().saturating_sub(metrics.written.get()));
        let mut letters = Letters::default();
        for row in self.rows.take_set_aside() {
            if self.dead_letters.is_none() {
                return Err(row.error.into());
            }
            letters.push_bad(&row);
            metrics.failures.add_row(&row.error, &row.origin);
            metrics.unwritten.add(1);
        }
        if let Some(dead_letters) = &mut self.dead_letters
            && !letters.is_empty()
        {
            dead_letters.write(&letters)?;
            metrics.dead_letters.add(letters.len() as u64);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), RunError> {
        if let Some(done) = self.without_rows.take().filter(|_| !self.written) {
            self.rows.write(&done.rows, Some(&done.features))?;
        }
        self.rows.settle()?;
        self.set_aside()?;
        if let Err(error) = too_many(&self.metrics, self.max_failures, true) {
            self.drop()?;
            return Err(error);
        }
        self.dead_letters.map_or(Ok(()), DeadLetters::finish)?;
        Ok(self.rows.finish().map(drop)?)
    }

    /// Discards the output.
    fn drop(self) -> Result<(), RunError> {
        Ok(self.dead_letters.map_or(Ok(()), DeadLetters::fail)?)
    }
}

fn joined<T>(task: Result<Result<T, RunError>, tokio::task::JoinError>) -> Result<T, RunError> {
    task.unwrap_or_else(|error| Err(RunError::Panic(error.to_string())))
}

impl From<EnrichError> for RunError {
    fn from(error: EnrichError) -> Self {
        RunError::SetUp(error)
    }
}

/// The error that ends the run, if too many rows have failed. `ended` says that no more rows come.
fn too_many(metrics: &RunMetrics, most: Option<MaxFailures>, ended: bool) -> Result<(), RunError> {
    match most {
        Some(most) if most.is_exceeded(metrics.failed_rows(), metrics.answered_rows(), ended) => {
            Err(RunError::TooManyFailures {
                failed: metrics.failed_rows(),
                rows: metrics.answered_rows(),
                most,
                first: metrics.failures.all().into_iter().next(),
            })
        }
        _ => Ok(()),
    }
}

/// Stops a run: no more rows are read, and bundles in flight are finished.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stopped: AtomicBool,
    requested: Notify,
}

impl Stop {
    /// Stops the run.
    pub(crate) fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.requested.notify_waiters();
    }

    /// Whether the run has been stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::SeqCst)
    }

    /// Waits until the run is stopped.
    async fn stopped(&self) {
        let requested = self.0.requested.notified();
        if !self.is_stopped() {
            requested.await;
        }
    }
}

/// What happens to the output of a stopped run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OnStop {
    /// It is discarded, because it contains only a part of the input.
    #[default]
    Drop,
    /// It is finished, because the input may have no end, such as a pipe, and all rows that were
    /// read are in it.
    Finish,
}
