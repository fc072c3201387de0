//! Runs feature-store handlers, WebAssembly components that implement
//! `beamlet:enrichment/enrichment-handler`, as Apache Beam runs a DoFn.
//!
//! | module | its part |
//! |---|---|
//! | [`sandbox`] | what a component may do: memory, time, destinations |
//! | [`plugin`] | a handler and its life: load, set up, bundles, tear down |
//! | [`conform`] | whether a handler keeps the promises of the contract |
//! | [`columns`] | rows between Arrow and the contract |
//! | [`enrich`] | rows in, features out, each row answered once: retries, a cache, equal rows as one |
//! | [`config`] | what a user writes in a file |
//! | [`run`] | rows from a reader through bundles to a writer |

pub mod columns;
pub mod config;
pub mod conform;
pub mod enrich;
pub mod plugin;
pub mod run;
pub mod sandbox;
mod task;

/// The contract in `wit/`, as Rust.
mod bindings {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used)]
    wasmtime::component::bindgen!({
        path: "../wit",
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
