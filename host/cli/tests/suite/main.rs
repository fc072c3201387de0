//! The host's promises, in one test program, because each program links wasmtime, arrow and
//! parquet.
#![allow(clippy::unwrap_used)]

mod all_flights;
mod bad_input;
mod check_command;
mod configured_handler;
mod conform;
mod contract;
mod enricher;
mod evil_guests;
mod failures;
mod fault_matrix;
mod formats;
mod input_patterns;
mod lifecycle;
mod observe;
mod output_places;
mod outputs;
mod pipes;
mod run_command;
mod same_file;
mod sandbox;
mod scenarios;
mod secrets;
mod signals;
mod standard_error;
mod support;
mod types;
