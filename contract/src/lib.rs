//! What the WIT contract between hosts and handlers cannot say, said once.
//!
//! WIT has no recursive types, and no names for the cases of an enum at run time. So the types of
//! fields cross as text, errors and outcomes are named in files and metrics, and configurations
//! are pointed into by JSON Pointer. Guests, the host, the readers and writers of files and the
//! test tools all take these rules from here.

#[cfg(feature = "arrow")]
pub mod arrow;
mod error_kind;
mod field_type;
pub mod join;
pub mod number;
mod outcome;
pub mod pointer;
pub mod time;

pub use error_kind::ErrorKind;
pub use field_type::{EXPECTED, FieldType, MAX_DEPTH, Member, TypeError};
pub use outcome::Outcome;
