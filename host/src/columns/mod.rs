//! Rows between Arrow, where the host keeps them, and the contract, where they cross into a
//! component.

mod assemble;
mod from_arrow;
mod json_list;
mod to_arrow;

pub(crate) use assemble::{Place, assemble, without_rows};
pub use from_arrow::ColumnError;
pub(crate) use from_arrow::from_arrow;
pub(crate) use json_list::{is_json, lists};
pub(crate) use to_arrow::to_arrow;

/// The canonical Arrow extension type of a text that is JSON.
pub(crate) const ARROW_JSON: &str = "arrow.json";
/// The metadata key that names a field's extension type.
pub(crate) const EXTENSION: &str = "ARROW:extension:name";

#[cfg(test)]
mod tests;
