//! Handlers from OCI registries, as `wkg` puts them there.
//!
//! A [`Reference`] names a component by the digest of its manifest; [`pull()`] answers with the
//! component's bytes, from the cache where they are, else from the registry.
//!
//! # Threat model
//! A registry, and whoever is between it and this machine, may answer anything. Only the digest that
//! the user wrote is trusted: the manifest has to hash to it, the component has to hash to the digest
//! in the manifest, and cached bytes are hashed again when they are read. Answers are limited in size,
//! and nothing is cached before it is verified. Credentials are sent to their registry and to the token
//! service that it names; messages never contain them.

mod client;
mod error;
mod pull;
mod reference;

pub use error::RegistryError;
pub use pull::pull;
pub use reference::{Digest, Reference, ReferenceError, SCHEME};
