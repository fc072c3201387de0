//! The line from reader to writer: one thread reads, bundles are enriched beside each other,
//! one thread writes. Every place between them is bounded, so that a slow writer slows the
//! reader.

use super::bundle::{Bundles, Done};
use super::dead_letter::{DeadLetters, Letters};
use super::error::{RunError, RunFailure};
use super::failures::too_many;
use super::metrics::RunMetrics;
use super::stop::{OnStop, Stop};
use super::summary::Summary;
use super::telemetry::Telemetry;
use beamlet::config::{FailurePolicy, MaxFailures, RunOptions};
use beamlet::enrich::{EnrichError, Enricher};
use beamlet::plugin::{OutputField, Plugin, Setup};
use beamlet_formats::{Patience, Reader, Rows, Writer};
use futures_util::{Stream, StreamExt, stream};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, info, info_span};

/// All that a run needs.
pub(crate) struct Job {
    /// The handler.
    pub(crate) plugin: Plugin,
    /// What its instances share.
    pub(crate) setup: Setup,
    /// Where rows come from.
    pub(crate) reader: Reader,
    /// Where enriched rows go.
    pub(crate) writer: Writer,
    /// Where rows go that fail, if the policy says so.
    pub(crate) dead_letters: Option<DeadLetters>,
    /// How many of what.
    pub(crate) options: RunOptions,
    /// What the run counts.
    pub(crate) metrics: Arc<RunMetrics>,
    /// Ends it before its input ends.
    pub(crate) stop: Stop,
    /// What the output is worth then.
    pub(crate) on_stop: OnStop,
    /// The reader's, to have it come to its end with what it has read. Without it, rows that it has
    /// not handed out are left when the run is stopped.
    pub(crate) patience: Option<Patience>,
}

/// Runs a job to its end: every row of the input is in the output or in the dead letters, or the
/// run fails and the output is not there.
///
/// # Errors
/// The first thing that went wrong, with how far the run had come.
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
        // A writer that has stopped says why when it is joined.
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
    // A reader that stopped in the middle has not come to the end of its input. One that was not
    // heard to its end may wait for a pipe, and is not waited for.
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

/// How a run comes to its end before its input does.
struct Stopping {
    stop: Stop,
    patience: Option<Patience>,
}

impl Stopping {
    /// Waits until nothing more of the reader is wanted.
    async fn no_more(&self, on_stop: OnStop) {
        self.stop.stopped().await;
        if let (Some(patience), OnStop::Finish) = (&self.patience, on_stop) {
            // The reader ends by itself, after the rows that it has read.
            patience.stop();
            std::future::pending::<()>().await;
        }
    }
}

/// Enriches a bundle on a task of its own.
fn start(bundles: Arc<Bundles>, rows: Rows) -> AbortOnDropHandle<Result<Done, RunError>> {
    let span = info_span!("bundle", rows = rows.len());
    let bundle = async move { bundles.enrich(rows).await };
    AbortOnDropHandle::new(tokio::spawn(bundle.instrument(span)))
}

/// Reads bundles on a thread of its own, two ahead.
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

/// Where rows go.
struct Outputs {
    rows: Writer,
    dead_letters: Option<DeadLetters>,
    on_stop: OnStop,
    metrics: Arc<RunMetrics>,
    max_failures: Option<MaxFailures>,
    /// The first bundle of which no row was left, until another one is written: without rows the
    /// output still has a header.
    without_rows: Option<Done>,
    written: bool,
}

/// What the writer's thread is told.
#[expect(clippy::large_enum_variant, reason = "no more than three are ever kept")]
enum Message {
    Write(Done),
    /// Put the outputs under their names.
    Finish,
    /// Do so if they are worth it.
    Stop,
    /// Leave nothing behind.
    Drop,
}

impl Outputs {
    /// Says which features will come, where the store tells.
    fn declare(&mut self, features: &[OutputField]) -> Result<(), RunError> {
        if features.is_empty() {
            return Ok(());
        }
        let declared = features.iter().map(|field| (field.name.clone(), field.data_type.clone()));
        Ok(self.rows.declare(declared.collect())?)
    }

    /// Writes on a thread of its own.
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
        // First: a row is rather in both than in neither.
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

    /// Counts what the writer has written, and makes dead letters of what it set aside.
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

    /// The output does not appear.
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
