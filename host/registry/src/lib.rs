//! Handlers from OCI registries, as `wkg` puts them there.
//!
//! A [`Reference`] names a component by the digest of its manifest; [`pull()`] answers with the
//! component's bytes, from the cache where they are, else from the registry.
//!
//! # Threat model
//! A registry, and whoever is between it and us, may answer anything. What counts is the digest
//! that the user wrote: the manifest has to hash to it, the component to what the manifest says,
//! and what the cache holds is hashed again when it is read. No answer is taken in beyond a limit,
//! and nothing is kept that has not been verified. Credentials go to the registry that they are
//! for, and to where it says its tokens are; messages never hold them.

mod cache;
mod client;
mod credentials;
mod digest;
mod error;
mod manifest;
mod pull;
mod reference;

pub use digest::Digest;
pub use error::RegistryError;
pub use pull::pull;
pub use reference::{Reference, SCHEME};
