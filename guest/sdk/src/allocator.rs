//! The allocator of a component: faster than the one of the C library that Rust takes on this
//! target, which takes a sixteenth of a run's time.

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
