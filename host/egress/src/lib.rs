//! The one way out of the sandbox.
//!
//! Whatever a handler asks for over HTTP goes through an [`Egress`]: it refuses destinations
//! that were not granted, puts secrets into headers where the handler has written their
//! placeholders, keeps every time-out itself, shares one pool of connections among all
//! instances, and asks no more of a store than it bears.
//!
//! # Threat model
//! A handler is a program that nobody has read. It may ask for any URL, send anything in a
//! header or a body, and never read an answer. It must not reach what the user did not name,
//! and it must not be able to tell a secret to anybody, as it never holds one: only a granted
//! destination is ever sent the secret, and redirects are not followed. A proxy that the user's
//! environment names sees what it passes on: of a store that is asked over TLS, only its name.

mod addresses;
mod admission;
mod body;
mod client;
mod connector;
mod destination;
mod error;
mod proxy;
mod secrets;
pub mod tls;

pub use addresses::{AddressDenied, PrivateAddresses};
pub use admission::{BreakerOptions, Limits, ThrottleOptions};
pub use body::TimedBody;
pub use client::{Egress, Timeouts};
pub use destination::{Allowed, Destination};
pub use error::EgressError;
pub use proxy::Proxies;
pub use secrets::Secrets;
