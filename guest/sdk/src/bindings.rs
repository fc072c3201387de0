//! The contract in `wit/`, as Rust: nothing here is written by hand.
#![allow(missing_docs, clippy::all, unreachable_pub)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "enrichment-plugin",
    pub_export_macro: true,
    export_macro_name: "__export",
    default_bindings_module: "beamlet_guest::bindings",
    generate_all,
});
