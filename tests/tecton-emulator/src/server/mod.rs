//! The emulator over HTTP/1.1: configured with a [`Builder`], started in a tokio runtime of the
//! caller's or in a thread of its own.

mod alarm;
mod body;
mod respond;
mod running;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::catalog::Catalog;
use crate::faults::{Fault, FaultPlan};
use crate::repository::{Repository, RepositoryError, RepositoryFile};
use crate::settings::Settings;
use crate::stats::Counters;

use alarm::Alarm;
pub use running::{Background, Running};

/// Creates a [`Builder`] for an emulator.
#[derive(Debug)]
pub struct Emulator;

/// An emulator that has not started yet.
#[derive(Clone, Debug)]
pub struct Builder {
    repository: Repository,
    settings: Settings,
    listen: SocketAddr,
    threads: Option<usize>,
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The repository cannot be served.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The server's thread, its runtime or its timer cannot be made.
    #[error("cannot start the server: {0}")]
    System(std::io::Error),
}

impl Emulator {
    /// An emulator of `repository` with default settings, on any free port of 127.0.0.1.
    pub fn builder(repository: Repository) -> Builder {
        Builder {
            repository,
            settings: Settings::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            threads: None,
        }
    }

    /// An emulator of a repository file, with the file's settings.
    pub fn of_file(file: RepositoryFile) -> Builder {
        Self::builder(file.repository).settings(file.settings)
    }
}

impl Builder {
    /// Replaces all settings.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Delays every answer by this.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.settings.latency = latency;
        self
    }

    /// Adds a fault after those that are there.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.settings.faults.push(fault);
        self
    }

    /// Listens here instead of on any free port of 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The worker threads of [`start_blocking`](Self::start_blocking); default: one per core.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// Starts in the current tokio runtime.
    ///
    /// # Errors
    /// The repository cannot be served, or the address not be listened on.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<Running, StartError> {
        let (listener, state) = self.prepare()?;
        Running::start(listener, state)
    }

    /// Starts in a runtime and a thread of its own, for callers that are not async.
    ///
    /// # Errors
    /// The repository cannot be served, the address not be listened on, or the thread not be made.
    pub fn start_blocking(self) -> Result<Background, StartError> {
        let threads = self.threads;
        let (listener, state) = self.prepare()?;
        Background::start(listener, state, threads)
    }

    fn prepare(self) -> Result<(TcpListener, Arc<State>), StartError> {
        let delays = !self.settings.latency.is_zero();
        let alarm = delays.then(Alarm::new).transpose().map_err(StartError::System)?;
        let state = Arc::new(State {
            catalog: Mutex::new(Arc::new(Catalog::load(&self.repository)?)),
            alarm,
            faults: Mutex::new(Arc::new(FaultPlan::new(self.settings.faults.clone()))),
            settings: self.settings,
            counters: Counters::default(),
        });
        let address = self.listen;
        let listener = TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|source| StartError::Listen { address, source })?;
        Ok((listener, state))
    }
}

/// What all connections share.
#[derive(Debug)]
struct State {
    catalog: Mutex<Arc<Catalog>>,
    settings: Settings,
    faults: Mutex<Arc<FaultPlan>>,
    counters: Counters,
    /// There is one where answers are delayed.
    alarm: Option<Alarm>,
}

impl State {
    fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_repository(&self, repository: &Repository) -> Result<(), RepositoryError> {
        let catalog = Arc::new(Catalog::load(repository)?);
        *self.catalog.lock().unwrap_or_else(PoisonError::into_inner) = catalog;
        Ok(())
    }

    fn faults(&self) -> Arc<FaultPlan> {
        Arc::clone(&self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_faults(&self, plan: FaultPlan) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(plan);
    }

    /// Zeroes the counters and begins the faults anew.
    fn reset(&self) {
        self.counters.reset();
        self.set_faults(self.faults().anew());
    }
}
