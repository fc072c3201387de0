//! The Tecton component with a store that is a text: each request has its answer at once.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::error::Context;
use wasmtime::{AsContextMut, Config, Engine, Result, Store, bail};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

/// The contract in `wit/`, as Rust.
pub(crate) mod bindings {
    #![allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::unwrap_used)]
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "enrichment-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "wasi:http": wasmtime_wasi_http::p2::bindings::http,
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        },
    });
}

/// What the library is built with.
static TECTON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tecton.wasm"));

/// Entities of a request.
const BATCH: usize = 10;

/// Gives the features of ten planes, whatever is asked.
struct Canned(Bytes);

type Sent =
    Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl Canned {
    fn new() -> Self {
        let features = [
            ("year", "int64", json!("1999")),
            ("type", "string", json!("Fixed wing multi engine")),
            ("manufacturer", "string", json!("AIRBUS INDUSTRIE")),
            ("model", "string", json!("A320-214")),
            ("engines", "int64", json!("2")),
            ("seats", "int64", json!("182")),
            ("speed", "float64", Value::Null),
            ("engine", "string", json!("Turbo-fan")),
        ];
        let feature = |(name, of, _): &(&str, &str, Value)| json!({ "name": format!("planes.{name}"), "dataType": { "type": of } });
        let metadata: Vec<Value> = features.iter().map(feature).collect();
        let row = json!({ "features": features.map(|(_, _, value)| value) });
        let body = json!({ "result": vec![row; BATCH], "metadata": { "features": metadata } });
        Canned(body.to_string().into())
    }
}

impl WasiHttpHooks for Canned {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let body = Full::new(self.0.clone()).map_err(|never| match never {}).boxed_unsync();
        Box::new(async move {
            // It has to be taken, or it could not be sent.
            request.into_body().collect().await?;
            let done = Box::new(std::future::ready(Ok(())));
            Ok((http::Response::new(body), done as Box<_>))
        })
    }

    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        4
    }
}

/// The host's side.
struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    store: Canned,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.store, table: &mut self.table, ctx: &mut self.http }
    }
}

/// A handler that is set up.
pub(crate) struct Handler {
    store: Store<State>,
    bindings: bindings::EnrichmentPlugin,
    handler: ResourceAny,
    /// The fields that it reads.
    pub(crate) inputs: Vec<String>,
}

impl Handler {
    /// In an engine that is configured as the library's.
    pub(crate) async fn set_up(config: &str) -> Result<Self> {
        let mut engine = Config::new();
        engine.epoch_interruption(true).concurrency_support(false);
        let engine = Engine::new(&engine)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        let state = State {
            wasi: WasiCtx::builder().build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            store: Canned::new(),
        };
        let mut store = Store::new(&engine, state);
        store.set_epoch_deadline(u64::MAX / 2);
        let component = Component::new(&engine, TECTON)?;
        let bindings =
            bindings::EnrichmentPlugin::instantiate_async(&mut store, &component, &linker).await?;
        let interface = bindings.beamlet_enrichment_enrichment_handler();
        let handler = interface.handler().call_setup(&mut store, config).await?;
        let handler = handler.ok().context("the configuration is not valid")?;
        let inputs = interface.handler().call_inputs(&mut store, handler).await?;
        let inputs = inputs.into_iter().map(|input| input.name).collect();
        Ok(Handler { store, bindings, handler, inputs })
    }

    /// Runs rows as one bundle; how many were answered.
    pub(crate) async fn bundle(
        &mut self,
        rows: &bindings::beamlet::enrichment::types::Batch,
    ) -> Result<usize> {
        let interface = self.bindings.beamlet_enrichment_enrichment_handler();
        let store = &mut self.store;
        let bundle = interface.handler().call_start_bundle(&mut *store, self.handler).await?;
        let answers = interface.bundle().call_process(&mut *store, bundle, rows).await?;
        let mut answers = answers.ok().context("the bundle was refused")?;
        let last = interface.bundle().call_finish(store.as_context_mut(), bundle).await?;
        answers.extend(last.ok().context("the bundle was refused")?);
        if let Some(failure) = answers.iter().flat_map(|answer| &answer.failures).next() {
            bail!("row {}: {}", failure.row, failure.error.message);
        }
        Ok(answers.iter().map(|answer| answer.fields.rows as usize).sum())
    }
}
