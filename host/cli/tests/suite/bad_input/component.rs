//! Files that are not handlers.

use super::{refused_by, refused_component};
use crate::support::beamlet::Beamlet;
use crate::support::redacted;
use crate::support::store::{config, folder_of};
use insta::assert_snapshot;

/// An empty core module.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (instance $empty) {text})")).unwrap()
}

#[test]
fn a_missing_component_is_named() {
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
fn a_text_is_not_a_component() {
    redacted(|| {
        assert_snapshot!(refused_component("tecton"), @"
    error: handler.wasm: is not a WebAssembly component
    exit code 2
    ")
    });
}

#[test]
fn an_empty_file_is_not_a_component() {
    redacted(|| {
        assert_snapshot!(refused_component(""), @"
    error: handler.wasm: is empty, not a WebAssembly component
    exit code 2
    ")
    });
}

#[test]
fn the_error_for_a_core_module_says_how_to_make_it_a_component() {
    redacted(|| {
        assert_snapshot!(refused_component(MODULE), @"
    error: handler.wasm: is a WebAssembly module, not a component; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`
    exit code 2
    ")
    });
}

#[test]
fn a_truncated_component_is_rejected() {
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
fn the_error_for_a_component_with_other_exports_names_what_a_handler_exports() {
    let bytes = component("(export \"wasi:cli/run@0.2.0\" (instance $empty))");
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: exports wasi:cli/run@0.2.0; a handler exports beamlet:enrichment/enrichment-handler@0.2.0
    exit code 2
    ")
    });
}

#[test]
fn the_error_for_a_component_without_exports_names_what_a_handler_exports() {
    redacted(|| {
        assert_snapshot!(refused_component(component("")), @"
    error: handler.wasm: exports no interface; a handler exports beamlet:enrichment/enrichment-handler@0.2.0
    exit code 2
    ")
    });
}

#[test]
fn a_component_of_another_version_of_the_contract_is_reported_with_both_versions() {
    let name = "beamlet:enrichment/enrichment-handler@0.1.0";
    let bytes = component(&format!("(export \"{name}\" (instance $empty))"));
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: speaks the contract in version 0.1.0, this host in 0.2.0; rebuild the handler or take the host of that version
    exit code 2
    ")
    });
}

#[test]
fn every_command_names_both_versions_for_a_component_of_an_older_version() {
    let folder = folder_of(&config("http://127.0.0.1:1"));
    let name = "beamlet:enrichment/enrichment-handler@0.0.9";
    folder.write("handler.wasm", component(&format!("(export \"{name}\" (instance $empty))")));
    let reported = "error: handler.wasm: speaks the contract in version 0.0.9, this host in 0.2.0; \
                rebuild the handler or take the host of that version\n";
    for command in [
        "run --config beamlet.toml --handler handler.wasm",
        "validate --config beamlet.toml --handler handler.wasm",
        "check --config beamlet.toml --handler handler.wasm",
        "describe --handler handler.wasm",
        "conform handler.wasm --config beamlet.toml",
    ] {
        let ended = Beamlet::new(&folder, command).end();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), reported), "{command}");
    }
}

#[test]
fn a_component_with_a_text_interface_of_another_version_is_reported_with_both_versions() {
    let bytes = component(
        "(export \"beamlet:enrichment/enrichment-handler@0.2.0\" (instance $empty))
        (export \"beamlet:enrichment/enrichment-json@1.0.0\" (instance $empty))",
    );
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: speaks the contract in version 1.0.0, this host in 0.2.0; rebuild the handler or take the host of that version
    exit code 2
    ")
    });
}

/// A component that exports what a handler exports, by name, and imports this.
fn importing(name: &str) -> Vec<u8> {
    component(&format!(
        "(import \"{name}\" (instance))
        (export \"beamlet:enrichment/enrichment-handler@0.2.0\" (instance $empty))"
    ))
}

#[test]
fn the_error_for_an_import_of_another_version_names_the_provided_one() {
    let bytes = importing("beamlet:enrichment/types@0.1.0");
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: imports beamlet:enrichment/types@0.1.0, in version 0.1.0; this host gives beamlet:enrichment in version 0.2.0: rebuild the handler for that
    exit code 2
    ")
    });
    let bytes = importing("wasi:http/outgoing-handler@0.3.0");
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: imports wasi:http/outgoing-handler@0.3.0, in version 0.3.0; this host gives wasi:http in version 0.2: rebuild the handler for that
    exit code 2
    ")
    });
}

#[test]
fn the_error_for_a_component_that_serves_http_names_its_purpose() {
    let bytes = component("(export \"wasi:http/incoming-handler@0.2.12\" (instance $empty))");
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: is a component that serves HTTP (it exports wasi:http/incoming-handler@0.2.12), for `wasmtime serve` and the edge; a handler exports beamlet:enrichment/enrichment-handler@0.2.0
    exit code 2
    ")
    });
}

#[test]
fn conform_and_describe_reject_what_is_not_a_component_as_run_does() {
    let whole = component("(export \"wasi:cli/run@0.2.0\" (instance $empty))");
    for (bytes, reported) in [
        (MODULE, "handler.wasm: is a WebAssembly module, not a component"),
        (b"", "handler.wasm: is empty"),
        (b"connection", "handler.wasm: is not a WebAssembly component"),
        (&whole[..whole.len() - 4], "handler.wasm: is no valid component"),
        (&whole, "handler.wasm: exports wasi:cli/run@0.2.0"),
    ] {
        let folder = folder_of(&config("http://127.0.0.1:1"));
        folder.write("handler.wasm", bytes);
        let commands =
            ["describe --handler handler.wasm", "conform handler.wasm --config beamlet.toml"];
        for command in commands {
            let ended = Beamlet::new(&folder, command).end();
            assert_eq!(ended.code, Some(2), "{ended}");
            assert!(ended.stderr.starts_with(&format!("error: {reported}")), "{command}: {ended}");
        }
    }
}

#[test]
fn a_component_with_an_empty_interface_of_the_right_name_is_rejected() {
    let name = "beamlet:enrichment/enrichment-handler@0.2.0";
    let bytes = component(&format!("(export \"{name}\" (instance $empty))"));
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: does not keep to the contract 0.2.0: instance export `beamlet:enrichment/enrichment-handler@0.2.0` does not have export `describe`
    exit code 2
    ")
    });
}

#[test]
fn a_component_with_an_import_that_no_handler_gets_is_rejected() {
    let bytes = component(
        "(import \"other:store/api@1.0.0\" (instance (export \"ask\" (func))))
        (export \"beamlet:enrichment/enrichment-handler@0.2.0\" (instance $empty))",
    );
    redacted(|| {
        assert_snapshot!(refused_component(bytes), @"
    error: handler.wasm: imports what a handler does not get: component imports instance `other:store/api@1.0.0`, but a matching implementation was not found in the linker: instance export `ask` has the wrong type: function implementation is missing
    exit code 2
    ")
    });
}
