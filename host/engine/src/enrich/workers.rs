//! The threads that instances run on. Each has a runtime, connections and instances of its own,
//! and a bundle stays where it began: no request wakes another thread, which would cost as much
//! as the handler does.

use super::enricher::EnrichError;
use super::instances::{Handler, Instances};
use super::metrics::Metrics;
use crate::plugin::{Plugin, PluginError, Setup};
use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// All workers of a handler.
pub(super) struct Workers {
    handler: Arc<Handler>,
    workers: Vec<Worker>,
}

/// A thread, and what runs on it.
struct Worker {
    thread: Thread,
    instances: Arc<Instances>,
    /// Bundles that it has in hand.
    busy: AtomicUsize,
}

impl Workers {
    /// Starts threads, and sets up the first instance: what is wrong with the configuration shows
    /// here.
    pub(super) async fn set_up(
        plugin: Plugin,
        setup: Setup,
        threads: usize,
        metrics: Arc<Metrics>,
    ) -> Result<Self, EnrichError> {
        let own = || Setup { egress: Arc::new(setup.egress.fork()), ..setup.clone() };
        let (thread, its_setup) = (Thread::start(0)?, own());
        let (handler, first) =
            thread.run(Handler::set_up(plugin, its_setup.clone(), metrics)).await??;
        let mut workers =
            vec![Worker::new(thread, Instances::new(&handler, its_setup, Some(first)))];
        for number in 1..threads {
            workers
                .push(Worker::new(Thread::start(number)?, Instances::new(&handler, own(), None)));
        }
        Ok(Workers { handler, workers })
    }

    /// What all instances share.
    pub(super) fn handler(&self) -> &Handler {
        &self.handler
    }

    /// Has the worker that has least to do run something with its instances.
    pub(super) async fn run<T, F>(
        &self,
        job: impl FnOnce(Arc<Instances>) -> F,
    ) -> Result<T, PluginError>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let busy = |worker: &&Worker| worker.busy.load(Ordering::Relaxed);
        let worker = self.workers.iter().min_by_key(busy).ok_or(PluginError::Finished)?;
        let _busy = Busy::on(&worker.busy);
        worker.thread.run(job(worker.instances.clone())).await
    }

    /// Tears all free instances down.
    pub(super) async fn tear_down(&self) {
        for worker in &self.workers {
            let instances = worker.instances.clone();
            // A worker that has ended has torn its instances down.
            let _ = worker.thread.run(async move { instances.tear_down().await }).await;
        }
    }
}

impl Worker {
    fn new(thread: Thread, instances: Instances) -> Self {
        Worker { thread, instances: Arc::new(instances), busy: AtomicUsize::new(0) }
    }
}

/// Counts a bundle on a worker, for as long as it lives.
struct Busy<'a>(&'a AtomicUsize);

impl<'a> Busy<'a> {
    fn on(worker: &'a AtomicUsize) -> Self {
        worker.fetch_add(1, Ordering::Relaxed);
        Busy(worker)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A thread with a runtime. Dropped, it ends, and what runs on it is given up.
struct Thread {
    tasks: Handle,
    _running: oneshot::Sender<()>,
}

impl Thread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let tasks = runtime.handle().clone();
        let (running, stopped) = oneshot::channel();
        thread::Builder::new().name(format!("beamlet-worker-{number}")).spawn(move || {
            let _ = runtime.block_on(stopped);
            // A name that is being looked up is not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Thread { tasks, _running: running })
    }

    /// Runs a task to its end; given up, so is the task.
    async fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, PluginError> {
        let task = AbortOnDropHandle::new(self.tasks.spawn(task.in_current_span()));
        match task.await {
            Ok(ended) => Ok(ended),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(PluginError::Finished),
            },
        }
    }
}
