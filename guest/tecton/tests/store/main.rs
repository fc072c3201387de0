//! The handler against the emulator, over sockets.
#![allow(clippy::unwrap_used)]

mod context;
mod refused;
mod support;
