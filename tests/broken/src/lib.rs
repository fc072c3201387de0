//! A handler that breaks one promise of the contract, named by its check: `{"retrieval": {"broken":
//! "answers/count"}}`. Without a name it keeps all promises. It uses a store with the protocol of
//! `examples/key-value`.
//!
//! It is only a component: on the native target the crate is empty.
#![cfg(target_arch = "wasm32")]

mod answers;
mod bundle;
mod config;
mod contract;
mod state;
mod store;
mod text;
