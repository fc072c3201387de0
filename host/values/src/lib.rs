//! The values of Arrow columns: as the contract between host and handlers carries them, as JSON, and as
//! the text of a cell. What a type becomes is the same in every place where rows come in or go out.

pub mod json;
pub mod json_text;
mod normalised;
mod values;

pub use normalised::{Fault, Normalised, normalised};
pub use values::{Values, is_uuid};
