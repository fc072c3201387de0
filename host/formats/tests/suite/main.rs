//! The crate as a user sees it: files in, rows, files out.
#![allow(clippy::unwrap_used)]

mod columnar;
mod compression;
mod conflicts;
mod csv;
mod declared;
mod errors;
mod files;
mod foreign;
mod joins;
mod parts;
mod properties;
mod reading;
mod round_trips;
mod selection;
mod set_aside;
mod support;
