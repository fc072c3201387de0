//! The world in `wit/edge.wit`, as Rust: nothing here is written by hand.
#![allow(missing_docs, clippy::all, unreachable_pub)]

wit_bindgen::generate!({
    path: ["../../wit", "wit"],
    world: "beamlet:edge/edge",
    with: {
        "beamlet:enrichment/types@0.2.0": beamlet_guest::bindings::beamlet::enrichment::types,
        "wasi:http/types@0.2.12": beamlet_guest::bindings::wasi::http::types,
        "wasi:io/streams@0.2.12": beamlet_guest::bindings::wasi::io::streams,
        "wasi:io/poll@0.2.12": beamlet_guest::bindings::wasi::io::poll,
        "wasi:io/error@0.2.12": beamlet_guest::bindings::wasi::io::error,
        "wasi:clocks/monotonic-clock@0.2.12":
            beamlet_guest::bindings::wasi::clocks::monotonic_clock,
    },
    generate_all,
});
