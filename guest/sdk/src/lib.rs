//! The SDK of handlers.
//!
//! A handler implements the trait [`Handler`]: its configuration, how entities become a request, and
//! how a response becomes columns. This crate makes a component of it: it collects rows over
//! `process` calls into requests, keeps several requests in flight, returns answers in the order of
//! the rows, and exports the interfaces `enrichment-handler` and `enrichment-json`.
//!
//! | a handler's task | module |
//! |---|---|
//! | URL, credential, headers and time-outs | [`connection`] |
//! | keys of rows | [`Batch::keys`]; with the feature `cel`: `slots` and `expression` |
//! | values as a store takes them | [`encode`] |
//! | requests and responses | [`transport`] |
//! | errors of a store | [`Response::refusal`], [`Response::grpc_refusal`], [`Blame`] |
//! | columns | [`columns`] |
//! | findings of `check` | [`check`] |
//!
//! Everything but the transport over `wasi:http` compiles for the native target too, where [`Bundle`]
//! runs over any other [`Transport`]. The benches compare with that.

#[doc(hidden)]
pub mod bindings;
mod bundle;
pub mod check;
pub mod columns;
pub mod connection;
mod datum;
pub mod encode;
mod error;
#[cfg(feature = "cel")]
pub mod expression;
mod handler;
pub mod json;
mod keys;
mod setup;
#[cfg(feature = "cel")]
pub mod slots;
pub mod transport;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(target_arch = "wasm32")]
mod wasi_http;

pub use beamlet_config as config;
pub use beamlet_contract as contract;
pub use beamlet_contract::FieldType;
pub use bindings::beamlet::enrichment::types::{
    Batch, Blobs, BooleanLists, Column, Diagnostic, Enriched, Error, ErrorKind, Float32Lists,
    Float64Lists, Int64Lists, RowFailure, Severity, StringLists, Texts, Values,
};
pub use bindings::exports::beamlet::enrichment::enrichment_handler::{
    Counter, Description, Field, Input, Report,
};
pub use bundle::{Bundle, Counters};
pub use columns::{Fields, Found};
pub use connection::{BaseUrl, Connection, ConnectionForm, Credential};
pub use datum::Datum;
pub use error::{Blame, GrpcError};
pub use handler::{Batching, Handler};
pub use json::enrich_json;
pub use transport::{Method, Request, Response, Target, Timeouts, Transport, TransportError};

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub use component::{Component, diagnostics, run};
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub use wasi_http::WasiHttp;

/// Makes the crate a handler component: `beamlet_guest::export_handler!(MyHandler);`.
///
/// On the native target it makes nothing, so that the same crate can be tested there.
#[macro_export]
macro_rules! export_handler {
    ($handler:ty) => {
        #[cfg(target_arch = "wasm32")]
        mod __beamlet_export {
            use super::*;
            type Exported = $crate::Component<$handler>;
            $crate::bindings::__export!(Exported with_types_in $crate::bindings);
        }
    };
}
