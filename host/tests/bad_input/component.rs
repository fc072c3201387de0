//! Handlers that are none.

use crate::refused::{refused_by, refused_component};
use crate::support::redacted;
use crate::support::store::{config, folder_of};
use insta::assert_snapshot;

/// An empty core module.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (instance $empty) {text})")).unwrap()
}

#[test]
fn a_component_that_is_not_there_is_named() {
    let folder = folder_of(&config("http://127.0.0.1:1"));
    let ended = refused_by(&folder, "--config beamlet.toml --handler handler.wasm");
    redacted(|| {
        assert_snapshot!(ended, @"
    error: handler.wasm: cannot be read: No such file or directory (os error 2)
    exit code 2
    ")
    });
}

#[test]
fn a_text_is_no_component() {
    redacted(|| {
        assert_snapshot!(refused_component("tecton"), @"
    error: handler.wasm: is not a WebAssembly component
    exit code 2
    ")
    });
}

#[test]
fn an_empty_file_is_no_component() {
    redacted(|| {
        assert_snapshot!(refused_component(""), @"
    error: handler.wasm: is empty, not a WebAssembly component
    exit code 2
    ")
    });
}

#[test]
fn a_core_module_is_no_component_and_its_user_is_told_how_to_make_it_one() {
    redacted(|| {
        assert_snapshot!(refused_component(MODULE), @"
    error: handler.wasm: is a WebAssembly module, not a component; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`
    exit code 2
    ")
    });
}

#[test]
fn a_component_that_breaks_off_is_refused() {
    let whole = component("(export \"wasi:cli/run@0.2.0\" (instance $empty))");
    let ended = refused_component(&whole[..whole.len() - 4]);
    assert_eq!(ended.code, Some(2));
    redacted(|| {
        assert_snapshot!(ended, @"
    error: handler.wasm: is no valid component: failed to parse WebAssembly module: unexpected end-of-file (at offset 0x29)
    exit code 2
    ")
    });
}

#[test]
fn a_component_that_exports_something_else_is_told_what_a_handler_exports() {
    let bytes = component("(export \"wasi:cli/run@0.2.0\" (instance $empty))");
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: exports wasi:cli/run@0.2.0; a handler exports beamlet:enrichment/enrichment-handler@0.1.0
    exit code 2
    ")
    });
}

#[test]
fn a_component_that_exports_nothing_is_told_what_a_handler_exports() {
    redacted(|| {
        assert_snapshot!(refused_component(component("")), @"
    error: handler.wasm: exports no interface; a handler exports beamlet:enrichment/enrichment-handler@0.1.0
    exit code 2
    ")
    });
}

#[test]
fn a_component_of_another_version_of_the_contract_is_told_both_versions() {
    let name = "beamlet:enrichment/enrichment-handler@0.2.0";
    let bytes = component(&format!("(export \"{name}\" (instance $empty))"));
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: speaks the contract in version 0.2.0, this host in 0.1.0; rebuild the handler or take the host of that version
    exit code 2
    ")
    });
}

#[test]
fn a_component_with_an_interface_of_the_right_name_and_nothing_in_it_is_refused() {
    let name = "beamlet:enrichment/enrichment-handler@0.1.0";
    let bytes = component(&format!("(export \"{name}\" (instance $empty))"));
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: does not keep to the contract 0.1.0: instance export `beamlet:enrichment/enrichment-handler@0.1.0` does not have export `describe`
    exit code 2
    ")
    });
}

#[test]
fn a_component_that_wants_what_no_handler_gets_is_refused() {
    let bytes = component(
        "(import \"other:store/api@1.0.0\" (instance (export \"ask\" (func))))
        (export \"beamlet:enrichment/enrichment-handler@0.1.0\" (instance $empty))",
    );
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: imports what a handler does not get: component imports instance `other:store/api@1.0.0`, but a matching implementation was not found in the linker: instance export `ask` has the wrong type: function implementation is missing
    exit code 2
    ")
    });
}
