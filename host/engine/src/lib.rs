//! Runs feature-store handlers, WebAssembly components that implement
//! `beamlet:enrichment/enrichment-handler`, as Apache Beam runs a DoFn.
//!
//! | module | its part |
//! |---|---|
//! | [`load`] | a handler and its configuration, from what a user names |
//! | [`config`] | the configuration file: the handler's tables, `run` and `sandbox` |
//! | [`enrich`] | rows in, features out, each row answered once: retries, a cache, equal rows as one |
//! | [`plugin`] | a handler and its life: load, set up, bundles, tear down |
//! | [`columns`] | rows between Arrow and the contract |
//! | [`sandbox`] | what a component may do: memory, time, destinations |
//!
//! An embedder begins with [`Enricher::from_config`](enrich::Enricher::from_config), and depends on this
//! crate alone: types of the crates below it (`beamlet-config`, `-contract`, `-egress`) that are in its
//! signatures are re-exported here, and are to be named by their paths here. Options structs are
//! `#[non_exhaustive]`: begin with `default()` and set what differs.

#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/embedding.md")]
struct Guide;

pub mod columns;
pub mod config;
pub mod enrich;
pub mod load;
pub mod plugin;
pub mod sandbox;

/// Direct calls of a component's exports, and a scripted store: for suites that test a handler against the
/// contract, and for nothing else. It changes with the engine.
#[doc(hidden)]
pub mod raw {
    pub use crate::bindings::*;
    pub use crate::columns::from_arrow::from_arrow;
    pub use crate::plugin::error::error_kind;
    pub use crate::plugin::sandboxed::Sandboxed;
    pub use crate::sandbox::scripted_store::{Script, ScriptedStore};

    pub mod flat {
        pub use crate::columns::flat::*;
    }
}

/// The contract in `wit/`, as Rust.
mod bindings {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used)]
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

#[cfg(all(test, feature = "tecton"))]
mod tests;
