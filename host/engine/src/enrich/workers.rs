//! The threads that instances run on. Each has a runtime, connections and instances of its own, and a
//! bundle stays on one thread: waking another one for a request would cost as much as the handler does.

use super::error::EnrichError;
use super::instances::{Handler, Instances};
use super::metrics::Metrics;
use crate::plugin::{Plugin, PluginError, Setup};
use std::future::Future;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tokio::runtime::{Builder, Handle, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::task::block_in_place;
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
    /// Bundles that it works on.
    busy: AtomicUsize,
}

impl Workers {
    /// Starts threads, and sets up the first instance, which finds what is wrong with the configuration.
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

    /// Runs a job with the instances of the worker that has the fewest bundles. Where the future is dropped,
    /// the job is cancelled.
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

    /// Waits on the calling thread for a future. Its timers and connections are those of a worker, so
    /// that they outlast the call.
    pub(super) fn block_on<F: Future>(&self, future: F) -> Result<F::Output, EnrichError> {
        let worker = self.workers.first().ok_or(PluginError::Finished)?;
        blocking(|| worker.thread.tasks.block_on(future))
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

/// Waits on the calling thread, where that stops nothing that it may wait for.
pub(crate) fn blocking<T>(wait: impl FnOnce() -> T) -> Result<T, EnrichError> {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Err(_) => Ok(wait()),
        Ok(RuntimeFlavor::MultiThread) => Ok(block_in_place(wait)),
        Ok(_) => Err(EnrichError::CannotBlock),
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

/// A thread with a runtime. When it is dropped, the thread ends and its tasks are cancelled.
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

    /// Runs a task to its end. Where the future is dropped, the task is cancelled.
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
