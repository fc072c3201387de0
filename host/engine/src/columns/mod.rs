//! Converts rows between Arrow, as the host keeps them, and the contract, as they cross into a
//! component.

mod assemble;
pub(crate) mod flat;
pub(crate) mod from_arrow;
mod json;
mod to_arrow;

pub use assemble::{Place, assemble, without_rows};
pub(crate) use assemble::{declared, with_schema};
pub use from_arrow::ColumnError;
pub(crate) use from_arrow::from_arrow;
pub(crate) use json::is_of;
pub(crate) use to_arrow::to_arrow;

#[cfg(test)]
mod tests;
