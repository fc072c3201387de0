//! Runs feature-store handlers, WebAssembly components that implement
//! `beamlet:enrichment/enrichment-handler`, as Apache Beam runs a DoFn.
//!
//! | module | its part |
//! |---|---|
//! | [`sandbox`] | what a component may do: memory, time, destinations |
//! | [`plugin`] | a handler and its life: load, set up, bundles, tear down |
//! | [`columns`] | rows between Arrow and the contract |
//! | [`enrich`] | rows in, features out, each row answered once: retries, a cache, equal rows as one |
//! | [`load`] | a handler and its configuration, from what a user names |
//! | [`config`] | what a user writes in a file |

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/embedding.md")]
struct Guide;

pub mod columns;
pub mod config;
pub mod enrich;
pub mod load;
pub mod plugin;
pub mod sandbox;

/// A component's exports, called as they are, and a store that follows a script: for suites that hold
/// a handler to the contract, and for nothing else. It changes with the engine.
#[doc(hidden)]
pub mod raw {
    pub use crate::bindings::*;
    pub use crate::columns::from_arrow::from_arrow;
    pub use crate::plugin::answer::error_kind;
    pub use crate::plugin::instance::Sandboxed;
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
