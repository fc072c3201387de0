//! The one way out of the sandbox.
//!
//! Every HTTP request of a handler goes through an [`Egress`]. It refuses destinations that were not
//! granted, replaces placeholders in headers by the secrets that they stand for, enforces every
//! time-out itself, shares one pool of connections among all instances, and limits the load on the
//! store.
//!
//! # Threat model
//! A handler is a program that nobody has read. It may request any URL, send anything in a header or a
//! body, and never read an answer. It must not reach a destination that the user did not name, and it
//! must not be able to disclose a secret. It never holds one: a secret is sent to granted destinations
//! only, and redirects are not followed. A proxy that the user's environment names sees what it passes
//! on; of a request over TLS, that is the store's name.

mod setters;

mod addresses;
mod admission;
mod client;
mod connector;
mod destination;
mod error;
mod proxy;
mod secrets;
pub mod tls;

pub use addresses::{AddressDenied, PrivateAddresses};
pub use admission::{BreakerOptions, Limits, ThrottleOptions};
pub use client::{Egress, TimedBody, Timeouts};
pub use destination::{Allowed, Destination};
pub use error::EgressError;
pub use proxy::Proxies;
pub use secrets::Secrets;
