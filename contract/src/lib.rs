//! The rules of the contract between hosts and handlers that WIT cannot express.
//!
//! WIT has no recursive types, and no names for the cases of an enum at run time. Therefore the types of
//! fields cross as text, errors and outcomes have names in files and metrics, and a place in a
//! configuration is a JSON Pointer. Guests, hosts, the readers and writers of files and the test tools
//! take these rules from here.

#[cfg(feature = "arrow")]
pub mod arrow;
mod field_type;
pub mod join;
pub mod number;
mod outcome;
pub mod pointer;
pub mod time;

pub use field_type::{EXPECTED, FieldType, MAX_DEPTH, Member, TypeError};
pub use outcome::{ErrorKind, Outcome};
