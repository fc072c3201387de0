//! Accepts connections and serves each with hyper until it ends or the emulator stops.

use std::error::Error as _;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::State;
use super::respond::{ResetConnection, respond};

/// How long to wait when a connection cannot be accepted, as with too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Serves until `stop`'s sender is dropped, then closes the listener and every connection.
pub(super) async fn serve(
    listener: TcpListener,
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
