//! Everything that a user or a store can get wrong: what `beamlet run` says, how it ends, and
//! that it leaves nothing half done and tells no secret.

mod component;
mod configuration;
mod echo;
mod flood;
mod refused;
mod rows;
mod store;
