//! One engine for each process.
//!
//! An engine has threads and connections, which a fork does not take along: in a child of the process,
//! the parent's engine is left as it is, never touched and never dropped, and the first use sets up
//! another one. Nothing is started before the first use.
//!
//! A fork copies locks as they are. While an engine is being loaded, which takes locks that all of the
//! process shares, a fork waits for its end ([`before_fork`]).

use crate::errors::{guarded, load_error};
use arrow_array::RecordBatch;
use beamlet::config::{Document, OutputOptions};
use beamlet::enrich::{Answers, EnrichError, Enricher};
use beamlet::load::{Handler, LoadError, LoadOptions, Loaded};
use beamlet::plugin::{Plugin, Setup};
use pyo3::prelude::*;
use std::future::Future;
use std::pin::pin;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// How often a call looks whether Python was interrupted.
const SIGNALS: Duration = Duration::from_millis(50);
/// How long a fork waits for an engine that is being loaded.
const FORK_WAIT: Duration = Duration::from_secs(30);

/// What an engine is made of.
pub(crate) struct Source {
    pub(crate) document: Document,
    /// Another handler than the configuration names.
    pub(crate) handler: Option<Handler>,
}

/// An engine of this process.
pub(crate) struct Engine {
    /// Apart from the runtime, which a task of its own must not be the last to hold.
    pub(crate) enricher: Arc<Enricher>,
    pub(crate) plugin: Plugin,
    pub(crate) setup: Setup,
    pub(crate) output: OutputOptions,
    /// What is accepted and most likely not meant, a line each.
    pub(crate) warnings: Vec<String>,
    runtime: Runtime,
}

/// The engine of whatever process this is.
pub(crate) struct Engines {
    source: Source,
    current: Mutex<Option<(u32, Arc<Engine>)>>,
}

impl Engines {
    /// Nothing is set up yet.
    pub(crate) fn new(source: Source) -> Self {
        Engines { source, current: Mutex::new(None) }
    }

    /// This process's engine, which is set up where there is none.
    pub(crate) fn engine(&self, py: Python<'_>) -> PyResult<Arc<Engine>> {
        if let Some(engine) = self.known() {
            return Ok(engine);
        }
        // Outside of the lock, which a fork in another thread must not find taken.
        let engine = py.detach(|| Engine::set_up(&self.source));
        let engine = Arc::new(engine.map_err(|error| load_error(py, &error))?);
        // Another thread may have been faster.
        if let Some(engine) = self.known() {
            return Ok(engine);
        }
        self.replace(Some((process::id(), engine.clone())));
        Ok(engine)
    }

    /// This process's engine, if there is one.
    pub(crate) fn known(&self) -> Option<Arc<Engine>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((process, engine)) if *process == process::id() => Some(engine.clone()),
            _ => None,
        }
    }

    /// Takes this process's engine away.
    pub(crate) fn take(&self) -> Option<Arc<Engine>> {
        self.known().inspect(|_| self.replace(None))
    }

    fn replace(&self, engine: Option<(u32, Arc<Engine>)>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        leave(std::mem::replace(&mut *current, engine));
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        let current = self.current.get_mut().unwrap_or_else(PoisonError::into_inner);
        leave(current.take());
    }
}

/// An engine of a parent has no threads here that would end: it stays as it is.
fn leave(engine: Option<(u32, Arc<Engine>)>) {
    if let Some((process, engine)) = engine
        && process != process::id()
    {
        std::mem::forget(engine);
    }
}

impl Engine {
    fn set_up(source: &Source) -> Result<Self, LoadError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("beamlet-python")
            .enable_all()
            .build()
            .map_err(|error| LoadError::SetUp(error.into()))?;
        let (loaded, configured) = runtime.block_on(async {
            let loading = Loading::begin();
            let (handler, options) = (source.handler.as_ref(), LoadOptions::default());
            let loaded = Loaded::of(&source.document, handler, &options).await?;
            let configured = loaded.configure(&source.document).await?;
            drop(loading);
            Ok::<_, LoadError>((loaded, configured))
        })?;
        let warnings = configured.warnings().to_vec();
        let config = configured.valid()?;
        let setup = config.setup();
        let enricher =
            Enricher::set_up(loaded.plugin.clone(), setup.clone(), config.run.enrich.clone());
        let enricher = Arc::new(runtime.block_on(enricher)?);
        let (output, plugin) = (config.output, loaded.plugin);
        Ok(Engine { enricher, plugin, setup, output, warnings, runtime })
    }

    /// Waits for a future, without the interpreter's lock. An interrupt of Python's ends the wait, and
    /// the future is dropped.
    pub(crate) fn wait<T: Send>(
        &self,
        py: Python<'_>,
        future: impl Future<Output = T> + Send,
    ) -> PyResult<T> {
        guarded(|| {
            let mut future = pin!(future);
            loop {
                let ended = py.detach(|| {
                    self.runtime.block_on(async { timeout(SIGNALS, future.as_mut()).await })
                });
                match ended {
                    Ok(ended) => return Ok(ended),
                    Err(_) => py.check_signals()?,
                }
            }
        })
    }
}

impl Engine {
    /// Starts enriching rows, and does not wait. Dropped, the task is given up.
    pub(crate) fn start(
        &self,
        rows: RecordBatch,
    ) -> AbortOnDropHandle<Result<Answers, EnrichError>> {
        let enricher = self.enricher.clone();
        AbortOnDropHandle::new(self.runtime.spawn(async move { enricher.enrich(&rows).await }))
    }
}

/// Engines that are being loaded, and forks that are under way. No lock: a fork may come at any time.
static LOADING: AtomicUsize = AtomicUsize::new(0);
static FORKING: AtomicUsize = AtomicUsize::new(0);

/// For as long as it lives, a fork waits.
pub(crate) struct Loading;

impl Loading {
    /// Waits for a fork that is under way.
    pub(crate) fn begin() -> Self {
        loop {
            LOADING.fetch_add(1, Ordering::SeqCst);
            if FORKING.load(Ordering::SeqCst) == 0 {
                return Loading;
            }
            LOADING.fetch_sub(1, Ordering::SeqCst);
            sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        LOADING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits until no engine is being loaded: `os.register_at_fork(before=…)`.
#[pyfunction(name = "_before_fork")]
pub(crate) fn before_fork(py: Python<'_>) {
    FORKING.fetch_add(1, Ordering::SeqCst);
    if LOADING.load(Ordering::SeqCst) > 0 {
        py.detach(|| {
            let begun = Instant::now();
            while LOADING.load(Ordering::SeqCst) > 0 && begun.elapsed() < FORK_WAIT {
                sleep(Duration::from_millis(1));
            }
        });
    }
}

#[pyfunction(name = "_after_fork_in_parent")]
pub(crate) fn after_fork_in_parent() {
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

/// The threads that loaded or forked are not here.
#[pyfunction(name = "_after_fork_in_child")]
pub(crate) fn after_fork_in_child() {
    LOADING.store(0, Ordering::SeqCst);
    FORKING.store(0, Ordering::SeqCst);
}
