//! The emulator over real sockets: what a client sees.

#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod binary;
mod client;
mod errors;
mod faults;
mod loading;
mod metadata;
mod requests;
mod server;
mod settings;
mod statuses;
mod types;
