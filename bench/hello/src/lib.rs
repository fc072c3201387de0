//! A component that answers every request with one word: what `wasmtime serve` costs by itself. On
//! the native target the crate is empty.
#![cfg(target_arch = "wasm32")]

#[allow(missing_docs, clippy::all, unreachable_pub)]
mod contract {
    wit_bindgen::generate!({
        inline: "
            package beamlet:hello;
            world hello {
                export wasi:http/incoming-handler@0.2.12;
            }
        ",
        path: "../../wit",
        world: "beamlet:hello/hello",
        generate_all,
    });
}

use contract::export;
use contract::exports::wasi::http::incoming_handler::Guest;
use contract::wasi::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Hello;

impl Guest for Hello {
    fn handle(_: IncomingRequest, out: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("it was not taken");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("it was not taken");
        let _ = stream.blocking_write_and_flush(b"hello\n");
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}

export!(Hello with_types_in contract);
