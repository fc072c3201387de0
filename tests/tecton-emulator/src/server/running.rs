//! A started emulator, in the caller's runtime or in a thread of its own: it accepts connections
//! and serves each until the connection ends or the emulator stops. Dropping it stops it.

use std::error::Error as _;
use std::future::poll_fn;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::respond::{ResetConnection, respond};
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

/// How long to wait when a connection cannot be accepted, as with too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Serves until `stop`'s sender is dropped, then closes the listener and every connection.
pub(super) async fn serve(
    listener: tokio::net::TcpListener,
    state: Arc<State>,
    mut stop: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    if state.alarm.is_some() {
        connections.spawn(ring(Arc::clone(&state)));
    }
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    state.counters.connection();
                    connections.spawn(serve_connection(stream, Arc::clone(&state)));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stop => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// Wakes the answers that are held back.
async fn ring(state: Arc<State>) {
    if let Some(alarm) = &state.alarm {
        // It fails where the system has no timer left: every delay is over then.
        let _ = alarm.run().await;
    }
}

async fn serve_connection(stream: TcpStream, state: Arc<State>) {
    // Without it an answer waits for the acknowledgement of the last; a failure costs only speed.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| Box::pin(respond(&state, request)));
    let mut connection =
        http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let stream = connection.into_parts().io.into_inner();
    let is_reset =
        |error: hyper::Error| error.source().is_some_and(|cause| cause.is::<ResetConnection>());
    if ended.is_err_and(is_reset) {
        // Closing now sends a reset, not an end. Where it cannot be set, an end has to do.
        let _ = stream.set_zero_linger();
    }
}
