//! The host's side of one sandbox, and the messages that its component writes.

use super::outbound_http::{Egress, OutboundHttp};
use super::permissions::{Permissions, ResourceLimits};
use bytes::{Bytes, BytesMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The host's side of one sandbox.
pub struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    pub(crate) outbound: OutboundHttp,
    stderr: Messages,
    pub(crate) limits: ResourceLimits,
}

impl State {
    pub(crate) fn new(permissions: &Permissions, egress: Arc<Egress>) -> Self {
        let stderr = Messages::new(permissions.stderr);
        let wasi = WasiCtx::builder().stderr(stderr.clone()).build();
        State {
            wasi,
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            outbound: OutboundHttp { egress, deadline: None, scripted: None },
            stderr,
            limits: ResourceLimits::new(permissions.memory),
        }
    }

    /// What the component wrote to its standard error, as far as it is kept. Secrets are removed, as
    /// it may repeat the text of a server.
    pub(crate) fn stderr(&self) -> String {
        self.outbound.egress.secrets().redact(self.stderr.text().trim().to_owned())
    }

    /// Takes what the component wrote since this was last called; `None` where it wrote nothing.
    pub(crate) fn take_stderr(&self) -> Option<String> {
        if self.stderr.is_empty() {
            return None;
        }
        let text = self.stderr();
        self.stderr.clear();
        Some(text)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}

/// The standard error of a component: the beginning is kept, the rest is discarded. A full stream would
/// be an error in the component, and most programs panic at that one. Clones share one buffer.
#[derive(Clone)]
struct Messages {
    kept: Arc<Mutex<BytesMut>>,
    most: usize,
}

impl Messages {
    /// Keeps the first `most` bytes.
    fn new(most: usize) -> Self {
        Messages { kept: Arc::default(), most }
    }

    /// What was kept.
    fn text(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }

    /// Discards what was kept.
    fn clear(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether nothing was kept.
    fn is_empty(&self) -> bool {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn keep(&self, bytes: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.most.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..room.min(bytes.len())]);
    }
}

impl IsTerminal for Messages {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Messages {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Messages {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.keep(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Messages {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Messages {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.keep(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
