//! Converts the values of Arrow columns: to the types of the contract between host and handlers, to
//! JSON, and to the text of a cell. So a type is converted in the same way wherever rows are read
//! or written.

pub mod json;
pub mod json_text;
mod normalised;
mod values;

pub use normalised::{Fault, Normalised, normalised};
pub use values::{Values, is_uuid};
