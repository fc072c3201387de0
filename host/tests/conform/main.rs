//! `beamlet conform`: handlers that keep all promises of the contract, and one that breaks each.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod broken;
mod command;
mod examples;
mod guide;
