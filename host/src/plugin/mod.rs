//! A handler and its life, as Beam's DoFn has it: load, set up, start a bundle, process,
//! finish, tear down.

mod answer;
mod bundle;
mod check;
mod component;
mod error;
mod instance;

pub use answer::{Enriched, Failure, HandlerError, HandlerErrorKind};
pub use beamlet_config::Problem;
pub use bundle::Bundle;
pub use check::{CheckReport, Finding, Severity};
pub use component::{Description, LoadError, Plugin, Validation};
pub use error::PluginError;
pub use instance::{Input, Instance, OutputField, Setup};
