//! The components outside this host: each test runs a program of another project.
#![allow(clippy::unwrap_used)]

mod edge;
mod examples;
mod registry;
mod tables;
mod wasmtime;
mod wit;
