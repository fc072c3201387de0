//! What a component may do, and nothing more.
//!
//! # Threat model
//! A handler is a program that nobody has read. It gets no files, no environment and no sockets; its
//! clock and its random numbers are real. It reaches a store only through the [`Egress`], with the
//! destinations and the secrets of its configuration. It may spin, allocate, trap, or answer nonsense:
//! that costs its own instance, and no other.

pub(crate) mod denied;
mod outbound_http;
mod permissions;
mod runtime;
pub(crate) mod scripted_store;
mod state;

#[doc(inline)]
pub use beamlet_egress::{
    AddressDenied, Allowed, BreakerOptions, Destination, EgressError, Limits, PrivateAddresses,
    Proxies, Secrets, ThrottleOptions, TimedBody, Timeouts,
};
pub use outbound_http::Egress;
pub use permissions::Permissions;
pub use runtime::{Runtime, RuntimeError, RuntimeOptions};
pub(crate) use state::State;
