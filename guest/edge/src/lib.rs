//! An HTTP service around a handler, as a component: `wac plug` puts a handler into it, and
//! `wasmtime serve` or another server of `wasi:http` runs it.
//!
//! A request comes in at [`route`]; `POST /enrich` has its body cut into rows by [`split`], piece by
//! piece, and each row's text gets its features behind its own fields.
//! What can go wrong is told by [`problem`], and counted by [`counts`].
//!
//! All that needs no host compiles for the native target too, where it is tested.

pub mod counts;
pub mod media;
pub mod openapi;
pub mod problem;
pub mod route;
pub mod settings;
pub mod split;
pub mod told;
pub mod totals;

#[cfg(target_arch = "wasm32")]
mod account;
#[cfg(target_arch = "wasm32")]
mod bindings;
#[cfg(target_arch = "wasm32")]
mod body;
#[cfg(target_arch = "wasm32")]
mod enrich;
#[cfg(target_arch = "wasm32")]
mod instance;
#[cfg(target_arch = "wasm32")]
mod piece;
#[cfg(target_arch = "wasm32")]
mod reply;
#[cfg(target_arch = "wasm32")]
mod service;
