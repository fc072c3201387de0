//! A handler that breaks one promise of the contract, by the name of the check that holds handlers
//! to it: `{"retrieval": {"broken": "answers/count"}}`. Without one it keeps them all. It asks a
//! store of the protocol of `examples/key-value`.
//!
//! It is a component and nothing else: on the native target the crate is empty.
#![cfg(target_arch = "wasm32")]

mod answers;
mod bundle;
mod config;
mod contract;
mod state;
mod store;
mod text;
