//! What a component may do, and nothing more.
//!
//! # Threat model
//! A handler is a program that nobody has read. It gets no files, no environment, no
//! sockets; its clock and its random numbers are real. It reaches a store only through the
//! [egress](beamlet_egress), with the destinations and the secrets of its configuration. It
//! may spin, allocate, trap, or answer nonsense: that costs its own instance, and no other.

pub(crate) mod denied;
mod limits;
mod messages;
mod outbound_http;
mod permissions;
mod runtime;
pub(crate) mod scripted_store;
mod state;

pub use beamlet_egress::{BreakerOptions, Limits, ThrottleOptions};
pub use outbound_http::Egress;
pub use permissions::Permissions;
pub use runtime::{Runtime, RuntimeError, RuntimeOptions};
pub(crate) use state::State;
