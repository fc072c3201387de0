//! An HTTP service around a handler, as a component: `wac plug` puts a handler into it, and
//! `wasmtime serve` or another server of `wasi:http` runs it.
//!
//! [`route`] finds the endpoint of a request. `POST /enrich` cuts its body into [`rows`] while it
//! arrives, and appends the features to the text of each row. [`problem`] describes errors,
//! [`summary`] and [`counts`] report requests to the log and to Prometheus.
//!
//! Modules that need no host compile for the native target too, where they are tested.

pub mod counts;
pub mod problem;
pub mod route;
pub mod rows;
pub mod settings;
pub mod summary;

#[cfg(target_arch = "wasm32")]
mod bindings;
#[cfg(target_arch = "wasm32")]
mod enrich;
#[cfg(target_arch = "wasm32")]
mod http;
#[cfg(target_arch = "wasm32")]
mod instance;
#[cfg(target_arch = "wasm32")]
mod service;
