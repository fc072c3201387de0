//! The component: its exports, made of a [`Handler`], and its allocator.

use crate::bindings::exports::beamlet::enrichment::{
    enrichment_handler as typed, enrichment_json as text,
};
use crate::wasi_http::WasiHttp;
use crate::{
    Batch, Bundle, Counter, Counters, Description, Diagnostic, Enriched, Error, Field, Handler,
    Input, Report, Request, Response, Severity, Transport,
};
use serde_json::json;
use std::cell::RefCell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What `export_handler!` exports for the handler `H`.
pub struct Component<H>(PhantomData<H>);

/// Runs a future over [`WasiHttp`], which blocks instead of waiting: one poll ends it.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => {
            unreachable!("the transport of a component never waits outside of its poll")
        }
    }
}

/// Problems of a configuration, or its warnings.
#[doc(hidden)]
pub fn diagnostics(severity: Severity, found: Vec<crate::config::Problem>) -> Vec<Diagnostic> {
    let of = |crate::config::Problem { path, message }| Diagnostic { severity, path, message };
    found.into_iter().map(of).collect()
}

/// The resource `handler`.
pub struct Configured<H> {
    handler: Arc<H>,
    transport: Arc<WasiHttp>,
    counters: Arc<Counters>,
}

impl<H: Handler> Configured<H> {
    /// Sends one request and waits for its answer.
    fn ask(&self, request: Request) -> Result<Response, Error> {
        let (method, target) = (request.method, request.target.clone());
        let mut calls = vec![self.transport.send(request)];
        run(self.transport.any(&mut calls)).1.map_err(|why| Error::no_answer(method, &target, &why))
    }
}

/// The resource `bundle`.
pub struct Started<H: Handler>(RefCell<Bundle<H, WasiHttp>>);

impl<H: Handler> typed::Guest for Component<H> {
    type Handler = Configured<H>;
    type Bundle = Started<H>;

    fn describe() -> Description {
        Description {
            name: H::NAME.to_owned(),
            version: H::VERSION.to_owned(),
            config_schema: H::config_schema(),
        }
    }

    fn validate(config: String) -> Vec<Diagnostic> {
        match crate::setup::setup::<H>(&config) {
            Ok(handler) => diagnostics(Severity::Warning, handler.warnings()),
            Err(found) => diagnostics(Severity::Problem, found),
        }
    }
}

impl<H: Handler> typed::GuestHandler for Configured<H> {
    fn setup(config: String) -> Result<typed::Handler, Vec<Diagnostic>> {
        let handler = crate::setup::setup::<H>(&config)
            .map_err(|found| diagnostics(Severity::Problem, found))?;
        Ok(typed::Handler::new(Configured {
            handler: Arc::new(handler),
            transport: Arc::default(),
            counters: Arc::default(),
        }))
    }

    fn inputs(&self) -> Vec<Input> {
        self.handler.inputs()
    }

    fn outputs(&self) -> Result<Vec<Field>, Error> {
        self.handler.outputs(&self.ask(self.handler.outputs_request())?)
    }

    fn check(&self) -> Result<Report, Error> {
        self.handler.check(self.ask(self.handler.outputs_request()).as_ref())
    }

    fn start_bundle(&self) -> typed::Bundle {
        typed::Bundle::new(Started(RefCell::new(Bundle::new(
            self.handler.clone(),
            self.transport.clone(),
            self.counters.clone(),
        ))))
    }

    fn counters(&self) -> Vec<Counter> {
        self.counters.snapshot()
    }
}

impl<H: Handler> typed::GuestBundle for Started<H> {
    fn process(&self, rows: Batch) -> Result<Vec<Enriched>, Error> {
        run(self.0.borrow_mut().process(&rows))
    }

    fn finish(this: typed::Bundle) -> Result<Vec<Enriched>, Error> {
        run(this.into_inner::<Self>().0.into_inner().finish())
    }
}

impl<H: Handler> text::Guest for Component<H> {
    fn describe() -> String {
        let schema: serde_json::Value =
            serde_json::from_str(&H::config_schema()).expect("the schema is JSON: a test holds it");
        json!({ "name": H::NAME, "version": H::VERSION, "config_schema": schema }).to_string()
    }

    fn validate(config: String) -> Result<String, String> {
        match crate::setup::setup::<H>(&config) {
            Ok(handler) => Ok(crate::json::problems_json(&handler.warnings()).to_string()),
            Err(found) => Err(crate::json::problems_json(&found).to_string()),
        }
    }

    fn enrich(config: String, rows: String) -> Result<String, String> {
        run(crate::enrich_json::<H, WasiHttp>(&config, &rows, Arc::default()))
    }
}

/// Faster than the allocator of the C library that Rust takes on this target, which takes a sixteenth
/// of a run's time.
#[cfg(feature = "allocator")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
