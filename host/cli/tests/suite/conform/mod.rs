//! `beamlet conform`: handlers that keep all promises of the contract, and one that breaks each.

mod broken;
mod command;
mod guide;
