//! A started emulator, in the caller's runtime or in a thread of its own. Dropping it stops it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::accept::serve;
use super::{StartError, State};
use crate::faults::{Fault, FaultPlan};
use crate::repository::{Repository, RepositoryError};
use crate::stats::Stats;

/// What both kinds of handle can be asked.
#[derive(Debug)]
struct Access {
    address: SocketAddr,
    state: Arc<State>,
}

/// An emulator in the caller's tokio runtime. When it is dropped, the runtime closes the listener
/// and every connection soon after; [`stop`](Running::stop) waits for that.
#[derive(Debug)]
pub struct Running {
    access: Access,
    /// Its drop is the signal to stop.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// An emulator in a thread with a runtime of its own. When it is dropped, the listener and every
/// connection are closed and the thread has ended.
#[derive(Debug)]
pub struct Background {
    access: Access,
    /// Both are there until the drop.
    server: Option<(oneshot::Sender<()>, thread::JoinHandle<()>)>,
}

macro_rules! forward_access {
    ($($handle:ty),*) => {$(
        impl $handle {
            /// The address that it listens on.
            pub fn address(&self) -> SocketAddr {
                self.access.address
            }

            /// The base of its URLs, without a slash at the end: `http://127.0.0.1:54321`.
            pub fn url(&self) -> String {
                format!("http://{}", self.access.address)
            }

            /// The counts of this moment.
            pub fn stats(&self) -> Stats {
                self.access.state.counters.snapshot()
            }

            /// Zeroes the counts and begins the faults anew.
            pub fn reset(&self) {
                self.access.state.reset();
            }

            /// Replaces the faults, from the next request on.
            pub fn set_faults(&self, faults: Vec<Fault>) {
                self.access.state.set_faults(FaultPlan::new(faults));
            }

            /// Replaces what is served, from the next request on.
            ///
            /// # Errors
            /// The repository is wrong; what was served before stays.
            pub fn set_repository(&self, repository: &Repository) -> Result<(), RepositoryError> {
                self.access.state.set_repository(repository)
            }
        }
    )*};
}

forward_access!(Running, Background);

impl Running {
    pub(super) fn start(listener: TcpListener, state: Arc<State>) -> Result<Self, StartError> {
        let access = Access::new(&listener, state)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(StartError::System)?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, Arc::clone(&access.state), stopped));
        Ok(Self { access, stop, task })
    }

    /// Stops and waits until the listener and every connection are closed.
    pub async fn stop(self) {
        drop(self.stop);
        // It fails only when the runtime is shut down, which has stopped the server.
        let _ = self.task.await;
    }
}

impl Background {
    pub(super) fn start(
        listener: TcpListener,
        state: Arc<State>,
        threads: Option<usize>,
    ) -> Result<Self, StartError> {
        let access = Access::new(&listener, state)?;
        let mut builder = runtime::Builder::new_multi_thread();
        if let Some(threads) = threads {
            builder.worker_threads(threads);
        }
        let runtime = builder
            .thread_name("tecton-emulator")
            .enable_all()
            .build()
            .map_err(StartError::System)?;
        let listener = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(StartError::System)?
        };
        let (stop, stopped) = oneshot::channel();
        let state = Arc::clone(&access.state);
        let thread = thread::Builder::new()
            .name("tecton-emulator".to_owned())
            .spawn(move || {
                // A task of the runtime's: accepting on this thread would wake two threads for
                // each connection.
                let server = runtime.spawn(serve(listener, state, stopped));
                let _ = runtime.block_on(server);
            })
            .map_err(StartError::System)?;
        Ok(Self { access, server: Some((stop, thread)) })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.server.take() {
            drop(stop);
            // A panic of the server's has been printed by its thread.
            let _ = thread.join();
        }
    }
}

impl Access {
    fn new(listener: &TcpListener, state: Arc<State>) -> Result<Self, StartError> {
        let address = listener.local_addr().map_err(StartError::System)?;
        Ok(Self { address, state })
    }
}
