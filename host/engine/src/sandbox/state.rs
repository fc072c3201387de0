//! What a store holds for its component.

use super::limits::Limits;
use super::messages::Messages;
use super::outbound_http::{Egress, OutboundHttp};
use super::permissions::Permissions;
use std::sync::Arc;
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The host's side of one sandbox.
pub struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    pub(crate) outbound: OutboundHttp,
    stderr: Messages,
    pub(crate) limits: Limits,
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
            limits: Limits::new(permissions.memory),
        }
    }

    /// What the component wrote to its standard error, as far as it is kept. It may be what a
    /// server said, so no secret survives in it.
    pub(crate) fn stderr(&self) -> String {
        self.outbound.egress.secrets().redact(self.stderr.text().trim().to_owned())
    }

    /// The same, once: what comes after it is kept anew.
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
