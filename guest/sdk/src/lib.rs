//! What every handler shares.
//!
//! A handler says which fields it reads, how entities become a request, and how a response
//! becomes columns: the trait [`Handler`]. From that, this crate makes a component: it
//! buffers rows over `process` calls into wire batches, keeps requests in flight, gives
//! answers back in row order, and exports the interfaces `enrichment-handler` and
//! `enrichment-json`.
//!
//! All of it but [`wasi_http`](crate::Transport) compiles for the native target too, where
//! [`Bundle`] runs over any other [`Transport`]: that is what the benches compare with.

mod answers;
#[doc(hidden)]
pub mod bindings;
mod bundle;
pub mod check;
pub mod columns;
pub mod connection;
mod counters;
mod datum;
pub mod encode;
mod encoding;
mod error;
#[cfg(feature = "cel")]
pub mod expression;
mod handler;
pub mod json;
mod keys;
mod rows;
mod secrets;
#[cfg(feature = "cel")]
pub mod slots;
pub mod transport;

#[cfg(all(target_arch = "wasm32", feature = "allocator"))]
mod allocator;
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
pub use bundle::Bundle;
pub use columns::{Fields, Found};
pub use connection::{BaseUrl, Connection, ConnectionForm, Credential};
pub use counters::Counters;
pub use datum::Datum;
pub use error::GrpcError;
pub use handler::{Batching, Blame, Handler};
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
