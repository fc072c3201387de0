//! A handler that misbehaves in the way that its configuration names:
//! `{"retrieval": {"evil": "spin"}}`. It is a component and nothing else: on the native target
//! the crate is empty.
#![cfg(target_arch = "wasm32")]

mod behaviour;
mod contract;
mod probe;
